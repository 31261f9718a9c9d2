import type { Socket } from 'node:net'
import { answerHead } from './answer_head.ts'
import { asksForEvents } from './draining.ts'
import type { ExpressLane } from './express.ts'
import { PlainRequestParser, type RequestHead } from './message_parser.ts'
import type { Recipient, Sent } from './recipient.ts'
import { holdUntilTurnEnds, serveWhenTurnEnds } from './turn.ts'

/** Seconds that a connection may wait for its next request; as long as node:http is told to keep one. */
export const maxIdle = 65
/** Seconds that a new connection may be silent. */
const maxSilent = 15
/** What may wait behind a request that is being answered, before we stop reading. */
const maxWaiting = 64 * 1024
const empty = Buffer.alloc(0)

/** One connection, one request at a time. It is itself whom the answer goes to. */
export class ExpressConnection implements Recipient {
  place = -1
  readonly #lane: ExpressLane
  readonly #socket: Socket
  readonly #parser = new PlainRequestParser()
  /** Everything from the first byte of the present request on. */
  #held: Buffer = empty
  #request: RequestHead | undefined
  #gone = false
  idleSince: number
  // Of the answer to the present request.
  headersSent = false
  shouldKeepAlive = true
  statusCode = 0
  /** Built but not yet written: it leaves with what is written next. */
  #head: string | undefined
  #chunked = false
  #trailers = ''
  #onClose: (() => void) | undefined

  constructor(lane: ExpressLane, socket: Socket) {
    this.#lane = lane
    this.#socket = socket
    // Who opens a connection has something to ask: it is not kept as long as one that has been used.
    this.idleSince = lane.clock - (maxIdle - maxSilent)
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClosed)
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#gone) return
    const waits = this.#request !== undefined || this.#held.length > 0
    if (!waits && !this.#socket.writableNeedDrain) return this.#take(bytes)
    this.#held = Buffer.concat([this.#held, bytes])
    if (!waits) this.#next()
    if (this.#held.length > maxWaiting) this.#socket.pause()
  }
  // Nobody is there any more who would read an answer, as node:http sees it too.
  readonly #onEnd = (): void => void (this.#request ? this.destroy() : this.#socket.end())
  readonly #onError = (): void => this.destroy()
  readonly #onClosed = (): void => this.#leave()

  get destroyed(): boolean {
    return this.#gone
  }

  get flushed(): boolean {
    return this.#socket.writableLength === 0
  }

  endIfIdle(): void {
    if (!this.#request && this.#held.length === 0) this.destroy()
  }

  makeLast(): void {
    if (this.#request && !this.headersSent && this.#held.length <= this.#request.length)
      this.shouldKeepAlive = false
  }

  get streamsEvents(): boolean {
    return this.#request !== undefined && asksForEvents(this.#request.rawHeaders)
  }

  #take(bytes: Buffer): void {
    const head = this.#parser.read(bytes)
    if (!head) return this.#handOver(bytes)
    this.#held = bytes
    this.#request = head
    this.headersSent = false
    this.shouldKeepAlive = head.keepAlive && !this.#lane.closing
    serveWhenTurnEnds(this)
  }

  /** Has the present request served. */
  serve(): void {
    if (this.#gone) return
    const { method, url, rawHeaders } = this.#request!
    const sent: Sent = { method, url, rawHeaders, httpVersion: '1.1', socket: this.#socket }
    try {
      const served = this.#lane.door.serveExpress(sent, this)
      if (served instanceof Promise) void this.#await(served, sent)
      else this.#served(served)
    } catch (error) {
      this.#lane.door.broke(error, sent, this)
    }
  }

  async #await(served: Promise<boolean>, sent: Sent): Promise<void> {
    try {
      this.#served(await served)
    } catch (error) {
      this.#lane.door.broke(error, sent, this)
    }
  }

  /** What the door does not serve here, node:http does. */
  #served(done: boolean): void {
    if (!done && !this.#gone) this.#handOver(this.#held)
  }

  #handOver(bytes: Buffer): void {
    const socket = this.#socket
    socket.off('data', this.#onData)
    socket.off('end', this.#onEnd)
    socket.off('error', this.#onError)
    socket.off('close', this.#onClosed)
    socket.pause()
    this.#gone = true
    this.#parser.close()
    this.#lane.handOver(this, socket, bytes)
  }

  #leave(): void {
    if (this.#gone) return
    this.#gone = true
    this.#parser.close()
    this.#lane.left(this)
    this.#closed()
  }

  /** The answer is whole, or nobody will read it. */
  #closed(): void {
    const onClose = this.#onClose
    this.#onClose = undefined
    onClose?.()
  }

  destroy(): void {
    this.#socket.destroy()
    this.#leave()
  }

  once(event: 'close' | 'drain', listener: () => void): void {
    if (event === 'drain') return void this.#socket.once('drain', listener)
    const before = this.#onClose
    this.#onClose = before
      ? () => {
          before()
          listener()
        }
      : listener
  }

  // The answer.

  writeHead(status: number, message: string, headers: string[]): void {
    this.statusCode = status
    const head = answerHead(status, message, headers, this.#bodiless, !this.shouldKeepAlive)
    this.#chunked = head.chunked
    this.shouldKeepAlive = !head.last
    this.headersSent = true
    this.#trailers = ''
    this.#head = head.text
  }

  flushHeaders(): void {
    if (this.#head === undefined) return
    const head = this.#head
    this.#head = undefined
    this.#socket.write(head, 'latin1')
  }

  /** Nobody here asked whether to go on. */
  writeContinue(): void {}

  writeEarlyHints({ link }: { link: string[] }): void {
    const lines = link.map((one) => `Link: ${one}\r\n`).join('')
    this.#socket.write(`HTTP/1.1 103 Early Hints\r\n${lines}\r\n`, 'latin1')
  }

  write(chunk: Buffer): boolean {
    if (chunk.length === 0 || this.#bodiless) return true
    const socket = this.#socket
    socket.cork()
    this.flushHeaders()
    if (this.#chunked) socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
    let goesOn = socket.write(chunk)
    if (this.#chunked) goesOn = socket.write('\r\n', 'latin1')
    socket.uncork()
    return goesOn
  }

  get #bodiless(): boolean {
    return this.#request?.method === 'HEAD' || this.statusCode === 204 || this.statusCode === 304
  }

  addTrailers(trailers: [string, string][]): void {
    for (const [name, value] of trailers) this.#trailers += `${name}: ${value}\r\n`
  }

  end(text?: Buffer | string, encoding: BufferEncoding = 'utf8'): void {
    if (text !== undefined && text.length > 0 && !this.#bodiless) {
      // All that is left leaves in one write.
      if (typeof text === 'string' && encoding === 'latin1' && this.#head !== undefined) {
        this.#head += this.#chunked ? `${text.length.toString(16)}\r\n${text}\r\n` : text
      } else this.write(typeof text === 'string' ? Buffer.from(text, encoding) : text)
    }
    if (this.#chunked) this.#head = `${this.#head ?? ''}0\r\n${this.#trailers}\r\n`
    if (this.#head !== undefined) holdUntilTurnEnds(this.#socket)
    this.flushHeaders()
    this.#finish()
  }

  #finish(): void {
    const { length } = this.#request!
    this.#request = undefined
    this.idleSince = this.#lane.clock
    this.#closed()
    if (this.#gone) return
    const waits = this.#held.length <= length
    if (!this.shouldKeepAlive || (this.#lane.over && waits)) {
      this.#leave()
      return this.#socket.destroySoon()
    }
    this.#held = waits ? empty : this.#held.subarray(length)
    if (this.#held.length > 0) this.#next()
  }

  #next(): void {
    // Who asks again and again and reads no answer would have us keep them all.
    if (this.#socket.writableNeedDrain) this.#socket.once('drain', this.#goOn)
    // Not from here: a thousand pipelined requests would be a thousand calls deep.
    else setImmediate(this.#goOn)
  }

  /** With the request that was sent behind the one before it. */
  readonly #goOn = (): void => {
    if (this.#gone) return
    this.#socket.resume()
    this.#take(this.#held)
  }
}
