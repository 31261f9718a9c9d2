import type { Socket } from 'node:net'
import type { Head } from './http_parser.ts'

/** Who sends a request on a connection and hears the answer. Exactly one of `end`, `broken` and `switched` comes last. */
export interface Asker {
  /** HEAD is answered by a head alone. */
  readonly bodiless: boolean
  /** Whether a response may be reported by `whole`. */
  readonly takesWhole: boolean
  /**
   * A whole response stands in the inbox and its head has just been read. Where it is a plain one, passes it on in place of all the calls
   * below, after `settleWhole`, and returns true. Otherwise returns false and has done nothing.
   */
  whole(length: number): boolean
  /** The connection has just come about: nothing was sent before. A kept one does not tell. */
  connected(): void
  /** 100 to 199, but for 101 after an upgrade. */
  information(head: Head): void
  head(head: Head): void
  /** Returns true if the bytes are with the kernel by now: their memory may be used again. */
  body(chunk: Buffer): boolean
  /** All bytes that came together have been told: what is held back to be sent at once may go. */
  flush(): void
  /** The whole answer was told. */
  end(rawTrailers: readonly string[]): void
  /** No answer, or none that is whole. */
  broken(error: NodeJS.ErrnoException): void
  /** After a 101: the connection is the asker's now; `first` are bytes that came behind the head. */
  switched(socket: Socket, first: Buffer): void
  /** More of the request's body can be written. */
  drain(): void
}
