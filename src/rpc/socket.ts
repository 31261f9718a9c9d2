import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { guest, operator, service, type Caller } from '../caller.ts'
import { authorizationOf, type Identification } from '../auth/identify.ts'
import { http } from '../http.ts'
import type { Log } from '../log.ts'
import type { Envelope, Identify } from './envelope.ts'
import { serveLines } from './lines.ts'
import { loadPeerOf, type Peer } from './peer.ts'
import { bindSocketFile, type SocketFile } from './socket_file.ts'
import { readBody } from '../body.ts'
import type { Services } from '../services/services.ts'
import { version } from '../version.ts'

const firstByteTimeout = 10_000
const maxConnections = 1024

interface Parts {
  readonly envelope: Envelope
  readonly identification: Identification
  /** The OpenRPC document, as it is sent. */
  readonly document: () => string
  readonly services: Services
  readonly socketTrust: () => Promise<'kernel' | 'file_mode'>
  readonly log: Log
}

/** rpc.sock: HTTP/1.1 and raw lines of JSON-RPC on one Unix socket, every caller told by the kernel. */
export class RpcSocket {
  readonly #parts: Parts
  readonly #server: Server
  readonly #http = http.createServer((request, response) => void this.#serve(request, response))
  readonly #peers = new WeakMap<Socket, Peer | undefined>()
  readonly #gone = new WeakMap<Socket, AbortSignal>()
  readonly #connections = new Set<Socket>()
  /** Those that have not said yet which of the two they speak. */
  readonly #silent = new Set<Socket>()
  readonly #answering = new Set<ServerResponse>()
  readonly #lines = new Set<() => void>()
  #peerOf: ReturnType<typeof loadPeerOf>
  #file: SocketFile | undefined
  #path = ''

  constructor(parts: Parts) {
    this.#parts = parts
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) =>
      this.#accept(socket),
    )
    this.#server.maxConnections = maxConnections
    // Whoever reads the body says when to go on.
    this.#http.on('checkContinue', (request, response) => void this.#serve(request, response))
    this.#http.headersTimeout = firstByteTimeout
    this.#http.requestTimeout = 30_000
    // The 16 KiB of Node bound them; a count would drop the rest unseen, and a token among it.
    this.#http.maxHeadersCount = 0
    // It is handed its connections and never listens itself; without this word it would keep no list of them, and so
    // neither hold its two time limits nor know which connections are idle.
    this.#http.emit('listening')
  }

  /** Listens at `path`, or on a socket that was passed and should be there; its file is somebody else's then. */
  async listen(path: string, passed?: number): Promise<void> {
    this.#path = path
    this.#peerOf = loadPeerOf()
    if (!this.#peerOf) {
      this.#parts.log.warn(
        'this platform does not tell who opened a socket: everybody who can open rpc.sock is operator',
      )
    }
    if (passed === undefined) this.#file = await bindSocketFile(this.#server, path)
    else await this.#listenOn(passed)
  }

  async #listenOn(fd: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ fd }, resolve)
    })
    // A TCP socket has an address; there everybody would be a stranger, or everybody an operator.
    if (this.#server.address() !== null) throw new Error('the socket passed for rpc is no Unix socket')
  }

  /** Takes no new connections; those that are open finish what is on its way, `grace` milliseconds at most. */
  async close(grace: number): Promise<void> {
    this.#file?.remove()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    // Ends idle connections and the check of the time limits; those that are still answering are told to end after it.
    this.#http.close()
    for (const response of this.#answering) response.shouldKeepAlive = false
    const timer = setTimeout(() => {
      for (const socket of this.#connections) socket.destroy()
    }, grace)
    for (const end of this.#lines) end()
    // After one more turn: what they have sent already is read, and is then a call under way.
    setImmediate(() => {
      for (const socket of this.#silent) socket.destroy()
    })
    await closed
    clearTimeout(timer)
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket)
    this.#silent.add(socket)
    const gone = new AbortController()
    this.#gone.set(socket, gone.signal)
    socket.on('close', () => {
      this.#connections.delete(socket)
      this.#silent.delete(socket)
      gone.abort()
    })
    // Sooner than it closes: a process that is gone has ended its side, and closing takes an answer.
    socket.on('end', () => gone.abort())
    socket.on('error', () => socket.destroy())
    // Asked once, now: the process may be gone when its first call is read.
    this.#peers.set(socket, this.#peerOf?.(socket))
    socket.setTimeout(firstByteTimeout, () => socket.destroy())
    const peek = () => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      const first = chunk.find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== 0x0a)
      if (first === undefined) {
        if (chunk.length > 1024) socket.destroy()
        return
      }
      this.#silent.delete(socket)
      socket.off('readable', peek)
      socket.setTimeout(0)
      socket.removeAllListeners('timeout')
      socket.unshift(chunk)
      socket.off('end', leave)
      if (first === 0x7b || first === 0x5b) this.#serveLines(socket)
      else this.#http.emit('connection', socket)
    }
    const leave = () => socket.end()
    socket.on('readable', peek)
    socket.on('end', leave)
  }

  #serveLines(socket: Socket): void {
    const end = serveLines(socket, this.#parts.envelope, this.#identify(socket))
    this.#lines.add(end)
    socket.on('close', () => this.#lines.delete(end))
  }

  /** For each call anew: who opened the socket stays, how far it is trusted is a setting that can change. */
  async #callerOf(socket: Socket): Promise<Caller> {
    const peer = this.#peers.get(socket)
    const gone = this.#gone.get(socket)
    const from = { via: 'socket', gone, ...(peer && { uid: peer.uid, pid: peer.pid }) } as const
    if (peer && (peer.uid === 0 || peer.uid === process.getuid?.())) return operator(from)
    const known = peer && (await this.#parts.services.find(peer.uid))
    const again = () => this.#callerOf(socket)
    if (known) return { ...service(known.service, known.claims, from), again }
    // Where the platform can tell peers, one that it does not tell is a stranger.
    const trusted = this.#peerOf === undefined || (await this.#parts.socketTrust()) === 'file_mode'
    return trusted ? { ...operator(from), again } : guest(from)
  }

  /** A bearer token replaces whoever opened the socket, so that a service can act with less than it could. */
  #identify(socket: Socket): Identify {
    return async (authorization) => {
      if (authorization === undefined) return this.#callerOf(socket)
      const peer = this.#peers.get(socket)
      return this.#parts.identification.bearer(authorization, {
        via: 'socket',
        uid: peer?.uid,
        pid: peer?.pid,
        gone: this.#gone.get(socket),
      })
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#answering.add(response)
    response.on('close', () => this.#answering.delete(response))
    const { headers, method, url = '' } = request
    const path = url.split('?', 1)[0]
    const reads = method === 'GET' || method === 'HEAD'
    // A page in a browser has no business here, wherever it found a way to the socket.
    if (headers.origin !== undefined || headers.referer !== undefined) {
      return json(response, 403, '{"error":"browsers have no business on this socket"}')
    }
    if (path === '/rpc') {
      if (method !== 'POST')
        return json(response, 405, '{"error":"POST a JSON-RPC 2.0 message"}', { allow: 'POST' })
      return this.#rpc(request, response)
    }
    if (path === '/openrpc.json' && reads) return json(response, 200, this.#parts.document())
    if (path === '/health' && reads) return json(response, 200, JSON.stringify({ status: 'ok', version }))
    if (path === '/.well-known/heroservice.json' && reads) return json(response, 200, this.#description())
    json(
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
    const identify = this.#identify(request.socket)
    const answer = await this.#parts.envelope.receive(body, (member) =>
      identify(authorizationOf(headers, member)),
    )
    if (answer === undefined) response.writeHead(204).end()
    else json(response, 200, answer)
  }

  #description(): string {
    return JSON.stringify({
      protocol: 'openrpc',
      name: 'hero_proxy',
      title: 'hero_proxy',
      version,
      description: 'The one door of the stack: keeps its people, decides who is asking, lets traffic in',
      socket: this.#path,
    })
  }
}

const json = (
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
) => {
  if (response.destroyed || response.headersSent) return
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  response.end(response.req.method === 'HEAD' ? undefined : text)
}
