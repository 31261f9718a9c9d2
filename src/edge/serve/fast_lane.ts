import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Handler } from './handler.ts'
import { OpenList } from '../../wire/open_list.ts'
import { flushAll } from '../../wire/write_batching.ts'
import { FastConnection, maxIdle } from './fast_connection.ts'
import type { Lane } from './lane.ts'

/**
 * Serves requests in the usual form, from whole heads and with bodies of known length, without the objects of node:http. It gives
 * everything else, from a page of ours to a byte that does not fit, to node:http together with its connection: node:http reads the
 * very same bytes and judges anew.
 */
export class FastLane implements Lane<FastConnection> {
  readonly handler: Handler
  readonly #plain: Server
  readonly #open = new OpenList<FastConnection>()
  /** Seconds, counted by a timer. */
  clock = 0
  readonly #timer = setInterval(() => this.#sweep(), 1000).unref()
  /** Every response is its connection's last. */
  closing = false
  /** Nobody waits any longer for connections without a request. */
  over = false

  constructor(handler: Handler, plain: Server) {
    this.handler = handler
    this.#plain = plain
  }

  accept(socket: Socket): void {
    this.#open.add(new FastConnection(this, socket))
  }

  /** The connection is node:http's from now on, beginning with these bytes. */
  handOver(connection: FastConnection, socket: Socket, bytes: Buffer): void {
    this.#open.delete(connection)
    // In one piece: node:http reads past the stream from now on, and what stayed there while it pauses would be overtaken.
    const behind = socket.read() as Buffer | null
    const all = behind === null ? bytes : Buffer.concat([bytes, behind])
    if (all.length > 0) socket.unshift(all)
    this.#plain.emit('connection', socket)
    socket.resume()
  }

  left(connection: FastConnection): void {
    this.#open.delete(connection)
  }

  /** From now on every connection ends with its next response. */
  drain(): void {
    this.closing = true
    for (const connection of this.#open) connection.makeLast()
  }

  /** Ends connections without a request, and event streams, which would never end; the others end behind their response. */
  endIdle(): void {
    this.over = true
    // A response that waits to be flushed is given: its connection only looks idle.
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
      if (this.clock - connection.idleSince > maxIdle) connection.endIfIdle()
  }
}
