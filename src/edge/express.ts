import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Log } from '../log.ts'
import type { Door } from './door.ts'
import { PlainRequestParser, type RequestHead } from './message_parser.ts'
import type { Recipient, Sent } from './recipient.ts'
import { asksForEvents } from './draining.ts'

/** Seconds that a connection may wait for its next request; as long as node:http is told to keep one. */
const maxIdle = 65
/** Seconds that a new connection may be silent. */
const maxSilent = 15
/** What may wait behind a request that is being answered, before we stop reading. */
const maxWaiting = 64 * 1024

/**
 * Connections over which plain requests come (a GET or HEAD of HTTP/1.1 in one piece, without a body) are served here
 * without the objects of node:http. Everything else, from a body to a page of ours to a byte that does not
 * fit, is handed to node:http together with its connection: it reads the very same bytes and judges anew.
 */
export class ExpressLane {
  readonly door: Door
  readonly log: Log
  readonly #plain: Server
  readonly #open = new Set<ExpressConnection>()
  /** Seconds, counted by a timer. */
  clock = 0
  readonly #timer = setInterval(() => this.#sweep(), 1000).unref()
  /** Every answer is its connection's last. */
  closing = false
  /** Connections that wait are not waited for any more. */
  over = false

  constructor(door: Door, plain: Server, log: Log) {
    this.door = door
    this.log = log
    this.#plain = plain
  }

  get size(): number {
    return this.#open.size
  }

  accept(socket: Socket): void {
    this.#open.add(new ExpressConnection(this, socket))
  }

  /** The connection is node:http's from now on, beginning with these bytes. */
  handOver(connection: ExpressConnection, socket: Socket, bytes: Buffer): void {
    this.#open.delete(connection)
    if (bytes.length > 0) socket.unshift(bytes)
    this.#plain.emit('connection', socket)
    socket.resume()
  }

  left(connection: ExpressConnection): void {
    this.#open.delete(connection)
  }

  /** From now on every connection ends with its next answer. */
  drain(): void {
    this.closing = true
    for (const connection of this.#open) connection.makeLast()
  }

  /** Ends connections that wait, and event streams, which would never end; the others end behind their answer. */
  endIdle(): void {
    this.over = true
    for (const connection of this.#open) {
      if (connection.streamsEvents) connection.destroy()
      else connection.endIfIdle()
    }
  }

  destroyAll(): void {
    clearInterval(this.#timer)
    for (const connection of this.#open) connection.destroy()
  }

  #sweep(): void {
    this.clock++
    for (const connection of this.#open)
      if (this.clock - connection.idleSince > maxIdle) connection.endIfIdle()
  }
}

const empty = Buffer.alloc(0)

/** One connection, one request at a time. It is itself whom the answer goes to. */
class ExpressConnection implements Recipient {
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
    if (!this.#request && this.#held.length === 0) return this.#take(bytes)
    this.#held = Buffer.concat([this.#held, bytes])
    if (this.#held.length > maxWaiting) this.#socket.pause()
  }
  // Nobody is there any more who would read an answer, as node:http sees it too.
  readonly #onEnd = (): void => void (this.#request ? this.destroy() : this.#socket.end())
  readonly #onError = (): void => this.destroy()
  readonly #onClosed = (): void => this.#leave()

  get destroyed(): boolean {
    return this.#gone
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
    this.#serve(head)
  }

  #serve({ method, url, rawHeaders }: RequestHead): void {
    const { door } = this.#lane
    const sent: Sent = { method, url, rawHeaders, httpVersion: '1.1', socket: this.#socket }
    try {
      const served = door.serveExpress(sent, this)
      if (served instanceof Promise) void this.#await(served)
      else this.#served(served)
    } catch (error) {
      this.#broke(error as Error)
    }
  }

  async #await(served: Promise<boolean>): Promise<void> {
    try {
      this.#served(await served)
    } catch (error) {
      this.#broke(error as Error)
    }
  }

  /** What the door does not serve here, node:http does. */
  #served(done: boolean): void {
    if (!done && !this.#gone) this.#handOver(this.#held)
  }

  #broke(error: Error): void {
    this.#lane.log.error({ error: error.stack }, 'internal error at the edge')
    if (this.headersSent || this.#gone) return this.destroy()
    this.shouldKeepAlive = false
    this.writeHead(500, 'Internal Server Error', ['content-type', 'text/plain', 'content-length', '15'])
    this.end('Internal error\n')
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
    let head = `HTTP/1.1 ${status} ${message}\r\n`
    let lengthTold = status === 204 || status === 304 || this.#request!.method === 'HEAD'
    let dated = false
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i]!
      const value = headers[i + 1]!
      if (value.includes('\n') || value.includes('\r')) throw new TypeError(`${name} holds a line break`)
      const { length } = name
      if (length === 14) lengthTold ||= name.toLowerCase() === 'content-length'
      else if (length === 4) dated ||= name.toLowerCase() === 'date'
      else if (length === 10 && name.toLowerCase() === 'connection') {
        // Ours to say: it is told of once, below.
        this.shouldKeepAlive = false
        continue
      }
      head += `${name}: ${value}\r\n`
    }
    if (!dated) head += `Date: ${date()}\r\n`
    if (!this.shouldKeepAlive) head += 'Connection: close\r\n'
    this.#chunked = !lengthTold
    if (!lengthTold) head += 'Transfer-Encoding: chunked\r\n'
    this.headersSent = true
    this.statusCode = status
    this.#trailers = ''
    this.#head = `${head}\r\n`
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
        const body = this.#chunked ? `${text.length.toString(16)}\r\n${text}\r\n` : text
        this.#head += body
      } else this.write(typeof text === 'string' ? Buffer.from(text, encoding) : text)
    }
    const last = this.#chunked ? `0\r\n${this.#trailers}\r\n` : ''
    const rest = `${this.#head ?? ''}${last}`
    this.#head = undefined
    if (rest !== '') this.#socket.write(rest, 'latin1')
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
    // Not from here: a thousand pipelined requests would be a thousand calls deep.
    if (this.#held.length > 0) setImmediate(this.#goOn)
  }

  /** With the request that was sent behind the one before it. */
  readonly #goOn = (): void => {
    if (this.#gone) return
    this.#socket.resume()
    this.#take(this.#held)
  }
}

let told = { second: 0, text: '' }
/** The present time as Date tells it (RFC 9110 section 6.6.1), made once a second. */
const date = (): string => {
  const second = Math.floor(Date.now() / 1000)
  if (second !== told.second) told = { second, text: new Date().toUTCString() }
  return told.text
}
