import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { ReceivedRequest } from '../../wire/client_response.ts'
import { fieldBytes } from './http2_fields.ts'
import { readableHeadBytes } from '../../wire/request.ts'
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
/** A sweep ends a connection that 13 sweeps in a row, 65 seconds, have found without a request. */
const sweepIntervalSeconds = 5
const maxQuietSweeps = 13

/** All HTTP/2 connections. One sweep ends the idle ones: a timer for each would be reset several times per request. */
export class Http2Connections {
  readonly #lanes: Lanes
  readonly #openConnections = new OpenList<Http2Connection>()
  readonly #timer = setInterval(() => this.#sweep(), sweepIntervalSeconds * 1000).unref()

  constructor(lanes: Lanes) {
    this.#lanes = lanes
  }

  accept(session: ServerHttp2Session): void {
    const connection = new Http2Connection(this.#lanes, session)
    this.#openConnections.add(connection)
    session.once('close', () => this.#openConnections.delete(connection))
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #sweep(): void {
    for (const connection of this.#openConnections) connection.endIfIdle()
  }
}

class Http2Connection implements Listed {
  place = -1
  readonly lanes: Lanes
  /** Read once, because the socket of a session is a slow proxy around the real one. */
  readonly #socket: ReceivedRequest['socket']
  readonly #session: ServerHttp2Session
  /** The number of open streams. */
  #openStreams = 0
  /** Sweeps since a stream was last open. */
  #quietSweeps = 0

  constructor(lanes: Lanes, session: ServerHttp2Session) {
    this.lanes = lanes
    this.#session = session
    keepStreamsInLists(session)
    const { remoteAddress, servername } = session.socket as TLSSocket & {
      readonly servername?: string | false
    }
    this.#socket = { remoteAddress, encrypted: true, servername }
    session.on('stream', this.#begin)
  }

  /** An event stream may be silent for a long time: only a connection without a stream is idle. */
  endIfIdle(): void {
    if (this.#openStreams > 0) this.#quietSweeps = 0
    else if (++this.#quietSweeps > maxQuietSweeps) this.#session.close()
  }

  /** Requests in the usual form go to the handler directly, all others as messages of node:http2. */
  readonly #begin = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    received: string[],
  ): void => {
    this.#openStreams++
    const { fast, maxHeadBytes } = this.lanes
    const request =
      fast && takesLists
        ? http2UsualRequest(stream, headers, received, this.#socket, maxHeadBytes)
        : undefined
    if (request) serveAtTurnEnd(new FastStream(this, stream, headers, received, request))
    else {
      stream.once('close', this.closed)
      if (fieldBytes(received) > readableHeadBytes) {
        stream.on('error', nothing)
        return stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
      }
      serveMessages(this.lanes, stream, headers, received)
    }
  }

  readonly closed = (): void => {
    this.#openStreams--
    this.#quietSweeps = 0
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
    // The client may have reset the stream by now.
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

  /** What the fast lane does not serve is served again from the very same headers. */
  #served(done: boolean): void {
    if (done || this.#response.destroyed) return
    serveMessages(this.#connection.lanes, this.#stream, this.#headers, this.#received)
  }
}

const nothing = () => {}

/** The response is complete before the whole body was read: the client may stop sending (RFC 9113 section 8.1). */
const endEarly = (stream: ServerHttp2Stream): void => {
  if (!stream.readableEnded && stream.headersSent)
    setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR))
}

/** Serves a stream as messages of node:http2, which the handler treats like those of node:http. */
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
    // A CONNECT that opens a WebSocket (RFC 8441) has been translated to an upgrade. No other CONNECT is served.
    if (request.headers.upgrade === undefined) refuseUpgrade(stream, 405, '')
    else lanes.tunnel(message, stream)
    return
  }
  const response = new Http2Response(stream)
  // The upstream decides whether the client should continue (RFC 9110 section 10.1.1). No other expectation exists.
  if (expect === '100-continue') lanes.request(message, response as unknown as ServerResponse)
  else response.writeHead(417).end()
}
