import type { Socket } from 'node:net'
import { flushAtTurnEnd } from '../wire/write_batching.ts'

/** The first part of a body up to this size leaves together with the head. */
const smallBody = 16 * 1024

/** Writes requests to an upstream, one after another. */
export class RequestWriter {
  readonly #socket: Socket
  /** A head, and perhaps the body behind it, that waits for the end of the turn. */
  #waiting = ''

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Whether a head waits: nothing of this request is on its way yet. */
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

  /** False when the upstream takes no more for now; `drain` of the socket tells when it does again. */
  write(bytes: Buffer | string): boolean {
    const socket = this.#socket
    if (this.#waiting === '') return socket.write(bytes as string, 'latin1')
    // As text it leaves together with the head; every byte is one character of latin1.
    if (bytes.length <= smallBody) {
      this.#waiting += bytes.toString('latin1')
      return true
    }
    socket.cork()
    this.flush()
    const goesOn = socket.write(bytes as string, 'latin1')
    socket.uncork()
    return goesOn
  }

  /** A part of a body whose length nobody knows yet (RFC 9112 section 7.1). */
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
