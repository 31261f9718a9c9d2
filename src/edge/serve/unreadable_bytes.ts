import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { selfContainedPage } from '../../html/self_contained.ts'
import * as english from '../../strings/en/refusals.ts'
import { wordsOf, type Refusal } from '../../wire/refusal.ts'
import { maxDroppedBytes, type ClosingConnections } from './closing.ts'

/** The status of a request that the parser refused, by the code of its error. */
const statuses: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

const headBeyondReading: Refusal = { status: 431, reason: 'head_beyond_reading', code: 'head_too_large' }

/** The same for everybody: nothing of the request has been read, not even its language. */
const tooLargePage = (): string => {
  const { title, text } = wordsOf(english, headBeyondReading)
  return selfContainedPage({ lang: 'en', dir: 'ltr' }, title, text, false)
}

/** The error of the parser of node:http. */
type ParserError = Error & { readonly code?: string; readonly rawPacket?: Buffer }

/** What happens to bytes that the parser of node:http refuses. */
export class UnreadableBytes {
  readonly #answersOn: (socket: Socket) => readonly ServerResponse[]
  readonly #closing: ClosingConnections
  /** How many bytes arrived behind the last request of a connection. */
  readonly #droppedBytes = new WeakMap<Socket, number>()
  /** Connections whose refusal has been decided: every further byte reports the same error again. */
  readonly #refused = new WeakSet<Socket>()

  /** `answersOn` returns the responses that are pending on a connection. */
  constructor(answersOn: (socket: Socket) => readonly ServerResponse[], closing: ClosingConnections) {
    this.#answersOn = answersOn
    this.#closing = closing
  }

  refuse(error: ParserError, socket: Socket): void {
    if (this.#closing.has(socket)) return
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
    const answers = this.#answersOn(socket)
    const last = answers.at(-1)
    const isBehindClose = last?.req.complete && error.code === 'HPE_CLOSED_CONNECTION'
    if (isBehindClose || this.#refused.has(socket)) return this.#drop(socket, error.rawPacket?.length ?? 0)
    this.#refused.add(socket)
    const status = statuses[error.code ?? ''] ?? '400 Bad Request'
    if (!last) this.#send(status, socket)
    // The request is complete: a refusal written now would be read as its response, or as a part of it.
    else if (last.req.complete) last.once('close', () => this.#send(status, socket))
    else if (answers.length > 1 || last.headersSent) socket.destroy()
    else last.writeHead(Number(status.slice(0, 3)), { connection: 'close', 'content-length': 0 }).end()
  }

  /** What follows a request with `Connection: close`, or unreadable bytes, is for nobody (RFC 9112 section 9.6). */
  #drop(socket: Socket, bytes: number): void {
    const dropped = (this.#droppedBytes.get(socket) ?? 0) + bytes
    this.#droppedBytes.set(socket, dropped)
    if (dropped > maxDroppedBytes) socket.pause()
  }

  #send(status: string, socket: Socket): void {
    if (!socket.writable || this.#closing.has(socket)) return
    const [body, type] = status.startsWith('431') ? [tooLargePage(), 'Content-Type: text/html\r\n'] : ['', '']
    const length = Buffer.byteLength(body)
    socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n${type}Content-Length: ${length}\r\n\r\n${body}`)
    this.#closing.close(socket)
  }
}
