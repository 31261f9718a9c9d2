import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { http } from '../../node/http.ts'
import type { Log } from '../../log/log.ts'
import { canMoveConnections } from '../../wire/inbox_socket.ts'
import { OpenList, type Listed } from '../../wire/open_list.ts'
import type { Admission } from './connection_limit.ts'
import { endBehind, endSoon, farewell, makeLast } from './draining.ts'
import { FastLane } from './fast_lane.ts'
import { noteFault } from './internal_error.ts'
import { plainFront, type Front, type OpenFront } from './listener.ts'
import type { Handler } from './handler.ts'
import { refuseUpgrade, tellUpgrade } from './upgrade_response.ts'
import { asksAbout } from '../../wire/forward_auth_path.ts'

/** Requests of one connection that may wait for the answers before theirs. */
const maxPipelined = 200
const maxHeaderBytes = 16 * 1024

/** What the parser refused, in HTTP's own words. */
const refusals: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

interface EdgeOptions {
  /** Whether requests in the usual form skip node:http. */
  readonly fastLane: boolean
  /** What listens in place of plain TCP. */
  readonly openFront: OpenFront | undefined
}

interface OpenResponse extends Listed {
  readonly response: ServerResponse
}

/** The HTTP front door: Node's own parser and limits in, the door decides. */
export class EdgeServer {
  readonly #handler: Handler
  readonly #log: Log
  /** Serves what the fast lane hands over to it. */
  readonly #server: Server
  readonly #fast: FastLane
  readonly #front: Front
  readonly #upgraded = new Set<Duplex>()
  /** The responses under way that node:http writes. */
  readonly #open = new OpenList<OpenResponse>()
  #closing = false
  /** The answers under way on a connection: nothing may be written between them. */
  readonly #answering = new WeakMap<Duplex, ServerResponse[]>()
  /** Connections whose last answer is on its way: what comes behind it is no request (RFC 9112 section 9.6). */
  readonly #last = new WeakSet<Duplex>()

  // oxlint-disable-next-line max-lines-per-function -- it wires one server, event by event
  constructor(handler: Handler, admission: Admission, log: Log, { fastLane, openFront }: EdgeOptions) {
    this.#handler = handler
    this.#log = log
    this.#server = http.createServer({
      maxHeaderSize: maxHeaderBytes,
      insecureHTTPParser: false,
      requireHostHeader: true,
      headersTimeout: 15_000,
      // A body may take as long as it keeps coming: uploads have no end by the clock.
      requestTimeout: 0,
      // How exactly that is kept: otherwise half a minute late.
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: 65_000,
      // HTTP/2 in the clear is never spoken; such a request is answered as the HTTP/1.1 it is (RFC 9113 section 3.1).
      // A question about an upgrade is no upgrade itself.
      shouldUpgradeCallback: ({ headers, url = '' }) =>
        !/(^|,)\s*h2c?\s*(\/|,|$)/i.test(headers.upgrade ?? '') && !asksAbout(url),
    })
    const serve = (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request
      if (this.#last.has(socket)) return
      const answers = this.#answers(socket)
      // Pipelined: one after another, so that nothing is done before what was asked first (RFC 9112 section 9.3.2).
      const before = answers.at(-1)
      if (answers.length >= maxPipelined) return void socket.destroy()
      answers.push(response)
      const open: OpenResponse = { response, place: -1 }
      this.#open.add(open)
      response.once('close', () => {
        answers.splice(answers.indexOf(response), 1)
        this.#open.delete(open)
      })
      if (this.#closing) makeLast(response)
      // An upgrade that is not taken up: parsers do not agree on where such a message ends.
      if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false
      if (before) before.once('close', () => this.#begin(request, response))
      else this.#begin(request, response)
    }
    this.#server.on('request', serve)
    // The upstream says whether to go on (RFC 9110 section 10.1.1).
    this.#server.on('checkContinue', serve)
    // Whether a body still follows depends on the client: the connection ends, or the next request could be taken for it.
    this.#server.on('checkExpectation', ({ socket }, response) => {
      response.shouldKeepAlive = false
      this.#last.add(socket)
      response.writeHead(417, { 'content-length': 0 }).end()
    })
    this.#server.on('upgrade', (request, socket, early) => this.#upgrade(request, socket, early))
    this.#server.on('connect', (_, socket) => refuseUpgrade(socket, 405, ''))
    this.#server.on('clientError', (error, socket) => {
      // Written now, the refusal would be read as a part of the answer under way, or as another one's.
      const [answer, ...more] = this.#answers(socket)
      if (answer && (answer.headersSent || more.length > 0)) socket.destroy()
      else refuseBytes(error, socket as Socket)
    })
    this.#fast = new FastLane(handler, this.#server)
    const fast = fastLane && canMoveConnections
    if (fastLane && !fast) log.warn('this Node keeps its connections to itself: the fast lane is off')
    this.#front = (openFront ?? plainFront(fast))({
      admit: (socket, tells) => admission.admit(socket, tells),
      connection: (socket) => {
        if (fast) this.#fast.accept(socket)
        else this.#server.emit('connection', socket)
      },
      fast: fastLane ? handler : undefined,
      request: (request, response) => this.#serve(request, response),
      tunnel: (request, stream) => this.#upgrade(request, stream, Buffer.alloc(0)),
    })
    // It is handed its connections and never listens itself; without this word it would hold no time limits.
    this.#server.emit('listening')
  }

  /** Listens at an address, or on a socket that was passed. */
  async listen(at: { host: string; port: number } | { fd: number }): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#front.server.once('error', reject)
      this.#front.server.listen(at, resolve)
    })
    const address = this.#front.server.address()
    if (address === null || typeof address === 'string')
      throw new Error('the socket passed for the edge is no TCP socket')
    return address
  }

  /**
   * Takes no new connections; requests under way finish, `grace` milliseconds at most. Connections that are kept may ask
   * once more for a moment, and are told that it was the last time: closed at once, some would be just asking.
   */
  async close(grace: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#front.server.close(() => resolve()))
    this.#closing = true
    this.#fast.drain()
    this.#front.drain()
    for (const { response } of this.#open) {
      // Behind the others what was sent already waits for its turn.
      if (this.#answers(response.req.socket).at(-1) === response) makeLast(response)
    }
    // After one more turn: what has come by then is read, and is a request under way.
    const idle = setTimeout(() => setImmediate(() => this.#endIdle()), farewell)
    const last = setTimeout(() => this.#endAll(), grace)
    await closed
    clearTimeout(idle)
    clearTimeout(last)
    this.#server.close()
    this.#endAll()
    this.#handler.close()
  }

  #endIdle(): void {
    this.#fast.endIdle()
    this.#server.closeIdleConnections()
    for (const { response } of this.#open) endBehind(response)
    for (const socket of this.#upgraded) endSoon(socket)
  }

  #endAll(): void {
    this.#server.closeAllConnections()
    this.#fast.destroyAll()
    this.#front.destroyAll()
    for (const socket of this.#upgraded) socket.destroy()
  }

  #begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    // The answer before this one was the last: what came behind it is no request.
    if (this.#last.has(socket) || !socket.writable) return void response.destroy()
    this.#serve(request, response)
    // Known by now, from the request or because its framing was refused.
    if (!response.shouldKeepAlive) this.#last.add(socket)
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.#handler
      .request(request, response)
      .catch((fault: unknown) => this.#handler.broke(fault, request, response))
  }

  #answers(socket: Duplex): ServerResponse[] {
    let answers = this.#answering.get(socket)
    if (!answers) this.#answering.set(socket, (answers = []))
    return answers
  }

  #upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    // Sent behind a request that is not answered yet: the 101 would overtake that answer.
    if (this.#answers(socket).length > 0) return void socket.destroy()
    this.#upgraded.add(socket)
    socket.once('close', () => this.#upgraded.delete(socket))
    this.#handler
      .upgrade(request, socket, early)
      .catch((fault: unknown) => tellUpgrade(socket, noteFault(fault, this.#log)))
  }
}

const refuseBytes = (error: NodeJS.ErrnoException, socket: Socket) => {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const status = refusals[error.code ?? ''] ?? '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
