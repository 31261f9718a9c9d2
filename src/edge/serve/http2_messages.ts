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
import { http1Headers, isConnectionField, isPlainValue, isInvalidName } from './http2_fields.ts'

/*
 * HTTP/2 translated to HTTP/1.1 (RFC 9113 section 8.3, RFC 8441 section 5). The rest of the edge sees one kind of request, so
 * decisions and forwarding cannot differ between the versions.
 */

const methods = new Set(http.METHODS)

/** The target of a request that HTTP/1.1 cannot express. No host serves it. */
const inexpressible = '*'

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
  if (!known || !areValid(received))
    return { method: methods.has(method) ? method : 'GET', url: inexpressible, rawHeaders: [] }
  const rawHeaders = http1Headers(headers[':authority'], tunnel ? withoutKey(received) : received)
  if (tunnel) addUpgrade(rawHeaders)
  else if (!stream.endAfterHeaders && headers['content-length'] === undefined)
    rawHeaders.push('Transfer-Encoding', 'chunked')
  return { method: tunnel ? 'GET' : method, url: headers[':path'] ?? inexpressible, rawHeaders }
}

/** Whether an HTTP/1.1 head may hold all of these headers. */
const areValid = (received: readonly string[]): boolean => {
  for (let i = 0; i < received.length; i += 2) {
    if (received[i]!.startsWith(':')) continue
    if (isInvalidName(received[i]!) || !isPlainValue(received[i + 1]!)) return false
  }
  return true
}

const withoutKey = (received: readonly string[]): string[] =>
  received.filter((_, i) => received[i - (i % 2)] !== 'sec-websocket-key')

/** A CONNECT that opens a WebSocket becomes an HTTP/1.1 upgrade with a key that we make. */
const addUpgrade = (rawHeaders: string[]): void => {
  const key = randomBytes(16).toString('base64')
  rawHeaders.push('Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Key', key)
}

/** Folds headers as node:http does. A header that may appear only once is joined too, which makes its value invalid. */
const fold = (rawHeaders: readonly string[]): IncomingHttpHeaders => {
  const folded: Record<string, string> = Object.create(null) as Record<string, string>
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    const earlier = folded[name]
    folded[name] = earlier === undefined ? rawHeaders[i + 1]! : `${earlier}, ${rawHeaders[i + 1]!}`
  }
  return folded
}

/** Trailers go upstream as text, so invalid ones are left out. */
const keepValid = (rawTrailers: string[]): void => {
  const valid = rawTrailers.filter((_, i) => {
    const at = i - (i % 2)
    return !isInvalidName(rawTrailers[at]!) && isPlainValue(rawTrailers[at + 1]!)
  })
  rawTrailers.splice(0, rawTrailers.length, ...valid)
}

export class Http2Request extends Http2ServerRequest {
  // Fields that hide the accessors of the parent class.
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
    const translated = translate(stream, headers, rawHeaders)
    this.method = translated.method
    this.url = translated.url
    this.rawHeaders = translated.rawHeaders
    this.headers = fold(translated.rawHeaders) as Http2Headers
    stream.on('trailers', () => keepValid(this.rawTrailers))
  }

  /** A stream that is reset without an error ends as if its body were complete. This end is not passed on. */
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    return chunk === null && this.stream.aborted ? false : super.push(chunk, encoding)
  }

  override _read(size: number): void {
    if (!this.stream.aborted) super._read(size)
  }
}

type Fields = Readonly<Record<string, unknown>> | readonly unknown[]

export class Http2Response extends Http2ServerResponse {
  /** Has no effect: only HTTP/1.1 connections end with a response. */
  shouldKeepAlive = true

  constructor(stream: ServerHttp2Stream) {
    super(stream)
    Object.defineProperty(this, 'destroyed', { get: () => stream.destroyed || stream.closed })
    // The response is complete before the whole body was read: the client may stop sending (RFC 9113 section 8.1).
    stream.once('finish', () => {
      // The stream of a HEAD finishes before its response is sent.
      if (stream.endAfterHeaders || stream.readableEnded || !stream.headersSent) return
      setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR))
    })
  }

  /** HTTP/2 has no reason phrases and no connection headers. */
  override writeHead(status: number, ...rest: readonly unknown[]): this {
    const fields = rest.find((argument) => typeof argument === 'object') as Fields | undefined
    // HTTP/2 cannot carry an invalid status, which is an error of the upstream (RFC 9110 section 15).
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

  /** The client must see a broken transfer, never a complete one. */
  override destroy(): this {
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    return this
  }
}

const withoutConnection = (fields: Fields): Fields => {
  if (!Array.isArray(fields))
    return Object.fromEntries(Object.entries(fields).filter(([name]) => !isConnectionField(name)))
  return fields.filter((_, i) => !isConnectionField(fields[i - (i % 2)]))
}
