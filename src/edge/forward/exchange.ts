import type { Socket } from 'node:net'
import { head as responseHead } from '../../wire/parser.ts'
import type { ResponseSink } from '../../wire/response_sink.ts'
import type { Head } from '../../wire/http_parser.ts'
import { responseHeaders, responseTrailers } from './response_headers.ts'
import { headFor } from './outgoing_head.ts'
import { addTrailers, passHints, reason, type ClientResponse } from '../../wire/client_response.ts'
import { maxSilenceSeconds, Upload } from './upload.ts'
import type { UpstreamConnection } from '../../upstream/connection.ts'
import { isRepeatable, type Carrier, type Failure, type Forwarded, type Timed } from './forwarded.ts'
import type { Upstream } from '../../upstream/upstream.ts'

/** A body up to this size that arrives in one piece is written together with the head. */
const smallBodyBytes = 16 * 1024

/** One forwarded request and its response. */
export class Exchange implements ResponseSink, Timed {
  readonly bodiless: boolean
  readonly out: Forwarded
  place = -1
  readonly #carrier: Carrier
  readonly #to: ClientResponse
  readonly #fail: (failure: Failure) => void
  #connection: UpstreamConnection | undefined
  /** The upstreams that did not answer this request. */
  #tried: readonly Upstream[] = []
  /** The clock when this request last made progress. */
  #progressAt: number
  readonly #upload: Upload
  /** Received but not written yet: it may go out together with the body. */
  #head: Head | undefined
  #firstChunk: Buffer | undefined
  #answered = false
  #over = false

  constructor(carrier: Carrier, out: Forwarded, to: ClientResponse, fail: (failure: Failure) => void) {
    this.bodiless = out.asked.method === 'HEAD'
    this.#carrier = carrier
    this.out = out
    this.#to = to
    this.#fail = fail
    this.#upload = new Upload(this)
    this.#progressAt = carrier.clock
  }

  begin(): void {
    this.#to.once('close', () => this.#leave())
    this.#sendTo(this.#carrier.upstreams.next(this.out.plan), true)
  }

  #sendTo(upstream: Upstream, reuse: boolean): void {
    const { body } = this.out
    const { pool } = this.#carrier
    const connection = reuse ? pool.take(upstream, isRepeatable(this.out)) : pool.open(upstream)
    this.#connection = connection
    connection.send(this, headFor(this.out, upstream), body !== undefined)
    if (connection.connected && body) this.#upload.send(connection)
  }

  /** Tries another upstream, each at most once. Returns false if there is no other. */
  #tryNext(): boolean {
    const { plan } = this.out
    this.#tried = [...this.#tried, this.#connection!.upstream]
    if (this.#tried.length >= plan.upstreams.length) return false
    this.#progressAt = this.#carrier.clock
    this.#sendTo(this.#carrier.upstreams.next(plan, this.#tried), true)
    return true
  }

  /** The body is read only now: a body that no upstream has seen can still go to another one. */
  connected(): void {
    this.#progressAt = this.#upload.progressAt = this.#carrier.clock
    this.#carrier.upstreams.succeeded(this.#connection!.upstream)
    if (this.out.body) this.#upload.send(this.#connection!)
  }

  // Upload.

  get over(): boolean {
    return this.#over
  }

  get clock(): number {
    return this.#carrier.clock
  }

  uploaded(): void {
    this.#progressAt = this.clock
  }

  tooLarge(): void {
    this.#giveUp('large body')
  }

  drain(): void {
    this.#progressAt = this.clock
    this.#upload.drain()
  }

  // Response.

  get takesWhole(): boolean {
    return this.#to.sendWhole !== undefined && this.out.answerHeaders.length === 0
  }

  whole(length: number): boolean {
    const to = this.#to
    if (to.destroyed) return false
    const whole = to.readWhole!(length, this.bodiless, this.out.pass.caching)
    if (whole === undefined) return false
    const { status } = responseHead
    this.#answered = true
    this.#conclude()
    this.#connection!.settleWhole()
    to.sendWhole!(status, whole)
    return true
  }

  information({ status, rawHeaders }: Head): void {
    this.#progressAt = this.#carrier.clock
    if (status === 100 && this.out.asked.expect !== undefined) this.#to.writeContinue()
    if (status === 103) passHints(this.#to, rawHeaders)
  }

  head(head: Head): void {
    this.#answered = true
    this.#head = head
  }

  body(chunk: Buffer): boolean {
    if (this.#head && this.#firstChunk === undefined) {
      this.#firstChunk = chunk
      return false
    }
    this.#writeHead()
    this.#write(chunk)
    return this.#to.flushed === true
  }

  flush(): void {
    if (!this.#head) return
    const firstChunk = this.#firstChunk
    this.#writeHead()
    // The first byte may take long: an event stream is silent until something happens.
    if (firstChunk === undefined) this.#to.flushHeaders()
  }

  end(rawTrailers: readonly string[]): void {
    const to = this.#to
    this.#conclude()
    if (to.destroyed) return
    if (rawTrailers.length > 0) {
      this.#writeHead()
      addTrailers(to, responseTrailers(rawTrailers))
    }
    const firstChunk = this.#firstChunk
    if (this.#head) this.#startAnswer(this.#head)
    // A latin1 string, one character for each byte, can be joined to the head and written with it.
    if (firstChunk !== undefined && firstChunk.length <= smallBodyBytes)
      to.end(firstChunk.toString('latin1'), 'latin1')
    else to.end(firstChunk)
  }

  #writeHead(): void {
    const head = this.#head
    if (!head) return
    this.#head = undefined
    this.#startAnswer(head)
    if (this.#firstChunk !== undefined) this.#write(this.#firstChunk)
    this.#firstChunk = undefined
  }

  #startAnswer(head: Head): void {
    this.#to.writeHead(head.status, reason(head.message), responseHeaders(head, this.out))
  }

  #write(chunk: Buffer): void {
    if (this.#to.write(chunk)) return
    const connection = this.#connection!
    connection.pause()
    this.#to.once('drain', () => {
      if (!this.#over) connection.resume()
    })
  }

  /** The upstream switched protocols without being asked to. */
  switched(socket: Socket): void {
    socket.destroy()
    this.#giveUp('unreachable')
  }

  broken(error: NodeJS.ErrnoException): void {
    if (this.#over) return
    const { reused, connected, heard, upstream } = this.#connection!
    // The upstream may close a kept-alive connection at the very moment we reuse it. If it has answered, readably or not, it has the
    // request: nothing is sent again then.
    const repeatable = !heard && isRepeatable(this.out)
    if (reused && repeatable) return this.#sendTo(upstream, false)
    if (!connected) this.#carrier.upstreams.failed(upstream)
    if ((!connected || repeatable) && this.#tryNext()) return
    this.#giveUp('unreachable', error.code ?? error.message)
  }

  watchTime(now: number): void {
    if (this.#answered) return
    const { connect_timeout, response_timeout } = this.out.plan.route
    const connection = this.#connection!
    if (!connection.connected) {
      if (now - this.#progressAt < connect_timeout) return
      this.#carrier.upstreams.failed(connection.upstream)
      connection.abandon(this)
      if (this.#tryNext()) return
    } else if (!this.#upload.done && !connection.blocked) {
      // We are waiting for the client.
      if (now - this.#upload.progressAt >= maxSilenceSeconds) this.#giveUp('slow body')
      return
    } else if (now - this.#progressAt < response_timeout) return
    this.#giveUp('timeout', 'ETIMEDOUT')
  }

  breakOff(): void {
    this.#giveUp('ended')
    // The client is still sending a body that we no longer read.
    if (!this.#upload.done) this.#to.destroy()
  }

  #giveUp(failure: Failure, error?: string): void {
    if (this.#over) return
    const to = this.#to
    const { id: route } = this.out.plan.route
    if (error !== undefined) this.#carrier.log.warn({ route, error }, 'the upstream did not answer')
    this.#leave()
    // A body that the upstream cut short is cut short here too, never completed.
    if (to.headersSent || to.destroyed) to.destroy()
    else this.#fail(failure)
  }

  /** The client has gone, has the complete response, or gets a refusal instead. */
  #leave(): void {
    if (this.#over) return
    this.#conclude()
    this.#connection!.abandon(this)
  }

  #conclude(): void {
    this.#over = true
    this.#carrier.ended(this)
    this.#upload.discard()
  }
}
