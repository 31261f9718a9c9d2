import type { Socket } from 'node:net'
import { head as responseHead } from '../../wire/parser.ts'
import type { Asker } from '../../wire/response_sink.ts'
import type { Head } from '../../wire/http_parser.ts'
import { responseHeaders } from './response_headers.ts'
import { headFor } from './outgoing_head.ts'
import { addTrailers, passHints, reason, type Recipient } from '../../wire/client_response.ts'
import { maxSilence, Upload } from './upload.ts'
import type { UpstreamConnection } from '../../upstream/connection.ts'
import { isRepeatable, type Carrier, type Failure, type Forwarded, type Timed } from './forwarded.ts'
import type { Upstream } from '../../upstream/upstream.ts'

/** Answers up to this size that came at once leave in one write, together with their head. */
const smallBody = 16 * 1024

/** One request on its way to an upstream, and its answer on the way back. */
export class Exchange implements Asker, Timed {
  readonly bodiless: boolean
  readonly out: Forwarded
  place = -1
  readonly #carrier: Carrier
  readonly #to: Recipient
  readonly #fail: (failure: Failure) => void
  #connection: UpstreamConnection | undefined
  /** The upstreams that gave no answer to this request. */
  #tried: readonly Upstream[] = []
  /** Of the clock: when anything last moved in this direction. */
  #moved: number
  readonly #upload: Upload
  /** Known but not yet written: it may leave together with the body. */
  #head: Head | undefined
  #first: Buffer | undefined
  #answered = false
  #over = false

  constructor(carrier: Carrier, out: Forwarded, to: Recipient, fail: (failure: Failure) => void) {
    this.bodiless = out.asked.method === 'HEAD'
    this.#carrier = carrier
    this.out = out
    this.#to = to
    this.#fail = fail
    this.#upload = new Upload(this)
    this.#moved = carrier.clock
  }

  begin(): void {
    this.#to.once('close', () => this.#leave())
    this.#ask(this.#carrier.upstreams.next(this.out.plan), true)
  }

  #ask(upstream: Upstream, kept: boolean): void {
    const { body } = this.out
    const { pool } = this.#carrier
    const connection = kept ? pool.take(upstream, isRepeatable(this.out)) : pool.open(upstream)
    this.#connection = connection
    connection.ask(this, headFor(this.out, upstream), body !== undefined)
    if (connection.connected && body) this.#upload.send(connection)
  }

  /** Asks another upstream, each at most once; false when there is no other. */
  #askNext(): boolean {
    const { plan } = this.out
    this.#tried = [...this.#tried, this.#connection!.upstream]
    if (this.#tried.length >= plan.upstreams.length) return false
    this.#moved = this.#carrier.clock
    this.#ask(this.#carrier.upstreams.next(plan, this.#tried), true)
    return true
  }

  /** Only now the body is read: what no upstream was sent can still go to another one. */
  connected(): void {
    this.#moved = this.#upload.moved = this.#carrier.clock
    this.#carrier.upstreams.succeeded(this.#connection!.upstream)
    if (this.out.body) this.#upload.send(this.#connection!)
  }

  // The request's body, to the upstream.

  get over(): boolean {
    return this.#over
  }

  get clock(): number {
    return this.#carrier.clock
  }

  uploaded(): void {
    this.#moved = this.clock
  }

  tooLarge(): void {
    this.#giveUp('large body')
  }

  drain(): void {
    this.#moved = this.clock
    this.#upload.drain()
  }

  // The answer, to the client.

  get takesWhole(): boolean {
    return this.#to.sendWhole !== undefined && this.out.answerHeaders.length === 0
  }

  whole(length: number): boolean {
    const to = this.#to
    if (to.destroyed) return false
    const whole = to.readWhole!(length, this.bodiless)
    if (whole === undefined) return false
    const { status } = responseHead
    this.#answered = true
    this.#conclude()
    this.#connection!.settleWhole()
    to.sendWhole!(status, whole)
    return true
  }

  information({ status, rawHeaders }: Head): void {
    this.#moved = this.#carrier.clock
    if (status === 100 && this.out.asked.expect !== undefined) this.#to.writeContinue()
    if (status === 103) passHints(this.#to, rawHeaders)
  }

  head(head: Head): void {
    this.#answered = true
    this.#head = head
  }

  body(chunk: Buffer): boolean {
    if (this.#head && this.#first === undefined) {
      this.#first = chunk
      return false
    }
    this.#writeHead()
    this.#write(chunk)
    return this.#to.flushed === true
  }

  flush(): void {
    if (!this.#head) return
    const first = this.#first
    this.#writeHead()
    // Nothing says how soon the first byte comes: an event stream is silent until something happens.
    if (first === undefined) this.#to.flushHeaders()
  }

  end(rawTrailers: readonly string[]): void {
    const to = this.#to
    this.#conclude()
    if (to.destroyed) return
    if (rawTrailers.length > 0) {
      this.#writeHead()
      addTrailers(to, responseHeaders(rawTrailers, []))
    }
    const first = this.#first
    if (this.#head) this.#startAnswer(this.#head)
    // As text it is put behind the head and leaves with it; every byte is one character of latin1.
    if (first !== undefined && first.length <= smallBody) to.end(first.toString('latin1'), 'latin1')
    else to.end(first)
  }

  #writeHead(): void {
    const head = this.#head
    if (!head) return
    this.#head = undefined
    this.#startAnswer(head)
    if (this.#first !== undefined) this.#write(this.#first)
    this.#first = undefined
  }

  #startAnswer({ status, message, rawHeaders }: Head): void {
    this.#to.writeHead(status, reason(message), responseHeaders(rawHeaders, this.out.answerHeaders))
  }

  #write(chunk: Buffer): void {
    if (this.#to.write(chunk)) return
    const connection = this.#connection!
    connection.pause()
    this.#to.once('drain', () => {
      if (!this.#over) connection.resume()
    })
  }

  /** An upgrade that nobody asked for. */
  switched(socket: Socket): void {
    socket.destroy()
    this.#giveUp('unreachable')
  }

  // How it may end otherwise.

  broken(error: NodeJS.ErrnoException): void {
    if (this.#over) return
    const { reused, connected, upstream } = this.#connection!
    // Kept connections may be closed by the upstream at the very moment they are used again.
    const again = !this.#answered && isRepeatable(this.out)
    if (reused && again) return this.#ask(upstream, false)
    if (!connected) this.#carrier.upstreams.failed(upstream)
    if ((!connected || again) && this.#askNext()) return
    this.#giveUp('unreachable', error.code ?? error.message)
  }

  watchTime(now: number): void {
    if (this.#answered) return
    const { connect_timeout, response_timeout } = this.out.plan.route
    const connection = this.#connection!
    if (!connection.connected) {
      if (now - this.#moved < connect_timeout) return
      this.#carrier.upstreams.failed(connection.upstream)
      connection.abandon(this)
      if (this.#askNext()) return
    } else if (!this.#upload.done && !connection.blocked) {
      // It is the client who is waited for.
      if (now - this.#upload.moved >= maxSilence) this.#giveUp('slow body')
      return
    } else if (now - this.#moved < response_timeout) return
    this.#giveUp('timeout', 'ETIMEDOUT')
  }

  breakOff(): void {
    this.#giveUp('ended')
    if (!this.#upload.done) this.#to.destroy() // Still sending: nobody reads that any more.
  }

  #giveUp(failure: Failure, error?: string): void {
    if (this.#over) return
    const to = this.#to
    const { id: route } = this.out.plan.route
    if (error !== undefined) this.#carrier.log.warn({ route, error }, 'no answer from the upstream')
    this.#leave()
    // A body that was cut short upstream is cut short here too, never completed.
    if (to.headersSent || to.destroyed) to.destroy()
    else this.#fail(failure)
  }

  /** The client has gone, has the whole answer, or gets another one than the upstream's. */
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
