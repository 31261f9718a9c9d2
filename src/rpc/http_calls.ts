import type { Socket } from 'node:net'
import { httpDate } from '../wire/http_date.ts'
import { mayBecomePlain, plainCallAt } from './plain_call.ts'
import { maxOutgoing, slice } from './turn.ts'

type Answer = string | undefined | Promise<string | undefined>

interface Parts {
  readonly socket: Socket
  /** Answers one message; `authorization` is the value of that header. */
  readonly receive: (body: Buffer, authorization: string | undefined) => Answer
  /** Takes the connection over, with bytes that were read and belong to no call that was made. */
  readonly handOver: (bytes: Buffer) => void
  /** Seconds that the connection may be idle. */
  readonly keepAlive: number
}

/** Milliseconds in which a call has to come whole; node:http, which keeps the time limits, waits for the rest of any other. */
const patience = 1000
/** Bytes that may wait behind a call under way. */
const maxWaiting = 64 * 1024

const nothing = Buffer.alloc(0)
const badRequest = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'

/** Plain calls over HTTP on one connection, one behind the other. */
class HttpCalls {
  readonly #parts: Parts
  readonly #socket: Socket
  /** What was read and not taken, of which `#wanted` bytes at least make a call. */
  #read: Buffer[] = []
  #readLength = 0
  #wanted = 1
  #answering = false
  #outgoing = ''
  #peerEnded = false
  #closing = false
  #over = false
  #patience: NodeJS.Timeout | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#socket = parts.socket
    this.#socket
      .on('data', this.#receive)
      .on('drain', this.#goOn)
      .on('end', this.#end)
      .on('close', this.#stop)
      .setTimeout(parts.keepAlive * 1000 + 1000)
      .on('timeout', this.#leaveIdle)
      .resume()
  }

  /** Ends the connection behind the call under way, or now that there is none. */
  readonly close = (): void => {
    this.#closing = true
    // After one more turn: what has come is read, and is then a call under way.
    setImmediate(() => {
      if (!this.#answering && this.#readLength === 0) this.#finish()
    })
  }

  readonly #receive = (chunk: Buffer): void => {
    this.#read.push(chunk)
    this.#readLength += chunk.length
    this.#goOn()
  }

  readonly #end = (): void => {
    this.#peerEnded = true
    this.#goOn()
  }

  readonly #goOn = (): void => {
    this.#flush()
    if (this.#over) return
    const mayTake = !this.#answering && !this.#socket.writableNeedDrain
    if (mayTake && this.#readLength >= this.#wanted) return this.#take()
    if (mayTake && this.#peerEnded) return this.#finish()
    // During a call we read on, to hear when nobody is left to be answered.
    if (mayTake || (this.#answering && this.#readLength <= maxWaiting)) this.#socket.resume()
    else this.#socket.pause()
    if (mayTake && this.#readLength > 0)
      this.#patience ??= setTimeout(() => this.#leave(Buffer.concat(this.#read)), patience)
  }

  /** Takes calls, as many as may be at a time. */
  #take(): void {
    const bytes = this.#read.length === 1 ? this.#read[0]! : Buffer.concat(this.#read)
    const until = performance.now() + slice
    let from = 0
    do {
      const call = plainCallAt(bytes, from)
      if (!call && !mayBecomePlain(bytes, from)) return this.#leave(bytes.subarray(from))
      this.#wanted = call ? call.end - from : bytes.length - from + 1
      if (!call || call.end > bytes.length) break
      from = call.end
      this.#wanted = 1
      this.#call(bytes.subarray(call.start, call.end), call.authorization)
    } while (
      from < bytes.length &&
      !this.#answering &&
      !this.#over &&
      this.#outgoing.length < maxOutgoing &&
      performance.now() < until
    )
    if (this.#over) return
    if (from > 0) this.#endPatience()
    this.#keep(bytes.subarray(from))
    if (this.#answering || this.#readLength < this.#wanted) return this.#goOn()
    this.#flush()
    this.#socket.pause()
    setImmediate(this.#goOn)
  }

  /** A call came whole: the next one has its own time. */
  #endPatience(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
  }

  #keep(bytes: Buffer): void {
    this.#read = bytes.length > 0 ? [bytes] : []
    this.#readLength = bytes.length
  }

  #call(body: Buffer, authorization: string | undefined): void {
    const answer = this.#parts.receive(body, authorization)
    if (!(answer instanceof Promise)) return this.#answer(answer)
    this.#answering = true
    void answer.then((text) => {
      this.#answering = false
      this.#answer(text)
      this.#goOn()
    })
  }

  #answer(text: string | undefined): void {
    const status = text === undefined ? '204 No Content' : '200 OK'
    const connection = this.#closing
      ? 'Connection: close'
      : `Connection: keep-alive\r\nKeep-Alive: timeout=${this.#parts.keepAlive}`
    const about =
      text === undefined
        ? ''
        : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n`
    this.#outgoing += `HTTP/1.1 ${status}\r\n${about}Date: ${httpDate()}\r\n${connection}\r\n\r\n${text ?? ''}`
    if (this.#closing) this.#finish()
  }

  #flush(): void {
    if (this.#outgoing !== '' && this.#socket.writable) this.#socket.write(this.#outgoing)
    this.#outgoing = ''
  }

  /** Nothing more is taken; what is still there is half a request. */
  #finish(): void {
    if (this.#over) return
    if (this.#peerEnded && !this.#closing && this.#readLength > 0) this.#outgoing += badRequest
    this.#flush()
    this.#stop()
    this.#socket.destroySoon()
  }

  #leave(bytes: Buffer): void {
    if (this.#over) return
    // A stream that has ended takes nothing back.
    if (this.#peerEnded) return this.#finish()
    this.#flush()
    this.#stop()
    const { socket } = this.#parts
    socket.setTimeout(0).pause()
    this.#parts.handOver(bytes)
    socket.resume()
  }

  readonly #leaveIdle = (): void => {
    if (!this.#answering && this.#socket.writableLength === 0) this.#socket.destroy()
  }

  readonly #stop = (): void => {
    this.#over = true
    this.#keep(nothing)
    this.#endPatience()
    this.#socket
      .off('data', this.#receive)
      .off('drain', this.#goOn)
      .off('end', this.#end)
      .off('close', this.#stop)
      .off('timeout', this.#leaveIdle)
  }
}

/**
 * Serves plain calls on a connection without the objects of node:http, which cost several times what a read does. Whatever is not one is
 * handed over, and the connection with it for good. Returns what ends the connection behind the call under way, while it is here.
 */
export const serveHttpCalls = (parts: Parts): (() => void) => new HttpCalls(parts).close
