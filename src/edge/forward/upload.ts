import { trailersFor } from './request_headers.ts'
import type { UpstreamConnection } from '../../upstream/connection.ts'
import type { Forwarded } from './forwarded.ts'

/** Seconds that a client may be silent in the middle of a body that it sends. */
export const maxSilence = 60

/** The exchange that a body belongs to. */
interface Owner {
  readonly out: Forwarded
  /** Whether nobody wants more of the body. */
  readonly over: boolean
  /** Seconds of a clock that costs nothing to read. */
  readonly clock: number
  /** More was sent than the route allows. */
  tooLarge(): void
  /** The upstream has all of it. */
  uploaded(): void
}

/** The body of a request on its way to an upstream. */
export class Upload {
  readonly #owner: Owner
  #connection: UpstreamConnection | undefined
  #length = 0
  done: boolean
  /** Of the clock: when a part of it last moved. */
  moved: number

  constructor(owner: Owner) {
    this.#owner = owner
    this.done = owner.out.body === undefined
    this.moved = owner.clock
  }

  /** Begins to read the body and to write it over this connection. */
  send(connection: UpstreamConnection): void {
    const body = this.#owner.out.body!
    this.#connection = connection
    body.on('data', (chunk) => this.#write(chunk))
    body.once('end', () => {
      this.done = true
      this.#owner.uploaded()
      if (this.#owner.over) return
      if (this.#owner.out.asked.body === 'chunked')
        connection.request.write(`0\r\n${trailersFor(body.rawTrailers)}\r\n`)
      connection.endRequest()
    })
  }

  /** Returns true where the kernel has these bytes by now: their memory is free again. */
  #write(chunk: Buffer): boolean {
    const { over, out, clock } = this.#owner
    if (over) return true
    this.moved = clock
    this.#length += chunk.length
    const { max_body } = out.plan.route
    if (max_body !== null && this.#length > max_body) {
      this.#owner.tooLarge()
      return true
    }
    const connection = this.#connection!
    if (out.asked.body === 'chunked') connection.request.writeChunk(chunk)
    else connection.request.write(chunk)
    if (connection.blocked) out.body!.pause()
    return connection.request.flushed
  }

  /** The upstream takes more. */
  drain(): void {
    this.moved = this.#owner.clock
    this.#owner.out.body?.resume()
  }

  /** Nobody wants the rest: it is read away, or the next request on the client's connection would wait behind it. */
  discard(): void {
    if (this.done) return
    const body = this.#owner.out.body!
    if (body.discard) body.discard()
    else body.resume()
  }
}
