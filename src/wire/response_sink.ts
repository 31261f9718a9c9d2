import type { Socket } from 'node:net'
import type { Head } from './http_parser.ts'

/** Receives the response to a request on an upstream connection. The last call is exactly one of `end`, `broken` and `switched`. */
export interface ResponseSink {
  /** Whether the response has no body, as for HEAD. */
  readonly bodiless: boolean
  /** Whether a response may be reported by `whole`. */
  readonly takesWhole: boolean
  /**
   * The inbox holds a response whose head has just been read. If it is complete and plain, passes it on after `settleWhole`,
   * instead of the calls below, and returns true. Otherwise does nothing and returns false.
   */
  whole(length: number): boolean
  /** The connection has just been established, and nothing was sent before. Not called for a reused connection. */
  connected(): void
  /** A status of 100 to 199, except 101 after an upgrade. */
  information(head: Head): void
  head(head: Head): void
  /** Returns true if the kernel already has the bytes, so that their memory can be reused. */
  body(chunk: Buffer): boolean
  /** All bytes of this read have been passed on: send what was held back to be written together. */
  flush(): void
  /** The response is complete. */
  end(rawTrailers: readonly string[]): void
  /** There is no response, or an incomplete one. */
  broken(error: NodeJS.ErrnoException): void
  /** After a 101: takes over the connection. `first` holds the bytes that arrived after the head. */
  switched(socket: Socket, first: Buffer): void
  /** More of the request body can be written. */
  drain(): void
}
