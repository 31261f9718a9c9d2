import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { http } from '../../node/http.ts'
import type { Log } from '../../log/log.ts'
import { canMoveConnections } from '../../wire/inbox_socket.ts'
import { readableHeadBytes } from '../../wire/request.ts'
import { OpenList, type Listed } from '../../wire/open_list.ts'
import { ClosingConnections } from './closing.ts'
import type { ConnectionLimit } from './connection_limit.ts'
import { endAfterResponse, endAfterWrites, lastRequestMs, makeLast } from './draining.ts'
import { FastLane } from './fast_lane.ts'
import { logFault } from './internal_error.ts'
import { plainListener, type Listener, type OpenListener } from './listener.ts'
import type { Handler } from './handler.ts'
import { UnreadableBytes } from './unreadable_bytes.ts'
import { refuseUpgrade, sendUpgradeRefusal } from './upgrade_response.ts'
import { isForwardAuth } from '../../wire/own_path.ts'

/** Requests of one connection that may wait for earlier responses. */
const maxPipelined = 200

interface EdgeOptions {
  /** Whether requests in the usual form skip node:http. */
  readonly fastLane: boolean
  /** The largest head of a request that is forwarded. */
  readonly maxHeadBytes: number
  /** The listener that replaces plain TCP. */
  readonly openListener: OpenListener | undefined
}

interface OpenResponse extends Listed {
  readonly response: ServerResponse
}

/** The HTTP server of the edge, with the parser and the limits of Node. The handler decides. */
export class EdgeServer {
  readonly #handler: Handler
  readonly #log: Log
  /** Serves what the fast lane hands over. */
  readonly #server: Server
  readonly #fast: FastLane
  readonly #listener: Listener
  readonly #closing = new ClosingConnections()
  readonly #upgraded = new Set<Duplex>()
  /** The responses that node:http is writing. */
  readonly #open = new OpenList<OpenResponse>()
  #draining = false
  /** The responses that are pending on a connection: nothing may be written between them. */
  readonly #answering = new WeakMap<Duplex, ServerResponse[]>()
  /** Connections that end with the current response: bytes after it are not read as a request (RFC 9112 section 9.6). */
  readonly #last = new WeakSet<Duplex>()
  /** Responses to requests with an Expect that we do not know. */
  readonly #unmet = new WeakSet<ServerResponse>()

  // oxlint-disable-next-line max-lines-per-function -- it wires one server, event by event
  constructor(
    handler: Handler,
    connectionLimit: ConnectionLimit,
    log: Log,
    { fastLane, openListener, maxHeadBytes }: EdgeOptions,
  ) {
    this.#handler = handler
    this.#log = log
    this.#server = http.createServer({
      maxHeaderSize: readableHeadBytes,
      insecureHTTPParser: false,
      // Node would answer 400 itself, and then read and serve what stands behind that request.
      requireHostHeader: false,
      headersTimeout: 15_000,
      // An upload may take as long as it makes progress.
      requestTimeout: 0,
      // The default would notice a late head up to 30 seconds after its time limit.
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: 65_000,
      // We do not speak HTTP/2 without TLS; such a request is served as HTTP/1.1 (RFC 9113 section 3.1).
      // A forward-auth request about an upgrade is not an upgrade.
      shouldUpgradeCallback: ({ headers, url = '' }) =>
        !/(^|,)\s*h2c?\s*(\/|,|$)/i.test(headers.upgrade ?? '') && !isForwardAuth(url),
    })
    const serve = (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request
      if (this.#last.has(socket)) return
      const answers = this.#answers(socket)
      // Serve pipelined requests one after another, so that none takes effect before an earlier one (RFC 9112 section 9.3.2).
      const previous = answers.at(-1)
      if (answers.length >= maxPipelined) return void socket.destroy()
      answers.push(response)
      const open: OpenResponse = { response, place: -1 }
      this.#open.add(open)
      response.once('close', () => {
        answers.splice(answers.indexOf(response), 1)
        this.#open.delete(open)
      })
      if (this.#draining) makeLast(response)
      // An upgrade that we do not perform: parsers disagree about where such a message ends.
      if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false
      if (previous) previous.once('close', () => this.#begin(request, response))
      else this.#begin(request, response)
    }
    this.#server.on('request', serve)
    // The upstream decides whether the client should continue (RFC 9110 section 10.1.1).
    this.#server.on('checkContinue', serve)
    // No other expectation exists (RFC 9110 section 10.1.1).
    this.#server.on('checkExpectation', (request, response) => {
      this.#unmet.add(response)
      serve(request, response)
    })
    this.#server.on('upgrade', (request, socket, early) => this.#upgrade(request, socket, early))
    this.#server.on('connect', (_, socket) => refuseUpgrade(socket, 405, ''))
    const unreadable = new UnreadableBytes((socket) => this.#answers(socket), this.#closing)
    this.#server.on('clientError', (error, socket) => unreadable.refuse(error, socket as Socket))
    // node:http ends a connection by this method, once the last response has been written.
    this.#server.on('connection', (socket) => {
      Object.defineProperty(socket, 'destroySoon', { value: () => this.#closing.close(socket) })
      // A client that has ended reads no more: what is still being made for it is given up, as in the fast lane. node:http would
      // wait until it has been written.
      socket.once('end', () => {
        if (this.#answers(socket).some(({ writableEnded }) => !writableEnded)) socket.destroy()
      })
    })
    this.#fast = new FastLane(handler, this.#server, this.#closing, maxHeadBytes)
    const fast = fastLane && canMoveConnections
    if (fastLane && !fast) log.warn('this version of Node does not let a socket move: the fast lane is off')
    this.#listener = (openListener ?? plainListener(fast))({
      admit: (socket, plainHttp) => connectionLimit.admit(socket, plainHttp),
      connection: (socket) => {
        if (fast) this.#fast.accept(socket)
        else this.#server.emit('connection', socket)
      },
      fast: fastLane ? handler : undefined,
      maxHeadBytes,
      request: (request, response) => this.#serve(request, response),
      tunnel: (request, stream) => this.#upgrade(request, stream, Buffer.alloc(0)),
    })
    // This server never listens itself. Without this event it would not enforce its time limits.
    this.#server.emit('listening')
  }

  /** Listens at an address, or on an inherited socket. */
  async listen(at: { host: string; port: number } | { fd: number }): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#listener.server.once('error', reject)
      this.#listener.server.listen(at, resolve)
    })
    const address = this.#listener.server.address()
    if (address === null || typeof address === 'string')
      throw new Error('The socket passed for the edge is not a TCP socket')
    return address
  }

  /**
   * Accepts no new connections. Requests in progress may finish within `graceMs`. A kept-alive connection may send one more
   * request for a moment, and its response says that it is the last: a client could be sending one just now.
   */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.server.close(() => resolve()))
    this.#draining = true
    this.#fast.drain()
    this.#listener.drain()
    for (const { response } of this.#open) {
      // Requests that the client has already pipelined behind an earlier response are still served.
      if (this.#answers(response.req.socket).at(-1) === response) makeLast(response)
    }
    // Wait one more turn: what has arrived by then is read and counts as a request in progress.
    const idle = setTimeout(() => setImmediate(() => this.#endIdle()), lastRequestMs)
    const last = setTimeout(() => this.#endAll(), graceMs)
    await closed
    clearTimeout(idle)
    clearTimeout(last)
    this.#server.close()
    this.#endAll()
    this.#handler.close()
  }

  #endIdle(): void {
    this.#fast.endIdle()
    this.#closing.endAll()
    this.#server.closeIdleConnections()
    for (const { response } of this.#open) endAfterResponse(response)
    for (const socket of this.#upgraded) endAfterWrites(socket)
  }

  #endAll(): void {
    this.#server.closeAllConnections()
    this.#fast.destroyAll()
    this.#listener.destroyAll()
    for (const socket of this.#upgraded) socket.destroy()
  }

  #begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    // The response before this one was the last: bytes after it are not a request.
    if (this.#last.has(socket) || !socket.writable) return void response.destroy()
    if (this.#unmet.has(response)) refuseExpectation(response)
    else this.#serve(request, response)
    // Known by now, from the request itself or because its framing was refused.
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
    // The 101 would overtake the response to an earlier request.
    if (this.#answers(socket).length > 0) return void socket.destroy()
    this.#upgraded.add(socket)
    socket.once('close', () => this.#upgraded.delete(socket))
    this.#handler
      .upgrade(request, socket, early)
      .catch((fault: unknown) => sendUpgradeRefusal(socket, logFault(fault, this.#log)))
  }
}

/** The client may or may not still send the body. The connection ends, so that a body is never read as a request. */
const refuseExpectation = (response: ServerResponse): void => {
  response.shouldKeepAlive = false
  response.writeHead(417, { 'content-length': 0 }).end()
}
