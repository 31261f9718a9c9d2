import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { ClosingConnections } from './closing.ts'
import type { Handler } from './handler.ts'
import { OpenList } from '../../wire/open_list.ts'
import { flushAll } from '../../wire/write_batching.ts'
import { FastConnection, maxIdleSeconds } from './fast_connection.ts'
import type { Lane } from './lane.ts'

/**
 * Serves requests in the usual form, with a complete head and a body of known length, without the objects of node:http. It hands
 * everything else, from our own pages to an unexpected byte, to node:http together with the connection. node:http then parses
 * and checks the very same bytes.
 */
export class FastLane implements Lane<FastConnection> {
  readonly handler: Handler
  readonly closing: ClosingConnections
  readonly maxHeadBytes: number
  readonly #nodeServer: Server
  readonly #open = new OpenList<FastConnection>()
  /** In seconds, counted by a timer. */
  clock = 0
  readonly #timer = setInterval(() => this.#sweep(), 1000).unref()
  /** From now on every response is the last of its connection. */
  draining = false
  /** Connections without a request are ended now. */
  over = false

  constructor(handler: Handler, nodeServer: Server, closing: ClosingConnections, maxHeadBytes: number) {
    this.handler = handler
    this.closing = closing
    this.maxHeadBytes = maxHeadBytes
    this.#nodeServer = nodeServer
  }

  accept(socket: Socket): void {
    this.#open.add(new FastConnection(this, socket))
  }

  /** Gives the connection to node:http for good, starting with these bytes. */
  handOver(connection: FastConnection, socket: Socket, bytes: Buffer): void {
    this.#open.delete(connection)
    // In one piece: node:http bypasses the stream from now on, so later bytes would overtake what is still buffered in it.
    const buffered = socket.read() as Buffer | null
    const bytesToParse = buffered === null ? bytes : Buffer.concat([bytes, buffered])
    if (bytesToParse.length > 0) socket.unshift(bytesToParse)
    this.#nodeServer.emit('connection', socket)
    socket.resume()
  }

  left(connection: FastConnection): void {
    this.#open.delete(connection)
  }

  /** From now on every connection ends with its next response. */
  drain(): void {
    this.draining = true
    for (const connection of this.#open) connection.makeLast()
  }

  /** Ends connections without a request, and event streams, which would never end. The others end after their response. */
  endIdle(): void {
    this.over = true
    // A connection whose response waits to be flushed only looks idle.
    flushAll()
    for (const connection of this.#open) {
      if (connection.streamsEvents) connection.destroy()
      else connection.endIfIdle()
    }
  }

  destroyAll(): void {
    clearInterval(this.#timer)
    flushAll()
    for (const connection of this.#open) connection.destroy()
  }

  #sweep(): void {
    this.clock++
    for (const connection of this.#open)
      if (this.clock - connection.idleSince > maxIdleSeconds) connection.endIfIdle()
  }
}
