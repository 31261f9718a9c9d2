import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { OpenList, type Listed } from '../../wire/open_list.ts'
import { keepStreamsInLists } from '../../wire/session_streams.ts'
import { serveAtTurnEnd } from '../../wire/write_batching.ts'
import type { Lanes } from './listener.ts'
import { Http2Body } from './http2_body.ts'
import { Http2Request, Http2Response } from './http2_messages.ts'
import { http2UsualRequest, type Http2UsualRequest } from './http2_request.ts'
import { Http2StreamResponse } from './http2_response.ts'
import { refuseUpgrade } from './upgrade_response.ts'

/** `respond` takes flat lists of headers since 24.8. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const takesLists = major > 24 || (major === 24 && minor >= 8)
/** Seconds between two looks for connections without a request, and looks after which one is ended: 65 seconds. */
const sweepEvery = 5
const mostQuiet = 13

/** The connections of HTTP/2. One sweep ends those without a request: a timer for each would be set anew several times a request. */
export class Http2Connections {
  readonly #lanes: Lanes
  readonly #open = new OpenList<Http2Connection>()
  readonly #timer = setInterval(() => this.#sweep(), sweepEvery * 1000).unref()

  constructor(lanes: Lanes) {
    this.#lanes = lanes
  }

  accept(session: ServerHttp2Session): void {
    const connection = new Http2Connection(this.#lanes, session)
    this.#open.add(connection)
    session.once('close', () => this.#open.delete(connection))
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #sweep(): void {
    for (const connection of this.#open) connection.endIfIdle()
  }
}

/** One connection of HTTP/2. */
class Http2Connection implements Listed {
  place = -1
  readonly lanes: Lanes
  /** The socket of a session is a proxy around the real one: it is asked once. */
  readonly #socket: { readonly remoteAddress: string | undefined; readonly encrypted: true }
  readonly #session: ServerHttp2Session
  /** Streams under way. */
  #open = 0
  /** Looks since a stream was under way. */
  #quiet = 0

  constructor(lanes: Lanes, session: ServerHttp2Session) {
    this.lanes = lanes
    this.#session = session
    keepStreamsInLists(session)
    this.#socket = { remoteAddress: session.socket.remoteAddress, encrypted: true }
    session.on('stream', this.#begin)
  }

  /** An event stream may be silent for long: only a connection that asks nothing is idle. */
  endIfIdle(): void {
    if (this.#open > 0) this.#quiet = 0
    else if (++this.#quiet > mostQuiet) this.#session.close()
  }

  /** Requests in the usual form go to the door as they are, all others as messages of node:http2. */
  readonly #begin = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    received: string[],
  ): void => {
    this.#open++
    const request =
      this.lanes.fast && takesLists ? http2UsualRequest(stream, headers, received, this.#socket) : undefined
    if (request) serveAtTurnEnd(new FastStream(this, stream, headers, received, request))
    else {
      stream.once('close', this.closed)
      serveMessages(this.lanes, stream, headers, received)
    }
  }

  /** A stream is over. */
  readonly closed = (): void => {
    this.#open--
    this.#quiet = 0
  }
}

/** One request in the usual form and its response. */
class FastStream {
  readonly #connection: Http2Connection
  readonly #stream: ServerHttp2Stream
  readonly #headers: IncomingHttpHeaders
  readonly #received: string[]
  readonly #request: Http2UsualRequest
  readonly #response: Http2StreamResponse

  constructor(
    connection: Http2Connection,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    received: string[],
    request: Http2UsualRequest,
  ) {
    this.#connection = connection
    this.#stream = stream
    this.#headers = headers
    this.#received = received
    this.#request = request
    this.#response = new Http2StreamResponse(stream, request.method === 'HEAD')
    stream.on('error', nothing)
    stream.on('close', () => {
      connection.closed()
      this.#response.close()
    })
    if (request.length) stream.on('finish', () => endEarly(stream))
  }

  serve(): void {
    // It may have been reset since.
    if (this.#response.destroyed) return
    const { length } = this.#request
    const body = length ? new Http2Body(length, this.#stream) : undefined
    const { fast } = this.#connection.lanes
    try {
      const served = fast!.serveFast(this.#request, this.#response, body)
      if (served instanceof Promise) void this.#await(served)
      else this.#served(served)
    } catch (error) {
      fast!.broke(error, this.#request, this.#response)
    }
  }

  async #await(served: Promise<boolean>): Promise<void> {
    try {
      this.#served(await served)
    } catch (error) {
      this.#connection.lanes.fast!.broke(error, this.#request, this.#response)
    }
  }

  /** What the door does not serve here is judged anew, from the very same headers. */
  #served(done: boolean): void {
    if (done || this.#response.destroyed) return
    serveMessages(this.#connection.lanes, this.#stream, this.#headers, this.#received)
  }
}

const nothing = () => {}

/** Answered before the body was all read: the client may stop sending it (RFC 9113 section 8.1). */
const endEarly = (stream: ServerHttp2Stream): void => {
  if (!stream.readableEnded && stream.headersSent)
    setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR))
}

/** Serves a stream as messages of node:http2, which everything behind the door takes for those of node:http. */
const serveMessages = (
  lanes: Lanes,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  received: string[],
): void => {
  const request = new Http2Request(stream, headers, {}, received)
  const message = request as unknown as IncomingMessage
  const { ':method': method, expect = '100-continue' } = headers
  if (method === 'CONNECT') {
    // One that opens a WebSocket (RFC 8441) has been read as an upgrade; no other is served.
    if (request.headers.upgrade === undefined) refuseUpgrade(stream, 405, '')
    else lanes.tunnel(message, stream)
    return
  }
  const response = new Http2Response(stream)
  // The upstream says whether to go on (RFC 9110 section 10.1.1); there is no other expectation.
  if (expect === '100-continue') lanes.request(message, response as unknown as ServerResponse)
  else response.writeHead(417).end()
}
