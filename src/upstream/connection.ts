import { connect, type Socket } from 'node:net'
import { doneWith, head, inbox, inboxSize, readResponseHead } from '../wire/parser.ts'
import type { Asker } from '../wire/response_sink.ts'
import { AnswerParser, type Head, type Reader } from '../wire/http_parser.ts'
import { RequestWriter } from './request_writer.ts'
import type { Upstream } from './upstream.ts'

const dialOptions = (upstream: Upstream) =>
  'path' in upstream ? { path: upstream.path } : { host: upstream.host, port: upstream.port }

const unexpected = (text: string): NodeJS.ErrnoException =>
  Object.assign(new Error(text), { code: 'EUPSTREAM' })

/** A connection to an upstream: one request at a time, and kept for the next only if nothing at all was odd. */
export class UpstreamConnection implements Reader {
  readonly upstream: Upstream
  readonly #socket: Socket
  /** Reads responses that are more than plain ones in one piece. */
  #parser: AnswerParser | undefined
  /** Whether the parser has begun with the present response. */
  #parsing = false
  readonly request: RequestWriter
  readonly #released: (connection: UpstreamConnection) => void
  #asker: Asker | undefined
  #trailers: readonly string[] | undefined
  #answered = false
  #keepAlive = false
  #switches = false
  #wholeRequest = false
  #reading = false
  #gone = false
  /** What is read into, in place of the inbox. */
  #own: Buffer | undefined
  /** True once a request was answered here: it may have been closed at the other end without our knowing. */
  reused = false
  connected = false

  /** `released` is called when the connection can take another request; `switches` if it shall become another protocol's. */
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
    // An answer that is not over after one read is likely to be a long one: copying it out of the inbox would be dear.
    if (this.#asker !== undefined && this.#answered) return (this.#own ??= Buffer.allocUnsafeSlow(inboxSize))
    this.#own = undefined
    return inbox
  }

  readonly #onRead = (length: number, buffer: Uint8Array): boolean => {
    // It was on its way before the request is sent.
    if (this.request.waits) this.destroy(unexpected('the upstream answers what nobody asked'))
    else if (buffer !== inbox) this.#read((buffer as Buffer).subarray(0, length))
    else {
      if (this.#parsing || !this.#readWhole(length)) this.#read(inbox.subarray(0, length))
      doneWith(length)
    }
    return true
  }

  get usable(): boolean {
    return !this.#gone
  }

  /** Whether written bytes are waiting for the upstream to take them. */
  get blocked(): boolean {
    return this.#socket.writableNeedDrain
  }

  /** Sends the head of a request; its body, if there is one, follows by `request.write` and `endRequest`. */
  ask(asker: Asker, head: string, hasBody: boolean): void {
    this.#asker = asker
    this.#answered = false
    this.#wholeRequest = !hasBody
    this.request.writeHead(head)
  }

  endRequest(): void {
    this.#wholeRequest = true
  }

  /** Stops reading: whoever gets the answer is slower than the upstream. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Ends the connection; whoever is still owed an answer hears why. */
  destroy(error: NodeJS.ErrnoException = unexpected('the request was given up')): void {
    if (this.#gone) return
    this.#gone = true
    this.#socket.destroy()
    // The parser is not taken away under its own feet.
    if (!this.#reading) this.#parser?.close()
    const asker = this.#asker
    this.#asker = undefined
    asker?.broken(error)
  }

  /** The asker has left before the end: what still comes is nobody's. It is not told; after its end this does nothing. */
  abandon(asker: Asker): void {
    if (this.#asker !== asker) return
    this.#asker = undefined
    this.destroy()
  }

  readHead(head: Head): boolean {
    const asker = this.#asker
    if (!asker || this.#answered) {
      this.destroy(unexpected('the upstream answers what nobody asked'))
      return false
    }
    if (head.status === 101 && head.upgrade) {
      this.#switches = true
      asker.head(head)
      return false
    }
    if (head.status >= 100 && head.status < 200 && head.status !== 101) {
      asker.information(head)
      return false
    }
    // Below 200 only a 101 that switches nothing gets here, or a number that is no status (RFC 9110 section 15).
    if (head.status < 200 || head.status > 999) {
      this.destroy(unexpected('the answer has no status'))
      return false
    }
    this.#answered = true
    this.#keepAlive = head.keepAlive
    asker.head(head)
    return asker.bodiless
  }

  readBody(chunk: Buffer): void {
    if (chunk.buffer === inbox.buffer) this.#asker?.body(Buffer.from(chunk))
    // Given away, unless it is free again already.
    else if (!this.#asker?.body(chunk)) this.#own = undefined
  }

  readEnd(rawTrailers: readonly string[]): void {
    // A message of information ends as well; the answer is still to come.
    if (this.#answered) this.#trailers = rawTrailers
  }

  /** Most responses come whole, in one read: they are passed on as they came. */
  #readWhole(length: number): boolean {
    const asker = this.#asker
    if (this.#gone || !asker?.takesWhole || !readResponseHead(length)) return false
    return asker.whole(length)
  }

  /** The response in the inbox is the whole answer; `head` is its. */
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
    const parser = (this.#parser ??= new AnswerParser(this))
    let taken
    try {
      taken = parser.read(bytes)
    } catch (error) {
      taken = error as Error
    }
    this.#reading = false
    if (this.#gone) return parser.close()
    if (taken instanceof Error) return this.destroy(taken)
    if (this.#switches) return this.#hand(bytes.subarray(taken))
    this.#settle(taken === bytes.length)
  }

  #settle(clean: boolean): void {
    const asker = this.#asker
    if (!asker) return this.destroy()
    const trailers = this.#trailers
    if (trailers === undefined) return asker.flush()
    this.#trailers = undefined
    this.#parsing = false
    this.#asker = undefined
    this.reused = true
    // An upstream that answers before it has the whole request may still read that: nothing else is sent there.
    if (clean && this.#keepAlive && this.#wholeRequest) {
      // Paused on its last bytes it would stay deaf for whoever gets it next.
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

  /** From here on it is no HTTP connection. */
  #hand(first: Buffer): void {
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
