import { connect, type Socket } from 'node:net'
import { doneWith, head, inbox, inboxSize, readResponseHead } from '../wire/parser.ts'
import type { ResponseSink } from '../wire/response_sink.ts'
import { ResponseParser, unexpected, type Head, type Reader } from '../wire/http_parser.ts'
import { RequestWriter } from './request_writer.ts'
import { dialOptions, type Upstream } from './upstream.ts'

/** Responses with a status of 100 to 199 before the response itself. One of them every few seconds says that the upstream still works. */
const maxInformational = 1000

/** A connection to an upstream. It carries one request at a time, and is reused only if the exchange was entirely regular. */
export class UpstreamConnection implements Reader {
  readonly upstream: Upstream
  readonly #socket: Socket
  /** Reads responses that do not arrive whole and in the usual form. */
  #parser: ResponseParser | undefined
  /** Whether the parser has begun with the current response. */
  #parsing = false
  readonly request: RequestWriter
  readonly #released: (connection: UpstreamConnection) => void
  #asker: ResponseSink | undefined
  #trailers: readonly string[] | undefined
  #answered = false
  /** How many informational responses to the current request have arrived. */
  #informed = 0
  #keepAlive = false
  #switches = false
  /** More has arrived than the response. */
  #surplus = false
  #wholeRequest = false
  #reading = false
  #gone = false
  /** The buffer that replaces the inbox for a long body. */
  #own: Buffer | undefined
  /** True after the first response. From then on, the upstream may have closed the connection without our knowing yet. */
  reused = false
  connected = false
  /** Whether anything has arrived since the current request was sent, readable or not. */
  heard = false

  /** `released` is called when the connection can take another request. `switches`: the request switches protocols. */
  constructor(upstream: Upstream, released: (connection: UpstreamConnection) => void, switches: boolean) {
    this.upstream = upstream
    this.#released = released
    const onread = { buffer: this.#nextBuffer, callback: this.#onRead }
    const dial = { ...dialOptions(upstream), noDelay: true }
    const socket = connect(switches ? dial : { ...dial, onread })
    this.#socket = socket
    this.request = new RequestWriter(socket)
    if (switches) socket.on('data', (bytes) => this.#read(bytes))
    socket.on('connect', () => {
      this.connected = true
      this.#asker?.connected()
    })
    socket.on('end', () => this.#ended())
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy(unexpected('the upstream closed the connection')))
    socket.on('drain', () => this.#asker?.drain())
  }

  readonly #nextBuffer = (): Buffer => {
    // A response that is incomplete after one read is probably long: copying it out of the inbox would cost too much.
    if (this.#asker !== undefined && this.#answered) return (this.#own ??= Buffer.allocUnsafeSlow(inboxSize))
    this.#own = undefined
    return inbox
  }

  readonly #onRead = (length: number, buffer: Uint8Array): boolean => {
    // These bytes were sent before our request.
    if (this.request.waits) {
      this.destroy(unexpected('the upstream sent a response without a request'))
      return true
    }
    this.heard = true
    if (buffer !== inbox) this.#read((buffer as Buffer).subarray(0, length))
    else {
      if (this.#parsing || !this.#readWhole(length)) this.#read(inbox.subarray(0, length))
      doneWith(length)
    }
    return true
  }

  get usable(): boolean {
    return !this.#gone
  }

  /** Whether the upstream is slower than what we write. */
  get blocked(): boolean {
    return this.#socket.writableNeedDrain
  }

  /** Sends the head of a request. A body follows by `request.write` and `endRequest`. */
  send(asker: ResponseSink, head: string, hasBody: boolean): void {
    this.#asker = asker
    this.#answered = this.heard = false
    this.#informed = 0
    this.#wholeRequest = !hasBody
    this.request.writeHead(head)
  }

  endRequest(): void {
    this.#wholeRequest = true
  }

  /** Stops reading, because the client is slower than the upstream. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Ends the connection. A request without a complete response gets the error. */
  destroy(error: NodeJS.ErrnoException = unexpected('the request was abandoned')): void {
    if (this.#gone) return
    this.#gone = true
    this.#socket.destroy()
    // The parser must not be closed from one of its own callbacks.
    if (!this.#reading) this.#parser?.close()
    const asker = this.#asker
    this.#asker = undefined
    asker?.broken(error)
  }

  /** The request ends early: closes the connection without a call to `broken`. Does nothing after the response has ended. */
  abandon(asker: ResponseSink): void {
    if (this.#asker !== asker) return
    this.#asker = undefined
    this.destroy()
  }

  readHead(head: Head): boolean {
    const asker = this.#asker
    // The response is complete, and what follows it is for nobody.
    if (this.#trailers !== undefined) return (this.#surplus = true)
    if (!asker || this.#answered) {
      this.destroy(unexpected('the upstream sent a response without a request'))
      return false
    }
    if (head.status === 101 && head.upgrade) {
      this.#switches = true
      asker.head(head)
      return false
    }
    if (head.status >= 100 && head.status < 200 && head.status !== 101) {
      if (++this.#informed <= maxInformational) asker.information(head)
      else this.destroy(unexpected('the upstream sends informational responses without end'))
      return false
    }
    // Below 200, only a 101 that was not requested or an invalid status (RFC 9110 section 15) gets here.
    if (head.status < 200 || head.status > 999) {
      this.destroy(unexpected('the response has an invalid status'))
      return false
    }
    this.#answered = true
    this.#keepAlive = head.keepAlive
    asker.head(head)
    return asker.bodiless
  }

  readBody(chunk: Buffer): void {
    if (this.#surplus) return
    if (chunk.buffer === inbox.buffer) this.#asker?.body(Buffer.from(chunk))
    // The chunk is still in use unless `body` returned true, so take a new buffer next time.
    else if (!this.#asker?.body(chunk)) this.#own = undefined
  }

  readEnd(rawTrailers: readonly string[]): void {
    // An informational message ends as well, but the response is still to come.
    if (this.#answered) this.#trailers ??= rawTrailers
  }

  /** Most responses arrive whole, in one read, and are passed on as received. */
  #readWhole(length: number): boolean {
    const asker = this.#asker
    if (this.#gone || !asker?.takesWhole || !readResponseHead(length)) return false
    return asker.whole(length)
  }

  /** The inbox holds the complete response, and `head` is its head. */
  settleWhole(): void {
    this.#asker = undefined
    this.reused = true
    // As in `#settle`.
    if (head.keepAlive && this.#wholeRequest) this.#released(this)
    else this.destroy()
  }

  #read(bytes: Buffer): void {
    if (this.#gone) return
    this.#reading = this.#parsing = true
    const parser = (this.#parser ??= new ResponseParser(this))
    let taken
    try {
      taken = parser.read(bytes)
    } catch (error) {
      taken = error as Error
    }
    this.#reading = false
    if (this.#gone) return parser.close()
    // A body where none may be, for instance after HEAD, spoils the connection, not the response.
    if (taken instanceof Error && this.#trailers === undefined) return this.destroy(taken)
    if (this.#switches) return this.#handOver(bytes.subarray(Number(taken)))
    this.#settle(taken === bytes.length && !this.#surplus)
  }

  #settle(clean: boolean): void {
    const asker = this.#asker
    if (!asker) return this.destroy()
    const trailers = this.#trailers
    if (trailers === undefined) return asker.flush()
    this.#trailers = this.#asker = undefined
    this.#parsing = false
    this.reused = true
    // An upstream that answers before it has the complete request may still be reading it, so nothing else is sent there.
    if (clean && this.#keepAlive && this.#wholeRequest) {
      // A connection paused at its last bytes would stay paused for the next request.
      this.#socket.resume()
      this.#released(this)
    } else this.destroy()
    asker.end(trailers)
  }

  #ended(): void {
    if (this.#gone) return
    this.#reading = true
    const error = this.#parsing ? this.#parser!.end() : undefined
    this.#reading = false
    if (this.#gone) return this.#parser?.close()
    this.#keepAlive = false
    if (error) return this.destroy(error)
    if (this.#trailers !== undefined) return this.#settle(true)
    this.destroy(unexpected('the upstream closed the connection'))
  }

  /** Hands over the socket, which no longer speaks HTTP. */
  #handOver(first: Buffer): void {
    const asker = this.#asker!
    const socket = this.#socket
    this.#asker = undefined
    this.#gone = true
    this.#parser?.close()
    for (const event of ['data', 'end', 'error', 'close', 'drain', 'connect'])
      socket.removeAllListeners(event)
    socket.pause()
    asker.switched(socket, first)
  }
}
