import type { Socket } from 'node:net'
import { httpDate } from '../wire/http_date.ts'
import { mayBecomePlain, plainCallAt } from './plain_call.ts'
import { maxOutgoingCharacters, sliceMs } from './turn.ts'

type Answer = string | undefined | Promise<string | undefined>

interface Parts {
  readonly socket: Socket
  /** Answers one message; `authorization` is the value of the header. */
  readonly receive: (body: Buffer, authorization: string | undefined) => Answer
  /** Takes over the connection, with the bytes that were read but not served. */
  readonly handOver: (bytes: Buffer) => void
  /** How long the connection may be idle. */
  readonly keepAliveSeconds: number
}

/** Milliseconds in which a call has to arrive completely. A slower one goes to node:http, which enforces the time limits. */
const callTimeoutMs = 1000
/** Bytes that may wait behind the current call. */
const maxWaitingBytes = 64 * 1024

const nothing = Buffer.alloc(0)
const badRequest = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'

/** Plain HTTP calls on one connection, one after another. */
class HttpCalls {
  readonly #parts: Parts
  readonly #socket: Socket
  /** The bytes that were read but not served. The next call needs at least `#wantedBytes`. */
  #read: Buffer[] = []
  #readBytes = 0
  #wantedBytes = 1
  #answering = false
  #outgoing = ''
  #peerEnded = false
  #closing = false
  #over = false
  #callTimer: NodeJS.Timeout | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#socket = parts.socket
    this.#socket
      .on('data', this.#receive)
      .on('drain', this.#continue)
      .on('end', this.#end)
      .on('close', this.#stop)
      .setTimeout(parts.keepAliveSeconds * 1000 + 1000)
      .on('timeout', this.#endIdle)
      .resume()
  }

  /** Ends the connection after the current call, or at once if there is none. */
  readonly close = (): void => {
    this.#closing = true
    // Wait one more turn: what has arrived by then is read and counts as a call in progress.
    setImmediate(() => {
      if (!this.#answering && this.#readBytes === 0) this.#finish()
    })
  }

  readonly #receive = (chunk: Buffer): void => {
    this.#read.push(chunk)
    this.#readBytes += chunk.length
    this.#continue()
  }

  readonly #end = (): void => {
    this.#peerEnded = true
    this.#continue()
  }

  readonly #continue = (): void => {
    this.#flush()
    if (this.#over) return
    const mayTake = !this.#answering && !this.#socket.writableNeedDrain
    if (mayTake && this.#readBytes >= this.#wantedBytes) return this.#take()
    if (mayTake && this.#peerEnded) return this.#finish()
    // Read on during a call, to notice when the client is gone.
    if (mayTake || (this.#answering && this.#readBytes <= maxWaitingBytes)) this.#socket.resume()
    else this.#socket.pause()
    if (mayTake && this.#readBytes > 0)
      this.#callTimer ??= setTimeout(() => this.#handOver(Buffer.concat(this.#read)), callTimeoutMs)
  }

  /** Serves calls until this connection has used up its turn. */
  #take(): void {
    const bytes = this.#read.length === 1 ? this.#read[0]! : Buffer.concat(this.#read)
    const until = performance.now() + sliceMs
    let from = 0
    do {
      const call = plainCallAt(bytes, from)
      if (!call && !mayBecomePlain(bytes, from)) return this.#handOver(bytes.subarray(from))
      this.#wantedBytes = call ? call.end - from : bytes.length - from + 1
      if (!call || call.end > bytes.length) break
      from = call.end
      this.#wantedBytes = 1
      this.#call(bytes.subarray(call.start, call.end), call.authorization)
    } while (
      from < bytes.length &&
      !this.#answering &&
      !this.#over &&
      this.#outgoing.length < maxOutgoingCharacters &&
      performance.now() < until
    )
    if (this.#over) return
    if (from > 0) this.#stopCallTimer()
    this.#keep(bytes.subarray(from))
    if (this.#answering || this.#readBytes < this.#wantedBytes) return this.#continue()
    this.#flush()
    this.#socket.pause()
    setImmediate(this.#continue)
  }

  /** The call has arrived completely: the next one has its own time limit. */
  #stopCallTimer(): void {
    clearTimeout(this.#callTimer)
    this.#callTimer = undefined
  }

  #keep(bytes: Buffer): void {
    this.#read = bytes.length > 0 ? [bytes] : []
    this.#readBytes = bytes.length
  }

  #call(body: Buffer, authorization: string | undefined): void {
    const answer = this.#parts.receive(body, authorization)
    if (!(answer instanceof Promise)) return this.#answer(answer)
    this.#answering = true
    void answer.then((text) => {
      this.#answering = false
      this.#answer(text)
      this.#continue()
    })
  }

  #answer(text: string | undefined): void {
    const status = text === undefined ? '204 No Content' : '200 OK'
    const connection = this.#closing
      ? 'Connection: close'
      : `Connection: keep-alive\r\nKeep-Alive: timeout=${this.#parts.keepAliveSeconds}`
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

  /** Serves no more calls. Bytes that are left are half a request. */
  #finish(): void {
    if (this.#over) return
    if (this.#peerEnded && !this.#closing && this.#readBytes > 0) this.#outgoing += badRequest
    this.#flush()
    this.#stop()
    this.#socket.destroySoon()
  }

  #handOver(bytes: Buffer): void {
    if (this.#over) return
    // Nothing can be unshifted to a stream that has ended.
    if (this.#peerEnded) return this.#finish()
    this.#flush()
    this.#stop()
    const { socket } = this.#parts
    socket.setTimeout(0).pause()
    this.#parts.handOver(bytes)
    socket.resume()
  }

  readonly #endIdle = (): void => {
    if (!this.#answering && this.#socket.writableLength === 0) this.#socket.destroy()
  }

  readonly #stop = (): void => {
    this.#over = true
    this.#keep(nothing)
    this.#stopCallTimer()
    this.#socket
      .off('data', this.#receive)
      .off('drain', this.#continue)
      .off('end', this.#end)
      .off('close', this.#stop)
      .off('timeout', this.#endIdle)
  }
}

/**
 * Serves plain calls on a connection without the objects of node:http, which cost several times as much as a read. Anything else is
 * handed over together with the connection, for good. The returned function ends the connection after the current call, unless it was
 * handed over.
 */
export const serveHttpCalls = (parts: Parts): (() => void) => new HttpCalls(parts).close
