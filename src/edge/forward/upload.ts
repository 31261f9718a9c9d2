import { trailersFor } from './request_headers.ts'
import type { UpstreamConnection } from '../../upstream/connection.ts'
import type { Forwarded } from './forwarded.ts'

/** Seconds that a client may be silent in the middle of an upload. */
export const maxSilenceSeconds = 60

/** The exchange that a body belongs to. */
interface Owner {
  readonly out: Forwarded
  /** Whether the exchange is over, so that the rest of the body is not needed. */
  readonly over: boolean
  /** In seconds. Reading it costs nothing. */
  readonly clock: number
  /** The client sent more than the route allows. */
  tooLarge(): void
  /** The complete body has been sent to the upstream. */
  uploaded(): void
}

/** Sends the body of a request to an upstream. */
export class Upload {
  readonly #owner: Owner
  #connection: UpstreamConnection | undefined
  #sentBytes = 0
  done: boolean
  /** The clock when the upload last made progress. */
  progressAt: number

  constructor(owner: Owner) {
    this.#owner = owner
    this.done = owner.out.body === undefined
    this.progressAt = owner.clock
  }

  /** Starts to read the body and to write it to this connection. */
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

  /** Returns true if the kernel already has the bytes, so that their memory can be reused. */
  #write(chunk: Buffer): boolean {
    const { over, out, clock } = this.#owner
    if (over) return true
    this.progressAt = clock
    this.#sentBytes += chunk.length
    const { max_body } = out.plan.route
    if (max_body !== null && this.#sentBytes > max_body) {
      this.#owner.tooLarge()
      return true
    }
    const connection = this.#connection!
    if (out.asked.body === 'chunked') connection.request.writeChunk(chunk)
    else connection.request.write(chunk)
    if (connection.blocked) out.body!.pause()
    return connection.request.flushed
  }

  /** The upstream accepts more. */
  drain(): void {
    this.progressAt = this.#owner.clock
    this.#owner.out.body?.resume()
  }

  /** Reads and drops the rest of the body. Otherwise the next request of the client would wait behind it. */
  discard(): void {
    if (this.done) return
    const body = this.#owner.out.body!
    if (body.discard) body.discard()
    else body.resume()
  }
}
