import type { Socket } from 'node:net'
import type { Handler } from './handler.ts'

/** What a connection of the type `C` needs of the lane that it belongs to. */
export interface Lane<C> {
  readonly handler: Handler
  /** Seconds, counted by a timer. */
  readonly clock: number
  /** Every response is its connection's last. */
  readonly closing: boolean
  /** Nobody waits any longer for connections without a request. */
  readonly over: boolean
  /** The connection is node:http's from now on, beginning with these bytes. */
  handOver(connection: C, socket: Socket, bytes: Buffer): void
  left(connection: C): void
}
