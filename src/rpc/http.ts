import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { authorizationOf } from '../identity/callers.ts'
import { readBody } from '../wire/request_body.ts'
import { http } from '../node/http.ts'
import { version } from '../version.ts'
import type { Envelope, Identify } from './envelope.ts'
import { serveHttpCalls } from './http_calls.ts'

interface Parts {
  readonly envelope: Envelope
  /** Returns the printed OpenRPC document. */
  readonly document: () => string
  /** Returns the path of the socket. */
  readonly path: () => string
  /** The time in which the headers of a request must arrive. */
  readonly headersTimeoutMs: number
}

/** HTTP/1.1 on rpc.sock: `POST /rpc`, and a few documents by GET. node:http serves everything except plain calls. */
export class RpcHttp {
  readonly #parts: Parts
  readonly #server = http.createServer((request, response) => void this.#serve(request, response))
  readonly #callers = new WeakMap<Socket, Identify>()
  #closing = false

  constructor(parts: Parts) {
    this.#parts = parts
    // `readBody` sends the 100 Continue.
    this.#server.on('checkContinue', (request, response) => void this.#serve(request, response))
    this.#server.headersTimeout = parts.headersTimeoutMs
    this.#server.requestTimeout = 30_000
    // Node's limit of 16 KiB is enough. A limit on the count would silently drop headers, perhaps one with a token.
    this.#server.maxHeadersCount = 0
    // This server never listens itself. Without this event it would keep no list of its connections, so it would neither enforce
    // its time limits nor know which connections are idle.
    this.#server.emit('listening')
  }

  /** Takes over a connection whose caller `identify` returns. The returned function ends it after the current call, unless node:http has it. */
  take(socket: Socket, identify: Identify): () => void {
    this.#callers.set(socket, identify)
    return serveHttpCalls({
      socket,
      receive: (body, authorization) =>
        this.#parts.envelope.receive(body, (member) =>
          identify(authorizationOf(authorization === undefined ? [] : [authorization], member)),
        ),
      handOver: (bytes) => {
        if (bytes.length > 0) socket.unshift(bytes)
        this.#server.emit('connection', socket)
      },
      keepAliveSeconds: this.#server.keepAliveTimeout / 1000,
    })
  }

  /** Ends the idle connections that node:http has, and its timer. Its other connections end after their response. */
  close(): void {
    this.#closing = true
    this.#server.close()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, method, url = '' } = request
    const path = url.split('?', 1)[0]
    const reads = method === 'GET' || method === 'HEAD'
    // A web page must never use this socket, however it may reach it.
    if (headers.origin !== undefined || headers.referer !== undefined) {
      return this.#json(response, 403, '{"error":"this socket does not serve browsers"}')
    }
    if (path === '/rpc') {
      if (method !== 'POST')
        return this.#json(response, 405, '{"error":"POST a JSON-RPC 2.0 message"}', { allow: 'POST' })
      return this.#rpc(request, response)
    }
    if (path === '/openrpc.json' && reads) return this.#json(response, 200, this.#parts.document())
    if (path === '/health' && reads)
      return this.#json(response, 200, JSON.stringify({ status: 'ok', version }))
    if (path === '/.well-known/heroservice.json' && reads)
      return this.#json(response, 200, this.#description())
    this.#json(
      response,
      404,
      '{"error":"not found; use POST /rpc, GET /openrpc.json, /health or /.well-known/heroservice.json"}',
    )
  }

  async #rpc(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, response)
    if (body === undefined) return
    const headers = request.rawHeaders.filter(
      (_, i, raw) => i % 2 === 1 && raw[i - 1]!.toLowerCase() === 'authorization',
    )
    const identify = this.#callers.get(request.socket)!
    const answer = await this.#parts.envelope.receive(body, (member) =>
      identify(authorizationOf(headers, member)),
    )
    if (answer !== undefined) return this.#json(response, 200, answer)
    if (this.#closing) response.shouldKeepAlive = false
    response.writeHead(204).end()
  }

  #description(): string {
    return JSON.stringify({
      protocol: 'openrpc',
      name: 'hero_proxy',
      title: 'hero_proxy',
      version,
      description: 'The front door of the stack: manages its users, identifies callers, and lets traffic in',
      socket: this.#parts.path(),
    })
  }

  #json(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
    if (response.destroyed || response.headersSent) return
    if (this.#closing) response.shouldKeepAlive = false
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...headers,
    })
    response.end(response.req.method === 'HEAD' ? undefined : text)
  }
}
