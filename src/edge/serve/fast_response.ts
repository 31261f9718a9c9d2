import type { Socket } from 'node:net'
import type { Caching } from '../../wire/response_treatment.ts'
import { flushAtTurnEnd } from '../../wire/write_batching.ts'
import { responseHead } from '../../wire/response_head.ts'
import type { ClientResponse } from '../../wire/client_response.ts'
import { wholeResponse } from '../../wire/whole_response.ts'

interface Connection {
  /** The response is complete; it may still wait to be flushed. */
  responded(): void
  destroy(): void
}

/** Writes the responses of one connection, one after another. */
export class FastResponse implements ClientResponse {
  readonly #socket: Socket
  readonly #connection: Connection
  headersSent = false
  shouldKeepAlive = true
  statusCode = 0
  destroyed = false
  #isHead = false
  /** Built but not written yet: the head goes out with the next write. */
  #head: string | undefined
  /** Complete responses that wait for the end of the turn. */
  #waiting = ''
  #chunked = false
  #trailers = ''
  #onClose: (() => void) | undefined

  constructor(socket: Socket, connection: Connection) {
    this.#socket = socket
    this.#connection = connection
  }

  begin(method: string, keepAlive: boolean): void {
    this.#isHead = method === 'HEAD'
    this.statusCode = 0
    this.headersSent = false
    this.shouldKeepAlive = keepAlive
  }

  /** The response is complete, or the client is gone. */
  close(): void {
    const onClose = this.#onClose
    this.#onClose = undefined
    onClose?.()
  }

  destroy(): void {
    this.#connection.destroy()
  }

  once(event: 'close' | 'drain', listener: () => void): void {
    if (event === 'drain') return void this.#socket.once('drain', listener)
    const earlier = this.#onClose
    this.#onClose = earlier
      ? () => {
          earlier()
          listener()
        }
      : listener
  }

  get flushed(): boolean {
    return this.#waiting === '' && this.#socket.writableLength === 0
  }

  get #bodiless(): boolean {
    return this.#isHead || this.statusCode === 204 || this.statusCode === 304
  }

  writeHead(status: number, message: string, headers: string[]): void {
    this.statusCode = status
    const head = responseHead(status, message, headers, this.#bodiless, !this.shouldKeepAlive)
    this.#chunked = head.chunked
    this.shouldKeepAlive = !head.last
    this.headersSent = true
    this.#trailers = ''
    this.#head = head.text
  }

  flushHeaders(): void {
    if (this.#head === undefined) return
    const head = this.#head
    this.#head = undefined
    this.flush()
    this.#socket.write(head, 'latin1')
  }

  /** Not needed here: node:http serves requests with an Expect header. */
  writeContinue(): void {}

  writeEarlyHints({ link }: { link: string[] }): void {
    const lines = link.map((target) => `Link: ${target}\r\n`).join('')
    this.flush()
    this.#socket.write(`HTTP/1.1 103 Early Hints\r\n${lines}\r\n`, 'latin1')
  }

  write(chunk: Buffer): boolean {
    if (chunk.length === 0 || this.#bodiless) return true
    const socket = this.#socket
    this.flush()
    socket.cork()
    this.flushHeaders()
    if (this.#chunked) socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
    let writable = socket.write(chunk)
    if (this.#chunked) writable = socket.write('\r\n', 'latin1')
    socket.uncork()
    return writable
  }

  addTrailers(trailers: [string, string][]): void {
    for (const [name, value] of trailers) this.#trailers += `${name}: ${value}\r\n`
  }

  end(text?: Buffer | string, encoding: BufferEncoding = 'utf8'): void {
    if (text !== undefined && text.length > 0 && !this.#bodiless) {
      // Head and body go out in one write.
      if (typeof text === 'string' && encoding === 'latin1' && this.#head !== undefined) {
        this.#head += this.#chunked ? `${text.length.toString(16)}\r\n${text}\r\n` : text
      } else this.write(typeof text === 'string' ? Buffer.from(text, encoding) : text)
    }
    if (this.#chunked) this.#head = `${this.#head ?? ''}0\r\n${this.#trailers}\r\n`
    if (this.#head !== undefined) this.#wait(this.#head)
    this.#head = undefined
    this.#connection.responded()
  }

  readWhole(length: number, isHead: boolean, caching: Caching): string | undefined {
    return wholeResponse(length, isHead, !this.shouldKeepAlive, caching)
  }

  sendWhole(status: number, text: string): void {
    this.statusCode = status
    this.headersSent = true
    this.#wait(text)
    this.#connection.responded()
  }

  #wait(text: string): void {
    if (this.#waiting === '') flushAtTurnEnd(this)
    this.#waiting += text
  }

  /** Writes what waits for the end of the turn. */
  flush(): void {
    const text = this.#waiting
    if (text === '') return
    this.#waiting = ''
    this.#socket.write(text, 'latin1')
  }
}
