import type { Socket } from 'node:net'
import type { Head } from './message_parser.ts'
import type { Failure, Forwarded, Forwarder } from './forward.ts'
import { requestHead, responseHeaders, trailersFor } from './headers.ts'
import type { Body, Recipient } from './recipient.ts'
import type { Asker, UpstreamConnection } from './upstream_connection.ts'

/** Seconds that a client may be silent in the middle of a body it sends. */
const bodyPatience = 60
/** Answers up to this size that came at once leave in one write, together with their head. */
const smallBody = 16 * 1024

/** The reason phrase as it may be written again; parsers let pass more than that. */
export const reason = (message: string): string => message.replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/g, '')

/** One request on its way to an upstream, and its answer on the way back. */
export class Exchange implements Asker {
  readonly bodiless: boolean
  readonly #forwarder: Forwarder
  readonly #out: Forwarded
  readonly #to: Recipient
  readonly #fail: (failure: Failure) => void
  #connection: UpstreamConnection | undefined
  /** Of the clock: when anything last moved in this direction. */
  #moved: number
  #bodyMoved: number
  #bodyDone: boolean
  #bodyLength = 0
  /** Known but not yet written: it may leave together with the body. */
  #head: Head | undefined
  #first: Buffer | undefined
  #answered = false
  #over = false

  constructor(forwarder: Forwarder, out: Forwarded, to: Recipient, fail: (failure: Failure) => void) {
    this.bodiless = out.asked.method === 'HEAD'
    this.#forwarder = forwarder
    this.#out = out
    this.#to = to
    this.#fail = fail
    this.#bodyDone = out.body === undefined
    this.#moved = this.#bodyMoved = forwarder.clock
  }

  begin(): void {
    this.#to.once('close', () => this.#left())
    this.#ask(true)
    if (this.#out.body) this.#sendBody(this.#out.body)
  }

  /** May be sent again on a fresh connection when a kept one turned out to be closed (RFC 9110 section 9.2.2). */
  get #repeatable(): boolean {
    const { asked, body } = this.#out
    const { method } = asked
    return body === undefined && (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')
  }

  #ask(kept: boolean): void {
    const { plan, asked, target, headers, body } = this.#out
    const upstream = plan.upstreams[0]!
    const { pool } = this.#forwarder
    const connection = kept ? pool.take(upstream, this.#repeatable) : pool.open(upstream)
    this.#connection = connection
    connection.ask(this, requestHead(asked, target, headers), body !== undefined)
  }

  // The request's body, to the upstream.

  #sendBody(body: Body): void {
    body.on('data', (chunk) => this.#writeBody(chunk))
    body.once('end', () => {
      this.#bodyDone = true
      this.#moved = this.#forwarder.clock
      if (this.#over) return
      if (this.#out.asked.body === 'chunked')
        this.#connection!.write(`0\r\n${trailersFor(body.rawTrailers)}\r\n`)
      this.#connection!.endRequest()
    })
  }

  #writeBody(chunk: Buffer): void {
    if (this.#over) return
    this.#bodyMoved = this.#forwarder.clock
    this.#bodyLength += chunk.length
    const { max_body } = this.#out.plan.route
    if (max_body !== null && this.#bodyLength > max_body) return this.#giveUp('large body')
    const connection = this.#connection!
    if (this.#out.asked.body === 'chunked') {
      connection.cork()
      connection.write(`${chunk.length.toString(16)}\r\n`)
      connection.write(chunk)
      connection.write('\r\n')
      connection.uncork()
    } else connection.write(chunk)
    if (connection.blocked) this.#out.body!.pause()
  }

  drain(): void {
    this.#moved = this.#bodyMoved = this.#forwarder.clock
    this.#out.body?.resume()
  }

  // The answer, to the client.

  information({ status, rawHeaders }: Head): void {
    this.#moved = this.#forwarder.clock
    if (status === 100 && this.#out.asked.expect !== undefined) this.#to.writeContinue()
    if (status === 103) passHints(this.#to, rawHeaders)
  }

  head(head: Head): void {
    this.#answered = true
    this.#head = head
  }

  body(chunk: Buffer): void {
    if (this.#head && this.#first === undefined) this.#first = chunk
    else {
      this.#writeHead()
      this.#write(chunk)
    }
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
      to.end()
    } else if (this.#head) {
      const first = this.#first
      this.#startAnswer(this.#head)
      // As text it is put behind the head and leaves with it; every byte is one character of latin1.
      if (first !== undefined && first.length <= smallBody) to.end(first.toString('latin1'), 'latin1')
      else to.end(first)
    } else to.end()
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
    this.#to.writeHead(status, reason(message), responseHeaders(rawHeaders, this.#out.answerHeaders))
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
    const { reused } = this.#connection!
    // Kept connections may be closed by the upstream at the very moment they are used again.
    if (reused && !this.#answered && this.#repeatable) return this.#ask(false)
    const { log } = this.#forwarder
    log.warn(
      { route: this.#out.plan.route.id, error: error.code ?? error.message },
      'no answer from the upstream',
    )
    this.#giveUp('unreachable')
  }

  /** Called every tick. Seconds of the clock. */
  watchTime(now: number): void {
    if (this.#answered) return
    const { connect_timeout, response_timeout, id } = this.#out.plan.route
    const connection = this.#connection!
    const waitsForClient = !this.#bodyDone && !connection.blocked
    if (!connection.connected) {
      if (now - this.#moved < connect_timeout) return
    } else if (waitsForClient) {
      if (now - this.#bodyMoved >= bodyPatience) this.#giveUp('slow body')
      return
    } else if (now - this.#moved < response_timeout) return
    this.#forwarder.log.warn({ route: id, error: 'ETIMEDOUT' }, 'no answer from the upstream')
    this.#giveUp('timeout')
  }

  #giveUp(failure: Failure): void {
    if (this.#over) return
    const to = this.#to
    this.#conclude()
    this.#connection!.abandon(this)
    // A body that was cut short upstream is cut short here too, never completed.
    if (to.headersSent || to.destroyed) to.destroy()
    else this.#fail(failure)
  }

  /** The client has gone, or it has the whole answer. */
  #left(): void {
    if (this.#over) return
    this.#conclude()
    this.#connection!.abandon(this)
  }

  #conclude(): void {
    this.#over = true
    this.#forwarder.ended(this)
    if (this.#bodyDone) return
    // The upstream wants no more of a body: the rest is read away, or the next request on this connection would wait behind it.
    this.#out.body!.resume()
  }
}

/** One link of a Link header (RFC 8288 section 3), as narrow as Node writes them. */
const link = /^<[^>\s]*>(\s*;\s*[^;"\s]+(=("[^;"\s]*"|[^;"\s]*))?)*$/

/** Hints are help, not an answer: those that are not well formed are left out. */
const passHints = (to: Recipient, rawHeaders: readonly string[]) => {
  const links = rawHeaders
    .filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === 'link')
    .flatMap((value) => value.split(/,\s*(?=<)/))
  if (links.length > 0 && links.every((one) => link.test(one))) to.writeEarlyHints({ link: links })
}

const addTrailers = (to: Recipient, list: readonly string[]) => {
  const pairs: [string, string][] = []
  for (let i = 0; i < list.length; i += 2) pairs.push([list[i]!, list[i + 1]!])
  to.addTrailers(pairs)
}
