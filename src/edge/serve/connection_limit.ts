import type { Socket } from 'node:net'
import type { Log } from '../../log/log.ts'

/** File descriptors kept free for what is not a connection: files, the database, rpc.sock. */
const reservedFiles = 64
/** Milliseconds that a refused client has to read the 503. */
const readRefusalMs = 1000
/** How many refused clients may be reading at a time. Beyond that, the connection closes right behind the 503. */
const maxRefusedReaders = 16
const logIntervalMs = 60_000

const unavailable =
  'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** How many connections a process with this limit of open files can serve: each may need a second one to an upstream. */
export const maxConnectionsFor = (openFiles: number): number =>
  Math.max(1, Math.floor((openFiles - reservedFiles - maxRefusedReaders) / 2))

/** Accepts at most so many connections and answers 503 to the others. */
export class ConnectionLimit {
  readonly #maxConnections: number
  readonly #log: Log
  readonly #refused = new Set<Socket>()
  #open = 0
  #loggedAtMs = -Infinity

  constructor(maxConnections: number, log: Log) {
    this.#maxConnections = maxConnections
    this.#log = log
  }

  /** Returns false if the connection is refused. `plainHttp`: the client can read a refusal in plain HTTP. */
  admit(socket: Socket, plainHttp: boolean): boolean {
    if (this.#open >= this.#maxConnections) {
      this.#logRefusal()
      if (plainHttp) this.#refuse(socket)
      else socket.destroy()
      return false
    }
    this.#open++
    socket.once('close', this.#closed)
    return true
  }

  readonly #closed = (): void => void this.#open--

  #refuse(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    socket.write(unavailable)
    if (this.#refused.size >= maxRefusedReaders) return void socket.destroy()
    this.#refused.add(socket)
    // Read and drop what the client sent: closing with unread bytes would reset the connection, and the 503 would be lost.
    socket.resume()
    socket.end()
    const timer = setTimeout(() => socket.destroy(), readRefusalMs)
    socket.once('close', () => {
      clearTimeout(timer)
      this.#refused.delete(socket)
    })
  }

  #logRefusal(): void {
    if (performance.now() - this.#loggedAtMs < logIntervalMs) return
    this.#loggedAtMs = performance.now()
    this.#log.warn({ connections: this.#open }, 'no more connections: new ones are answered 503')
  }
}
