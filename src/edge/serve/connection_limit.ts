import type { Socket } from 'node:net'
import type { Log } from '../../log/log.ts'

/** Files, database, socket and the like: what the process holds open beside connections. */
const elsewhere = 64
/** Milliseconds that somebody who was turned away has to read why. */
const patience = 1000
/** How many may be reading that at a time; beyond it they are told and not waited for. */
const readers = 16
/** In milliseconds. */
const tellEvery = 60_000

const unavailable =
  'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** How many connections a process that may open so many files can have: each may need another one to an upstream. */
export const connectionsFor = (openFiles: number): number =>
  Math.max(1, Math.floor((openFiles - elsewhere - readers) / 2))

/** Lets in no more connections than there is room for, and tells the others so. */
export class Admission {
  readonly #most: number
  readonly #log: Log
  readonly #turnedAway = new Set<Socket>()
  #open = 0
  #toldAt = -Infinity

  constructor(most: number, log: Log) {
    this.#most = most
    this.#log = log
  }

  /** `tells`: whoever is turned away understands plain HTTP. */
  admit(socket: Socket, tells: boolean): boolean {
    if (this.#open >= this.#most) {
      this.#note()
      if (tells) this.#turnAway(socket)
      else socket.destroy()
      return false
    }
    this.#open++
    socket.once('close', this.#left)
    return true
  }

  readonly #left = (): void => void this.#open--

  #turnAway(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    socket.write(unavailable)
    if (this.#turnedAway.size >= readers) return void socket.destroy()
    this.#turnedAway.add(socket)
    // What he has sent is read away: closing over it would reset the connection, and the answer be lost with it.
    socket.resume()
    socket.end()
    const timer = setTimeout(() => socket.destroy(), patience)
    socket.once('close', () => {
      clearTimeout(timer)
      this.#turnedAway.delete(socket)
    })
  }

  #note(): void {
    if (performance.now() - this.#toldAt < tellEvery) return
    this.#toldAt = performance.now()
    this.#log.warn({ connections: this.#open }, 'no more connections: new ones are answered 503')
  }
}
