import { inboxSize } from '../../wire/parser.ts'
import type { Body } from '../../wire/client_response.ts'

/** The connection that a body arrives on. */
interface Source {
  /** The reader wants the body, from now on or again. */
  bodyFlows(): void
  bodyPauses(): void
}

/** A request body of known length in the fast lane. Nothing is read until a listener for its end is added. */
export class FastBody implements Body {
  readonly rawTrailers: readonly string[] = []
  /** Bytes that have not arrived yet. */
  left: number
  flows = false
  readonly #source: Source
  #buffer: Buffer | undefined
  #onData: ((chunk: Buffer) => unknown) | undefined
  #onEnd: (() => void) | undefined

  constructor(length: number, source: Source) {
    this.left = length
    this.#source = source
  }

  on(_: 'data', listener: (chunk: Buffer) => unknown): void {
    this.#onData = listener
  }

  once(_: 'end', listener: () => void): void {
    this.#onEnd = listener
    this.resume()
  }

  pause(): void {
    if (this.left === 0) return
    this.flows = false
    this.#source.bodyPauses()
  }

  resume(): void {
    if (this.left === 0) return
    this.flows = true
    this.#source.bodyFlows()
  }

  discard(): void {
    // The last chunk may still be in use by a write.
    this.#buffer = undefined
    this.#onData = undefined
    this.resume()
  }

  /** The buffer for the next bytes of a large body: copying each chunk out of the inbox would cost too much. */
  get buffer(): Buffer | undefined {
    if (!this.flows || this.left <= inboxSize) return (this.#buffer = undefined)
    return (this.#buffer ??= Buffer.allocUnsafeSlow(inboxSize))
  }

  /** Takes the next bytes, at most `left`. */
  take(chunk: Buffer): void {
    this.left -= chunk.length
    // The listener returns true if the kernel already has the bytes. Otherwise the buffer stays in use, at most until the body resumes.
    if (this.#onData?.(chunk) !== true && this.flows) this.#buffer = undefined
    if (this.left === 0) this.#onEnd?.()
  }
}
