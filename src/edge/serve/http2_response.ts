import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Caching } from '../../wire/response_treatment.ts'
import type { ClientResponse } from '../../wire/client_response.ts'
import { wholeFields, type WholeFields } from '../../wire/whole_response.ts'

/** NUL separates names and values on their way to nghttp2. A line break could start a header of its own at the next hop. */
const breaks = /[\0\r\n]/

/** Writes the response of one stream. */
export class Http2StreamResponse implements ClientResponse {
  readonly #stream: ServerHttp2Stream
  readonly #isHead: boolean
  headersSent = false
  /** Has no effect: an HTTP/2 connection continues after any response. */
  shouldKeepAlive = true
  statusCode = 0
  /** Built but not sent yet: the next write shows whether trailers can follow. */
  #head: string[] | undefined
  #trailers: Record<string, string> | undefined
  #closed = false
  #onClose: (() => void) | undefined

  constructor(stream: ServerHttp2Stream, isHead: boolean) {
    this.#stream = stream
    this.#isHead = isHead
  }

  get destroyed(): boolean {
    return this.#closed || this.#stream.destroyed || this.#stream.closed
  }

  /** The stream has closed. */
  close(): void {
    this.#closed = true
    const onClose = this.#onClose
    this.#onClose = undefined
    onClose?.()
  }

  /** The client must see a broken transfer, never a complete one. */
  destroy(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }

  once(event: 'close' | 'drain', listener: () => void): void {
    if (event === 'drain') return void this.#stream.once('drain', listener)
    if (this.#closed) return void setImmediate(listener)
    const earlier = this.#onClose
    this.#onClose = earlier
      ? () => {
          earlier()
          listener()
        }
      : listener
  }

  get #bodiless(): boolean {
    const { statusCode } = this
    return this.#isHead || statusCode === 204 || statusCode === 205 || statusCode === 304
  }

  writeHead(status: number, _message: string, headers: readonly string[]): void {
    // HTTP/2 cannot carry an invalid status, which is an error of the upstream (RFC 9110 section 15).
    this.statusCode = status >= 200 && status <= 599 ? status : 502
    this.headersSent = true
    const head = [':status', String(this.statusCode)]
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i]!.toLowerCase()
      const value = headers[i + 1]!
      if (breaks.test(value)) throw new TypeError(`${name} holds a line break`)
      if (name === 'connection') continue
      head.push(name, value)
    }
    this.#head = head
  }

  /** Waiting for trailers keeps the stream from ending by itself: a transfer that breaks must be reset, not completed. */
  flushHeaders(): void {
    this.#respond(!this.#bodiless)
  }

  #respond(waitForTrailers: boolean): void {
    const head = this.#head
    if (head === undefined) return
    this.#head = undefined
    if (waitForTrailers) this.#stream.once('wantTrailers', () => this.#sendTrailers())
    this.#send(head, { waitForTrailers })
  }

  /** Returns false if HTTP/2 cannot carry the fields, which breaks the stream, or if the stream has just ended. */
  #send(fields: string[], options: { waitForTrailers?: boolean; endStream?: boolean } | undefined): boolean {
    try {
      this.#stream.respond(fields, options)
      return true
    } catch {
      this.destroy()
      return false
    }
  }

  /** Not needed here: the messages of node:http2 serve requests with an Expect header. */
  writeContinue(): void {}

  writeEarlyHints({ link }: { link: string[] }): void {
    if (!this.destroyed) this.#stream.additionalHeaders({ ':status': 103, link: link.join(', ') })
  }

  write(chunk: Buffer): boolean {
    if (chunk.length === 0 || this.#bodiless) return true
    this.flushHeaders()
    return this.destroyed || this.#stream.write(chunk)
  }

  addTrailers(trailers: [string, string][]): void {
    const joined = (this.#trailers ??= {})
    for (const [name, text] of trailers) {
      const lower = name.toLowerCase()
      joined[lower] = lower in joined ? `${joined[lower]}, ${text}` : text
    }
  }

  #sendTrailers(): void {
    try {
      this.#stream.sendTrailers(this.#trailers ?? {})
    } catch {
      this.destroy()
    }
  }

  end(text: Buffer | string = '', encoding: BufferEncoding = 'utf8'): void {
    this.#respond(this.#trailers !== undefined && !this.#bodiless)
    if (this.destroyed) return
    if (text.length === 0 || this.#bodiless) this.#stream.end()
    else this.#stream.end(text, encoding)
  }

  readWhole(length: number, isHead: boolean, caching: Caching): WholeFields | undefined {
    return wholeFields(length, isHead, caching)
  }

  sendWhole(status: number, { fields, body }: WholeFields): void {
    this.statusCode = status
    this.headersSent = true
    if (body === '') this.#send(fields, { endStream: true })
    else if (this.#send(fields, undefined)) this.#stream.end(body, 'latin1')
  }
}
