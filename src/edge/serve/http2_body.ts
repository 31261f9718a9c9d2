import type { ServerHttp2Stream } from 'node:http2'
import type { Body } from '../../wire/client_response.ts'

/** A body of known length of an HTTP/2 stream. Nothing is read until a listener for its end is added. */
export class Http2Body implements Body {
  readonly rawTrailers: readonly string[] = []
  readonly #stream: ServerHttp2Stream
  /** Bytes that have not arrived yet. We count them because a stream that is reset without an error looks like one that ended. */
  #left: number
  #onData: ((chunk: Buffer) => unknown) | undefined
  #onEnd: (() => void) | undefined

  constructor(length: number, stream: ServerHttp2Stream) {
    this.#left = length
    this.#stream = stream
  }

  on(_: 'data', listener: (chunk: Buffer) => unknown): void {
    this.#onData = listener
  }

  once(_: 'end', listener: () => void): void {
    this.#onEnd = listener
    this.#stream.on('data', (chunk: Buffer) => this.#take(chunk))
  }

  /** A stream that is paused after its last byte would never close. */
  pause(): void {
    if (this.#left > 0) this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  #take(chunk: Buffer): void {
    this.#left -= chunk.length
    this.#onData?.(chunk)
    if (this.#left === 0) this.#onEnd?.()
  }
}
