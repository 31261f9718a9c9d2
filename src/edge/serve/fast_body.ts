import { inboxSize } from '../../wire/parser.ts'
import type { Body } from '../../wire/client_response.ts'

/** The connection that a body comes over. */
interface Source {
  /** The body is wanted from now on, or again. */
  bodyFlows(): void
  bodyPauses(): void
}

/** The body of a request in the fast lane, of known length. It is read only once somebody listens for its end. */
export class FastBody implements Body {
  readonly rawTrailers: readonly string[] = []
  /** Bytes that have not come yet. */
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
    // What was read last may still be on its way.
    this.#buffer = undefined
    this.#onData = undefined
    this.resume()
  }

  /** What the next bytes are read into, where so many are left that copying each out of the inbox would be dear. */
  get buffer(): Buffer | undefined {
    if (!this.flows || this.left <= inboxSize) return (this.#buffer = undefined)
    return (this.#buffer ??= Buffer.allocUnsafeSlow(inboxSize))
  }

  /** Takes the next bytes, at most `left`. */
  take(chunk: Buffer): void {
    this.left -= chunk.length
    // Unless the listener says that the kernel has them, the bytes are still needed where they are; at the latest until it resumes.
    if (this.#onData?.(chunk) !== true && this.flows) this.#buffer = undefined
    if (this.left === 0) this.#onEnd?.()
  }
}
