import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import {
  constants,
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders as Http2Headers,
  type ServerHttp2Stream,
} from 'node:http2'
import type { ReadableOptions } from 'node:stream'
import { http } from '../../node/http.ts'
import { http1Headers, isOfConnection, isPlainValue, unfitField } from './http2_fields.ts'

/*
 * HTTP/2 told in the words of HTTP/1.1 (RFC 9113 section 8.3, RFC 8441 section 5). Everything behind these two classes
 * reads and answers one kind of request: what is decided and what is forwarded cannot differ between the versions.
 */

const methods = new Set(http.METHODS)

/** A request that no HTTP/1.1 request can stand for gets this as its target, which no host serves. */
const unfit = '*'

interface Translated {
  readonly method: string
  readonly url: string
  readonly rawHeaders: string[]
}

const translate = (
  stream: ServerHttp2Stream,
  headers: Http2Headers,
  received: readonly string[],
): Translated => {
  const method = headers[':method'] ?? ''
  const tunnel = method === 'CONNECT' && headers[':protocol'] === 'websocket'
  const known = (methods.has(method) && method !== 'CONNECT') || tunnel
  if (!known || !areFit(received))
    return { method: methods.has(method) ? method : 'GET', url: unfit, rawHeaders: [] }
  const rawHeaders = http1Headers(headers[':authority'], tunnel ? withoutKey(received) : received)
  if (tunnel) addUpgrade(rawHeaders)
  else if (!stream.endAfterHeaders && headers['content-length'] === undefined)
    rawHeaders.push('Transfer-Encoding', 'chunked')
  return { method: tunnel ? 'GET' : method, url: headers[':path'] ?? unfit, rawHeaders }
}

/** Whether a head of HTTP/1.1 may hold all of these headers. */
const areFit = (received: readonly string[]): boolean => {
  for (let i = 0; i < received.length; i += 2) {
    if (received[i]!.startsWith(':')) continue
    if (unfitField(received[i]!) || !isPlainValue(received[i + 1]!)) return false
  }
  return true
}

const withoutKey = (received: readonly string[]): string[] =>
  received.filter((_, i) => received[i - (i % 2)] !== 'sec-websocket-key')

/** A CONNECT that opens a WebSocket is an upgrade of HTTP/1.1, with a key of our own. */
const addUpgrade = (rawHeaders: string[]): void => {
  const key = randomBytes(16).toString('base64')
  rawHeaders.push('Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Key', key)
}

/** As node:http would fold them; what may come only once is joined too, and then is no value that anybody takes. */
const fold = (rawHeaders: readonly string[]): IncomingHttpHeaders => {
  const folded: Record<string, string> = Object.create(null) as Record<string, string>
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    const before = folded[name]
    folded[name] = before === undefined ? rawHeaders[i + 1]! : `${before}, ${rawHeaders[i + 1]!}`
  }
  return folded
}

/** Trailers go upstream as text too: what could not stand there is left out. */
const keepFit = (rawTrailers: string[]): void => {
  const fit = rawTrailers.filter((_, i) => {
    const at = i - (i % 2)
    return !unfitField(rawTrailers[at]!) && isPlainValue(rawTrailers[at + 1]!)
  })
  rawTrailers.splice(0, rawTrailers.length, ...fit)
}

export class Http2Request extends Http2ServerRequest {
  // Fields, which hide the accessors of the class above.
  override readonly method: string
  override url: string
  override readonly rawHeaders: string[]
  override readonly headers: Http2Headers
  override readonly httpVersion: string = '1.1'

  constructor(
    stream: ServerHttp2Stream,
    headers: Http2Headers,
    options: ReadableOptions,
    rawHeaders: readonly string[],
  ) {
    super(stream, headers, options, rawHeaders)
    const told = translate(stream, headers, rawHeaders)
    this.method = told.method
    this.url = told.url
    this.rawHeaders = told.rawHeaders
    this.headers = fold(told.rawHeaders) as Http2Headers
    stream.on('trailers', () => keepFit(this.rawTrailers))
  }

  /** A stream that is reset without an error ends like one whose body is whole: that end is not passed on. */
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    return chunk === null && this.stream.aborted ? false : super.push(chunk, encoding)
  }

  override _read(size: number): void {
    if (!this.stream.aborted) super._read(size)
  }
}

type Fields = Readonly<Record<string, unknown>> | readonly unknown[]

export class Http2Response extends Http2ServerResponse {
  /** Only HTTP/1.1 connections end with an answer. */
  shouldKeepAlive = true

  constructor(stream: ServerHttp2Stream) {
    super(stream)
    Object.defineProperty(this, 'destroyed', { get: () => stream.destroyed || stream.closed })
    // Answered before the body was all read: the client may stop sending it (RFC 9113 section 8.1).
    stream.once('finish', () => {
      // The stream of a HEAD is finished before it is answered.
      if (stream.endAfterHeaders || stream.readableEnded || !stream.headersSent) return
      setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR))
    })
  }

  /** There are no reason phrases and no headers of a connection in HTTP/2; everything else is as in HTTP/1.1. */
  override writeHead(status: number, ...rest: readonly unknown[]): this {
    const fields = rest.find((one) => typeof one === 'object') as Fields | undefined
    // RFC 9110 section 15: what is no status is an error of the upstream. HTTP/2 cannot carry it.
    const valid = status >= 200 && status <= 599 ? status : 502
    try {
      super.writeHead(valid, fields === undefined ? undefined : (withoutConnection(fields) as never))
    } catch {
      this.destroy()
    }
    return this
  }

  override addTrailers(trailers: Fields): void {
    const pairs = (Array.isArray(trailers) ? trailers : Object.entries(trailers)) as [string, string][]
    const joined: Record<string, string> = {}
    for (const [name, text] of pairs) {
      const lower = name.toLowerCase()
      joined[lower] = lower in joined ? `${joined[lower]}, ${text}` : text
    }
    super.addTrailers(joined)
  }

  /** The other side must see a broken transfer, never a whole one. */
  override destroy(): this {
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    return this
  }
}

const withoutConnection = (fields: Fields): Fields => {
  if (!Array.isArray(fields))
    return Object.fromEntries(Object.entries(fields).filter(([name]) => !isOfConnection(name)))
  return fields.filter((_, i) => !isOfConnection(fields[i - (i % 2)]))
}
