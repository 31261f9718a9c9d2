import type { Socket } from 'node:net'
import { receiveFrom, stopReceiving, type Receiver } from '../../wire/inbox_socket.ts'
import type { Listed } from '../../wire/open_list.ts'
import { head, inbox, inboxSize, readRequestHead } from '../../wire/parser.ts'
import { serveAtTurnEnd } from '../../wire/write_batching.ts'
import { wantsEventStream } from './draining.ts'
import { FastBody } from './fast_body.ts'
import { fastRequest, type FastRequest } from './fast_request.ts'
import { FastResponse } from './fast_response.ts'
import type { Lane } from './lane.ts'

/** Seconds that a connection may wait for its next request; the same as the keepAliveTimeout of node:http. */
export const maxIdleSeconds = 65
/** Seconds that a new connection may be silent before its first request. */
const maxSilentSeconds = 15
/** How much may wait behind the current request before we stop reading. */
const maxWaitingBytes = 64 * 1024
const empty = Buffer.alloc(0)

/** One connection of the fast lane. It serves one request at a time. */
export class FastConnection implements Receiver, Listed {
  place = -1
  readonly #lane: Lane<FastConnection>
  readonly #socket: Socket
  readonly #response: FastResponse
  #request: FastRequest | undefined
  /** The body of the current request, or the unread rest of the body before it. */
  #body: FastBody | undefined
  /** What arrived after the head of the current request. */
  #held: Buffer = empty
  #paused = false
  #gone = false
  idleSince: number

  constructor(lane: Lane<FastConnection>, socket: Socket) {
    this.#lane = lane
    this.#socket = socket
    this.#response = new FastResponse(socket, this)
    // A client opens a connection because it has a request to send: an unused one is not kept as long as a used one.
    this.idleSince = lane.clock - (maxIdleSeconds - maxSilentSeconds)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClosed)
    receiveFrom(socket, this)
  }

  received(length: number): void {
    if (this.#gone) return
    if (this.#feeds) return this.#feed(Buffer.from(inbox.subarray(0, length)))
    if (this.#waits || this.#socket.writableNeedDrain) this.#hold(inbox.subarray(0, length))
    else this.#begin(length, undefined)
  }

  receivedOwn(bytes: Buffer): void {
    if (this.#gone) return
    if (this.#feeds) this.#feed(bytes)
    else this.#hold(bytes)
  }

  ownBuffer(): Buffer | undefined {
    return this.#body?.buffer
  }

  /** Whether arriving bytes belong to a body that is being read. */
  get #feeds(): boolean {
    return this.#body?.flows === true && this.#held.length === 0
  }

  /** Whether arriving bytes have to wait. */
  get #waits(): boolean {
    return this.#request !== undefined || this.#body !== undefined || this.#held.length > 0
  }

  #hold(bytes: Buffer): void {
    const idle = !this.#waits
    this.#held = Buffer.concat([this.#held, bytes])
    if (idle) this.#next()
    if (this.#held.length > maxWaitingBytes) this.#pause()
  }

  #pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#socket.resume()
  }

  /** Passes on the next bytes of the body, and holds what was sent after it. */
  #feed(bytes: Buffer): void {
    const body = this.#body!
    const chunk = bytes.length <= body.left ? bytes : bytes.subarray(0, body.left)
    if (chunk.length < bytes.length) this.#held = Buffer.from(bytes.subarray(chunk.length))
    const ends = chunk.length === body.left
    if (ends) this.#body = undefined
    body.take(chunk)
    // Even while the upstream still takes the body: we must notice if the client closes the connection.
    if (ends) this.#resume()
    // The response was complete before the body had arrived.
    if (this.#body === undefined && this.#request === undefined && !this.#gone && this.#held.length > 0)
      this.#next()
  }

  bodyFlows(): void {
    if (this.#gone) return
    if (this.#body !== undefined && this.#held.length > 0) {
      const bytes = this.#held
      this.#held = empty
      this.#feed(bytes)
    }
    if (this.#body?.flows) this.#resume()
  }

  bodyPauses(): void {
    this.#pause()
  }

  // As in node:http, an end from the client means that it reads no more responses.
  readonly #onEnd = (): void => {
    if (this.#request) return this.destroy()
    this.#response.flush()
    this.#socket.end()
  }
  readonly #onError = (): void => this.destroy()
  readonly #onClosed = (): void => this.#leave()

  /** Begins the request at the start of the inbox. `received` holds all bytes, if the inbox has only a part of them. */
  #begin(length: number, received: Buffer | undefined): void {
    const request =
      readRequestHead(length) && head.end <= this.#lane.maxHeadBytes
        ? fastRequest(inbox.latin1Slice(0, head.end), this.#socket)
        : undefined
    if (!request) return this.#handOver(received ?? Buffer.from(inbox.subarray(0, length)))
    if (received) this.#held = received.subarray(head.end)
    else if (length > head.end) this.#held = Buffer.from(inbox.subarray(head.end, length))
    this.#request = request
    this.#body = request.length ? new FastBody(request.length, this) : undefined
    this.#response.begin(request.method, request.keepAlive && !this.#lane.draining)
    serveAtTurnEnd(this)
  }

  serve(): void {
    if (this.#gone) return
    const request = this.#request!
    const response = this.#response
    const { handler } = this.#lane
    try {
      const served = handler.serveFast(request, response, this.#body)
      if (served instanceof Promise)
        served
          .then((isServed) => this.#served(isServed))
          .catch((fault: unknown) => handler.broke(fault, request, response))
      else this.#served(served)
    } catch (error) {
      handler.broke(error, request, response)
    }
  }

  /** If the handler did not serve the request, node:http does, from the very same bytes. */
  #served(isServed: boolean): void {
    if (!isServed && !this.#gone)
      this.#handOver(Buffer.concat([Buffer.from(this.#request!.text, 'latin1'), this.#held]))
  }

  /** From now on the socket is an ordinary one. */
  #release(): void {
    const socket = this.#socket
    this.#response.flush()
    socket.off('end', this.#onEnd)
    socket.off('error', this.#onError)
    socket.off('close', this.#onClosed)
    socket.pause()
    stopReceiving(socket)
  }

  #handOver(bytes: Buffer): void {
    this.#release()
    this.#gone = this.#response.destroyed = true
    this.#lane.handOver(this, this.#socket, bytes)
  }

  responded(): void {
    this.#request = undefined
    this.idleSince = this.#lane.clock
    this.#response.close()
    if (this.#gone) return
    const last = this.#held.length === 0 && this.#body === undefined
    if (!this.#response.shouldKeepAlive || (this.#lane.over && last)) {
      this.#release()
      this.#leave()
      return this.#lane.closing.close(this.#socket)
    }
    // The rest of the body is not needed: read and drop it.
    if (this.#body !== undefined) this.#body.resume()
    else if (last) this.#resume()
    else this.#next()
  }

  /** Continues with the next request in the held bytes. */
  #next(): void {
    // Back-pressure: a client that pipelines without reading would make us buffer every response.
    if (this.#socket.writableNeedDrain) this.#socket.once('drain', this.#beginHeld)
    // A direct call would nest a thousand calls for a thousand pipelined requests.
    else setImmediate(this.#beginHeld)
  }

  readonly #beginHeld = (): void => {
    if (this.#gone) return
    this.#resume()
    const bytes = this.#held
    this.#held = empty
    // Copying at most the size of the inbox is safe: every head that this lane accepts fits.
    this.#begin(bytes.copy(inbox, 0, 0, inboxSize), bytes)
  }

  endIfIdle(): void {
    if (!this.#request && this.#held.length === 0) this.destroy()
  }

  /** Makes this response the last of its connection, unless another request already waits. */
  makeLast(): void {
    if (this.#request && !this.#response.headersSent && this.#held.length <= (this.#body?.left ?? 0))
      this.#response.shouldKeepAlive = false
  }

  get streamsEvents(): boolean {
    return this.#request !== undefined && wantsEventStream(this.#request.rawHeaders)
  }

  #leave(): void {
    if (this.#gone) return
    this.#gone = this.#response.destroyed = true
    this.#lane.left(this)
    this.#response.close()
  }

  destroy(): void {
    this.#socket.destroy()
    this.#leave()
  }
}
