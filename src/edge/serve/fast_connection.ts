import type { Socket } from 'node:net'
import { receiveFrom, stopReceiving, type Receiver } from '../../wire/inbox_socket.ts'
import type { Listed } from '../../wire/open_list.ts'
import { head, inbox, inboxSize, readRequestHead } from '../../wire/parser.ts'
import { serveAtTurnEnd } from '../../wire/write_batching.ts'
import { asksForEvents } from './draining.ts'
import { FastBody } from './fast_body.ts'
import { fastRequest, type FastRequest } from './fast_request.ts'
import { FastResponse } from './fast_response.ts'
import type { Lane } from './lane.ts'

/** Seconds that a connection may wait for its next request; as long as node:http is configured to keep one. */
export const maxIdle = 65
/** Seconds that a new connection may be silent. */
const maxSilent = 15
/** What may wait behind the request under way, before we stop reading. */
const maxWaiting = 64 * 1024
/** Of the line and headers of a request, as for node:http. */
const maxHead = 16 * 1024
const empty = Buffer.alloc(0)

/** One connection of the fast lane, one request at a time. */
export class FastConnection implements Receiver, Listed {
  place = -1
  readonly #lane: Lane<FastConnection>
  readonly #socket: Socket
  readonly #response: FastResponse
  /** The request under way. */
  #request: FastRequest | undefined
  /** Its body, or the rest of the one before that nobody has read yet. */
  #body: FastBody | undefined
  /** What has come behind the head of the request under way. */
  #held: Buffer = empty
  #paused = false
  #gone = false
  idleSince: number

  constructor(lane: Lane<FastConnection>, socket: Socket) {
    this.#lane = lane
    this.#socket = socket
    this.#response = new FastResponse(socket, this)
    // A client that opens a connection has something to ask: a new one is not kept as long as one that has been used.
    this.idleSince = lane.clock - (maxIdle - maxSilent)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClosed)
    receiveFrom(socket, this)
  }

  // What the client sends.

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

  /** Whether what comes belongs to a body that somebody reads. */
  get #feeds(): boolean {
    return this.#body?.flows === true && this.#held.length === 0
  }

  /** Whether what comes has to wait. */
  get #waits(): boolean {
    return this.#request !== undefined || this.#body !== undefined || this.#held.length > 0
  }

  #hold(bytes: Buffer): void {
    const idle = !this.#waits
    this.#held = Buffer.concat([this.#held, bytes])
    if (idle) this.#next()
    if (this.#held.length > maxWaiting) this.#pause()
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

  /** The next bytes of the body, and perhaps of what was sent behind it. */
  #feed(bytes: Buffer): void {
    const body = this.#body!
    const chunk = bytes.length <= body.left ? bytes : bytes.subarray(0, body.left)
    if (chunk.length < bytes.length) this.#held = Buffer.from(bytes.subarray(chunk.length))
    const ends = chunk.length === body.left
    if (ends) this.#body = undefined
    body.take(chunk)
    // Whatever the upstream still has to take of the body: an end of this connection must not go unseen.
    if (ends) this.#resume()
    // The request was answered before its body had come.
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

  // An end from the client's side means, as for node:http, that nobody is there to read a response.
  readonly #onEnd = (): void => {
    if (this.#request) return this.destroy()
    this.#response.flush()
    this.#socket.end()
  }
  readonly #onError = (): void => this.destroy()
  readonly #onClosed = (): void => this.#leave()

  /** Begins with the request at the beginning of the inbox. `all` is everything that came, where it is not in the inbox alone. */
  #begin(length: number, all: Buffer | undefined): void {
    const request =
      readRequestHead(length) && head.end <= maxHead
        ? fastRequest(inbox.latin1Slice(0, head.end), this.#socket)
        : undefined
    if (!request) return this.#handOver(all ?? Buffer.from(inbox.subarray(0, length)))
    if (all) this.#held = all.subarray(head.end)
    else if (length > head.end) this.#held = Buffer.from(inbox.subarray(head.end, length))
    this.#request = request
    this.#body = request.length ? new FastBody(request.length, this) : undefined
    this.#response.begin(request.method, request.keepAlive && !this.#lane.closing)
    serveAtTurnEnd(this)
  }

  serve(): void {
    if (this.#gone) return
    const request = this.#request!
    const response = this.#response
    const { handler } = this.#lane
    try {
      const served = handler.serveFast(request, response, this.#body)
      if (served instanceof Promise) void this.#await(served, request)
      else this.#served(served)
    } catch (error) {
      handler.broke(error, request, response)
    }
  }

  async #await(served: Promise<boolean>, request: FastRequest): Promise<void> {
    try {
      this.#served(await served)
    } catch (error) {
      this.#lane.handler.broke(error, request, this.#response)
    }
  }

  /** What the door does not serve here, node:http does: it reads the very same bytes. */
  #served(done: boolean): void {
    if (!done && !this.#gone)
      this.#handOver(Buffer.concat([Buffer.from(this.#request!.text, 'latin1'), this.#held]))
  }

  #handOver(bytes: Buffer): void {
    const socket = this.#socket
    this.#response.flush()
    socket.off('end', this.#onEnd)
    socket.off('error', this.#onError)
    socket.off('close', this.#onClosed)
    socket.pause()
    stopReceiving(socket)
    this.#gone = this.#response.destroyed = true
    this.#lane.handOver(this, socket, bytes)
  }

  // The response, and what comes behind it.

  responded(): void {
    this.#request = undefined
    this.idleSince = this.#lane.clock
    this.#response.close()
    if (this.#gone) return
    const last = this.#held.length === 0 && this.#body === undefined
    if (!this.#response.shouldKeepAlive || (this.#lane.over && last)) {
      this.#response.flush()
      this.#leave()
      return this.#socket.destroySoon()
    }
    // Nobody wants the rest of the body: it is read away.
    if (this.#body !== undefined) this.#body.resume()
    else if (last) this.#resume()
    else this.#next()
  }

  /** Goes on with the next request in what was held. */
  #next(): void {
    // Back-pressure: a client that pipelines without reading would make us buffer every response.
    if (this.#socket.writableNeedDrain) this.#socket.once('drain', this.#goOn)
    // Not from here: a thousand pipelined requests would nest a thousand calls.
    else setImmediate(this.#goOn)
  }

  readonly #goOn = (): void => {
    if (this.#gone) return
    this.#resume()
    const bytes = this.#held
    this.#held = empty
    // A head that is read here fits.
    this.#begin(bytes.copy(inbox, 0, 0, inboxSize), bytes)
  }

  endIfIdle(): void {
    if (!this.#request && this.#held.length === 0) this.destroy()
  }

  /** Makes this response the connection's last, unless another request waits behind it. */
  makeLast(): void {
    if (this.#request && !this.#response.headersSent && this.#held.length <= (this.#body?.left ?? 0))
      this.#response.shouldKeepAlive = false
  }

  get streamsEvents(): boolean {
    return this.#request !== undefined && asksForEvents(this.#request.rawHeaders)
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
