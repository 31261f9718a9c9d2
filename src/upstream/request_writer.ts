import type { Socket } from 'node:net'
import { flushAtTurnEnd } from '../wire/write_batching.ts'

/** A first part of a body up to this size is written together with the head. */
const smallBodyBytes = 16 * 1024

/** Writes the requests of one connection, one after another. */
export class RequestWriter {
  readonly #socket: Socket
  /** A head, perhaps with its body, that waits for the end of the turn. */
  #waiting = ''

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Whether a head still waits, so that nothing of this request has been sent. */
  get waits(): boolean {
    return this.#waiting !== ''
  }

  /** Whether the kernel has everything that was written. */
  get flushed(): boolean {
    return this.#waiting === '' && this.#socket.writableLength === 0
  }

  writeHead(head: string): void {
    flushAtTurnEnd(this)
    this.#waiting = head
  }

  flush(): void {
    const text = this.#waiting
    if (text === '') return
    this.#waiting = ''
    if (!this.#socket.destroyed) this.#socket.write(text, 'latin1')
  }

  /** Returns false while the upstream is slower than we write, until the socket emits `drain`. */
  write(bytes: Buffer | string): boolean {
    const socket = this.#socket
    if (this.#waiting === '') return socket.write(bytes as string, 'latin1')
    // A latin1 string, one character for each byte, can be joined to the head and written with it.
    if (bytes.length <= smallBodyBytes) {
      this.#waiting += bytes.toString('latin1')
      return true
    }
    socket.cork()
    this.flush()
    const writable = socket.write(bytes as string, 'latin1')
    socket.uncork()
    return writable
  }

  /** Writes a part of a body of unknown length (RFC 9112 section 7.1). */
  writeChunk(bytes: Buffer): void {
    const socket = this.#socket
    this.flush()
    socket.cork()
    socket.write(`${bytes.length.toString(16)}\r\n`, 'latin1')
    socket.write(bytes)
    socket.write('\r\n', 'latin1')
    socket.uncork()
  }
}
