import type { Socket } from 'node:net'
import type { Envelope, Identify } from './envelope.ts'
import { maxOutgoingCharacters, sliceMs } from './turn.ts'

const newline = 0x0a
const maxLineBytes = 1024 * 1024
/** Calls in progress on one connection before we stop reading from it. */
const maxInFlight = 512

const nothing = Buffer.alloc(0)

const isBlank = (line: Buffer) => line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)

const tooLong =
  '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Request: a line may have at most 1 MiB","data":{"code":"invalid_request"}}}\n'

/** Newline-delimited JSON-RPC on one connection: one message per line, responses in the order in which they are ready. */
class Lines {
  readonly #socket: Socket
  readonly #envelope: Envelope
  readonly #identify: Identify
  /** The last chunk. Everything before `#from` has been consumed. */
  #chunk: Buffer = nothing
  #from = 0
  /** The beginning of an incomplete line. */
  #rest: Buffer[] = []
  #restBytes = 0
  #inFlight = 0
  #ending = false
  #outgoing = ''
  #flushing = false

  constructor(socket: Socket, envelope: Envelope, identify: Identify) {
    this.#socket = socket
    this.#envelope = envelope
    this.#identify = identify
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('drain', () => this.#scheduleFlush())
    socket.on('end', () => {
      // The last line may have no newline: `printf … | nc -U`.
      this.#read(Buffer.from('\n'))
      this.end()
    })
  }

  /** Stops reading. Calls that have been read are still answered. */
  readonly end = () => {
    this.#ending = true
    this.#scheduleFlush()
  }

  #read(chunk: Buffer): void {
    if (this.#ending) return
    this.#chunk = this.#isTaken() ? chunk : Buffer.concat([this.#chunk.subarray(this.#from), chunk])
    this.#from = 0
    this.#take()
  }

  #isTaken(): boolean {
    return this.#from === this.#chunk.length
  }

  /** Whether the calls in progress, or the client that reads the responses, must catch up first. */
  #isFull(): boolean {
    return (
      this.#inFlight >= maxInFlight ||
      this.#outgoing.length >= maxOutgoingCharacters ||
      this.#socket.writableNeedDrain
    )
  }

  /** Serves the lines that were read, until this connection has used up its turn. */
  #take(): void {
    const until = performance.now() + sliceMs
    while (!this.#isTaken() && !this.#isFull() && performance.now() < until) {
      const to = this.#chunk.indexOf(newline, this.#from)
      const piece = this.#chunk.subarray(this.#from, to < 0 ? undefined : to)
      this.#restBytes += piece.length
      if (this.#restBytes > maxLineBytes) return this.#refuse()
      this.#from += piece.length
      this.#rest.push(piece)
      if (to < 0) break
      this.#from++
      const line = this.#rest.length === 1 ? piece : Buffer.concat(this.#rest)
      this.#rest = []
      this.#restBytes = 0
      if (!isBlank(line)) this.#call(line)
    }
    const isTaken = this.#isTaken()
    if (!isTaken || this.#isFull()) this.#socket.pause()
    if (isTaken && this.#inFlight === 0) this.#flush()
    else this.#scheduleFlush()
  }

  #call(line: Buffer): void {
    const answer = this.#envelope.receive(line, this.#identify)
    if (!(answer instanceof Promise)) return this.#answer(answer)
    this.#inFlight++
    void answer.then((text) => {
      this.#inFlight--
      this.#answer(text)
      this.#scheduleFlush()
    })
  }

  #answer(text: string | undefined): void {
    if (text !== undefined) this.#outgoing += `${text}\n`
  }

  #refuse(): void {
    this.#outgoing += tooLong
    this.#chunk = nothing
    this.#from = 0
    this.end()
  }

  #scheduleFlush(): void {
    // Responses that are ready in the same turn go out in one write.
    if (!this.#flushing) setImmediate(() => this.#flush())
    this.#flushing = true
  }

  #flush(): void {
    this.#flushing = false
    const socket = this.#socket
    if (this.#outgoing !== '' && socket.writable) socket.write(this.#outgoing)
    this.#outgoing = ''
    // The next response or 'drain' continues here.
    if (this.#isFull()) return
    if (!this.#isTaken()) return this.#take()
    socket.resume()
    if (this.#ending && this.#inFlight === 0) socket.end()
  }
}

/** Serves lines on a connection. The returned function ends it after the calls in progress. */
export const serveLines = (socket: Socket, envelope: Envelope, identify: Identify): (() => void) =>
  new Lines(socket, envelope, identify).end
