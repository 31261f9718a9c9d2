import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { authorizationOf } from '../identity/identify.ts'
import { readBody } from '../wire/request_body.ts'
import { http } from '../node/http.ts'
import { version } from '../version.ts'
import type { Envelope, Identify } from './envelope.ts'
import { serveHttpCalls } from './http_calls.ts'

interface Parts {
  readonly envelope: Envelope
  /** The OpenRPC document, as it is sent. */
  readonly document: () => string
  /** Where the socket is. */
  readonly path: () => string
  /** Milliseconds that a request may take until its headers have come. */
  readonly headersTimeout: number
}

/** HTTP/1.1 on connections of rpc.sock: `POST /rpc`, and what can be read by GET. What is not a plain call is served by node:http. */
export class RpcHttp {
  readonly #parts: Parts
  readonly #server = http.createServer((request, response) => void this.#serve(request, response))
  readonly #callers = new WeakMap<Socket, Identify>()
  #closing = false

  constructor(parts: Parts) {
    this.#parts = parts
    // The reader of the body says when to go on.
    this.#server.on('checkContinue', (request, response) => void this.#serve(request, response))
    this.#server.headersTimeout = parts.headersTimeout
    this.#server.requestTimeout = 30_000
    // The 16 KiB of Node bound them; a count would drop the rest unseen, and a token among it.
    this.#server.maxHeadersCount = 0
    // It is handed its connections and never listens itself; without this word it would keep no list of them, and so
    // neither hold its two time limits nor know which connections are idle.
    this.#server.emit('listening')
  }

  /** Takes a connection; `identify` tells who calls over it. Returns what ends it behind the call under way, until node:http has it. */
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
      keepAlive: this.#server.keepAliveTimeout / 1000,
    })
  }

  /** Of connections that node:http has, ends the idle ones and the check of the time limits; the others end behind their answer. */
  close(): void {
    this.#closing = true
    this.#server.close()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, method, url = '' } = request
    const path = url.split('?', 1)[0]
    const reads = method === 'GET' || method === 'HEAD'
    // A page in a browser has no business here, wherever it found a way to the socket.
    if (headers.origin !== undefined || headers.referer !== undefined) {
      return this.#json(response, 403, '{"error":"browsers have no business on this socket"}')
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
      '{"error":"here are POST /rpc, GET /openrpc.json, /health and /.well-known/heroservice.json"}',
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
      description: 'The one door of the stack: keeps its people, decides who is asking, lets traffic in',
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
