import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { OpenList } from '../wire/open_list.ts'
import type { Door } from './door.ts'
import { release } from './turn.ts'
import { ExpressConnection, maxIdle } from './express_connection.ts'

/**
 * Connections over which plain requests come (a GET or HEAD of HTTP/1.1 in one piece, without a body) are served here
 * without the objects of node:http. Everything else, from a body to a page of ours to a byte that does not
 * fit, is handed to node:http together with its connection: it reads the very same bytes and judges anew.
 */
export class ExpressLane {
  readonly door: Door
  readonly #plain: Server
  readonly #open = new OpenList<ExpressConnection>()
  /** Seconds, counted by a timer. */
  clock = 0
  readonly #timer = setInterval(() => this.#sweep(), 1000).unref()
  /** Every answer is its connection's last. */
  closing = false
  /** Connections that wait are not waited for any more. */
  over = false

  constructor(door: Door, plain: Server) {
    this.door = door
    this.#plain = plain
  }

  get size(): number {
    return this.#open.size
  }

  accept(socket: Socket): void {
    this.#open.add(new ExpressConnection(this, socket))
  }

  /** The connection is node:http's from now on, beginning with these bytes. */
  handOver(connection: ExpressConnection, socket: Socket, bytes: Buffer): void {
    this.#open.delete(connection)
    if (bytes.length > 0) socket.unshift(bytes)
    this.#plain.emit('connection', socket)
    socket.resume()
  }

  left(connection: ExpressConnection): void {
    this.#open.delete(connection)
  }

  /** From now on every connection ends with its next answer. */
  drain(): void {
    this.closing = true
    for (const connection of this.#open) connection.makeLast()
  }

  /** Ends connections that wait, and event streams, which would never end; the others end behind their answer. */
  endIdle(): void {
    this.over = true
    // An answer that is held has been given: its connection only looks as if it waited.
    release()
    for (const connection of this.#open) {
      if (connection.streamsEvents) connection.destroy()
      else connection.endIfIdle()
    }
  }

  destroyAll(): void {
    clearInterval(this.#timer)
    release()
    for (const connection of this.#open) connection.destroy()
  }

  #sweep(): void {
    this.clock++
    for (const connection of this.#open)
      if (this.clock - connection.idleSince > maxIdle) connection.endIfIdle()
  }
}
