import type { Socket } from 'node:net'
import { OpenList, type Listed } from '../../wire/open_list.ts'

/** Milliseconds in which what a client still sends is read and dropped, once it can have the whole response. */
const maxReadingMs = 5000
export const maxDroppedBytes = 1024 * 1024

/**
 * Connections after their last response (RFC 9112 section 9.6). Our side ends, and what the client still sends is read and dropped: a
 * close with unread bytes would reset the connection, and the client could lose the response. Nothing that arrives now is a request.
 */
export class ClosingConnections {
  readonly #open = new OpenList<Closing>()
  readonly #known = new WeakSet<Socket>()
  #over = false

  has(socket: Socket): boolean {
    return this.#known.has(socket)
  }

  /** Takes over a connection to which everything has been written, and closes it. */
  close(socket: Socket): void {
    if (socket.destroyed || this.#known.has(socket)) return
    this.#known.add(socket)
    const closing = new Closing(socket)
    this.#open.add(closing)
    socket.once('close', () => {
      closing.stop()
      this.#open.delete(closing)
    })
    if (this.#over) closing.end()
    else closing.begin()
  }

  /** From now on nobody waits for what a client might still send. */
  endAll(): void {
    this.#over = true
    for (const closing of this.#open) closing.end()
  }
}

class Closing implements Listed {
  place = -1
  readonly #socket: Socket
  #droppedBytes = 0
  #timer: NodeJS.Timeout | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  begin(): void {
    const socket = this.#socket
    socket.removeAllListeners('data')
    socket.on('data', (bytes: Buffer) => {
      this.#droppedBytes += bytes.length
      if (this.#droppedBytes > maxDroppedBytes) this.end()
    })
    socket.on('error', () => socket.destroy())
    socket.once('end', () => this.end())
    if (socket.readableEnded) this.end()
    else socket.resume()
    const read = () => (this.#timer = setTimeout(() => this.end(), maxReadingMs))
    if (socket.writableFinished) read()
    else socket.end(read)
  }

  /** Reads no more, and closes once everything has been written. */
  end(): void {
    const socket = this.#socket
    socket.pause()
    if (socket.writableFinished) socket.destroy()
    else socket.end(() => socket.destroy())
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
