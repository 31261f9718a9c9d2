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
import { http } from '../http.ts'

/*
 * HTTP/2 told in the words of HTTP/1.1 (RFC 9113 section 8.3, RFC 8441 section 5). Everything behind these two classes
 * reads and answers one kind of request: what is decided and what is forwarded cannot differ between the versions.
 */

const methods = new Set(http.METHODS)
const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const value = /^[\t\u0020-\u007e\u0080-\u00ff]*$/
/** Of a connection only: malformed in HTTP/2 (RFC 9113 section 8.2.2). */
const ofConnection = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

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
  const authority = headers[':authority']
  const tunnel = method === 'CONNECT' && headers[':protocol'] === 'websocket'
  const rawHeaders = authority === undefined ? [] : ['Host', authority]
  let fits = (methods.has(method) && method !== 'CONNECT') || tunnel
  for (let i = 0; i < received.length; i += 2) {
    const [name, text] = [received[i]!, received[i + 1]!]
    if (name.startsWith(':')) continue
    // The head of the forwarded request is written from this: a line break in it would be a line of its own.
    fits &&= token.test(name) && value.test(text) && !ofConnection.has(name)
    // A Host that says the same as :authority is one Host; another one is a second.
    if (name === 'host' && text === authority) continue
    if (tunnel && name === 'sec-websocket-key') continue
    rawHeaders.push(name, text)
  }
  if (tunnel) {
    const key = randomBytes(16).toString('base64')
    rawHeaders.push('Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Key', key)
  } else if (!stream.endAfterHeaders && headers['content-length'] === undefined) {
    rawHeaders.push('Transfer-Encoding', 'chunked')
  }
  const url = headers[':path'] ?? unfit
  if (!fits) return { method: methods.has(method) ? method : 'GET', url: unfit, rawHeaders: [] }
  return { method: tunnel ? 'GET' : method, url, rawHeaders }
}

/** As node:http would fold them; what may come only once is joined too, and then is no value that anybody takes. */
const fold = (rawHeaders: readonly string[]): IncomingHttpHeaders => {
  const folded: Record<string, string> = Object.create(null) as Record<string, string>
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    const before = folded[name]
    const between = name === 'cookie' ? '; ' : ', '
    folded[name] = before === undefined ? rawHeaders[i + 1]! : `${before}${between}${rawHeaders[i + 1]!}`
  }
  return folded
}

/** Trailers go upstream as text too: what could not stand there is left out. */
const keepFit = (rawTrailers: string[]): void => {
  const fit = rawTrailers.filter((_, i) => {
    const at = i - (i % 2)
    return token.test(rawTrailers[at]!) && value.test(rawTrailers[at + 1]!)
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

const isOfConnection = (name: unknown) => ofConnection.has(String(name).toLowerCase())

const withoutConnection = (fields: Fields): Fields => {
  if (!Array.isArray(fields))
    return Object.fromEntries(Object.entries(fields).filter(([name]) => !isOfConnection(name)))
  return fields.filter((_, i) => !isOfConnection(fields[i - (i % 2)]))
}
