import type { Socket } from 'node:net'
import type { ClosingConnections } from './closing.ts'
import type { Handler } from './handler.ts'

/** What a connection of type `C` needs from its lane. */
export interface Lane<C> {
  readonly handler: Handler
  /** In seconds, counted by a timer. */
  readonly clock: number
  readonly closing: ClosingConnections
  /** The largest head of a request that is forwarded. */
  readonly maxHeadBytes: number
  /** From now on every response is the last of its connection. */
  readonly draining: boolean
  /** Connections without a request are ended now. */
  readonly over: boolean
  /** Gives the connection to node:http for good, starting with these bytes. */
  handOver(connection: C, socket: Socket, bytes: Buffer): void
  left(connection: C): void
}
