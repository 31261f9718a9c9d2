import type { Socket } from 'node:net'
import type { Envelope, Identify } from './envelope.ts'
import { maxOutgoing, slice } from './turn.ts'

const newline = 0x0a
const maxLine = 1024 * 1024
/** How many calls of one connection may be on their way before we take no more from it. */
const maxInFlight = 512

const nothing = Buffer.alloc(0)

const isBlank = (line: Buffer) => line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)

const tooLong =
  '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Request: a line holds 1 MiB at most","data":{"code":"invalid_request"}}}\n'

/** Newline-delimited JSON-RPC on one connection: one message a line, answers in the order they are ready. */
class Lines {
  readonly #socket: Socket
  readonly #envelope: Envelope
  readonly #identify: Identify
  /** What was read last; what stands before `#from` has been taken. */
  #chunk: Buffer = nothing
  #from = 0
  /** The beginning of a line whose end is still to come. */
  #rest: Buffer[] = []
  #restLength = 0
  #inFlight = 0
  #ending = false
  #outgoing = ''
  #flushing = false

  constructor(socket: Socket, envelope: Envelope, identify: Identify) {
    this.#socket = socket
    this.#envelope = envelope
    this.#identify = identify
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('drain', () => this.#flushSoon())
    socket.on('end', () => {
      // The last line may lack its newline: `printf … | nc -U`.
      this.#read(Buffer.from('\n'))
      this.end()
    })
  }

  /** Reads no more; what has been read is still answered. */
  readonly end = () => {
    this.#ending = true
    this.#flushSoon()
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

  /** Whether calls under way, or the client that reads their answers, have to catch up first. */
  #isFull(): boolean {
    return (
      this.#inFlight >= maxInFlight || this.#outgoing.length >= maxOutgoing || this.#socket.writableNeedDrain
    )
  }

  /** Takes the lines that were read, as many as may be at a time. */
  #take(): void {
    const until = performance.now() + slice
    while (!this.#isTaken() && !this.#isFull() && performance.now() < until) {
      const to = this.#chunk.indexOf(newline, this.#from)
      const piece = this.#chunk.subarray(this.#from, to < 0 ? undefined : to)
      this.#restLength += piece.length
      if (this.#restLength > maxLine) return this.#refuse()
      this.#from += piece.length
      this.#rest.push(piece)
      if (to < 0) break
      this.#from++
      const line = this.#rest.length === 1 ? piece : Buffer.concat(this.#rest)
      this.#rest = []
      this.#restLength = 0
      if (!isBlank(line)) this.#call(line)
    }
    const isTaken = this.#isTaken()
    if (!isTaken || this.#isFull()) this.#socket.pause()
    if (isTaken && this.#inFlight === 0) this.#flush()
    else this.#flushSoon()
  }

  #call(line: Buffer): void {
    const answer = this.#envelope.receive(line, this.#identify)
    if (!(answer instanceof Promise)) return this.#answer(answer)
    this.#inFlight++
    void answer.then((text) => {
      this.#inFlight--
      this.#answer(text)
      this.#flushSoon()
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

  #flushSoon(): void {
    // Answers that are ready in the same turn leave in one write.
    if (!this.#flushing) setImmediate(() => this.#flush())
    this.#flushing = true
  }

  #flush(): void {
    this.#flushing = false
    const socket = this.#socket
    if (this.#outgoing !== '' && socket.writable) socket.write(this.#outgoing)
    this.#outgoing = ''
    // Goes on with the next answer or with 'drain'.
    if (this.#isFull()) return
    if (!this.#isTaken()) return this.#take()
    socket.resume()
    if (this.#ending && this.#inFlight === 0) socket.end()
  }
}

/** Speaks lines on a connection. Returns what ends it: calls under way are still answered. */
export const serveLines = (socket: Socket, envelope: Envelope, identify: Identify): (() => void) =>
  new Lines(socket, envelope, identify).end
