import { Readable } from 'node:stream'
import type { EdgeRequest } from '../../wire/request.ts'
import { arrivalWithout, maxSignedBody, type Arrival } from '../../identity/signed_request.ts'
import type { RoutePlan } from '../../routes/route_table.ts'
import type { Body, ClientResponse, ReceivedRequest } from '../../wire/client_response.ts'
import type { Refusal } from '../../wire/refusal.ts'

/** Bytes of all bodies held at a time: knowing the public key of a user must not be enough to fill our memory. */
const maxHeldBytes = 64 * 1024 * 1024
/** Milliseconds that a body may take: far less than the time that a nonce is remembered. */
const bodyTimeoutMs = 60_000

const close = { connection: 'close' }
const tooLarge = (maxBytes: number): Refusal => ({
  status: 413,
  reason: 'body_too_large',
  values: { most: maxBytes },
  code: 'content_too_large',
  headers: close,
})
const tooSlow: Refusal = { status: 408, reason: 'body_too_slow', code: 'request_timeout', headers: close }
const full: Refusal = {
  status: 503,
  reason: 'bodies_full',
  code: 'unavailable',
  headers: { ...close, 'retry-after': '5' },
}
const broken: Refusal = { status: 400, reason: 'body_broken', code: 'bad_request', headers: close }

/** Reads complete bodies for decisions that depend on them. No other body is held. */
export class SignedBodies {
  /** What signature verification needs. The body is read only if a signature covers it. */
  arrival(
    sent: ReceivedRequest,
    to: ClientResponse,
    body: Body | undefined,
    asked: EdgeRequest,
    plan: RoutePlan | string | undefined,
  ): Arrival {
    if (!asked.body || !body || typeof plan !== 'object') return arrivalWithout(sent)
    const maxBytes = Math.min(plan.route.max_body ?? maxSignedBody, maxSignedBody)
    return { rawHeaders: sent.rawHeaders, body: () => this.read(asked, body, to, maxBytes) }
  }

  #held = 0

  /** Resolves with the complete body, or with a refusal. The memory counts as held until the response ends. */
  read(asked: EdgeRequest, body: Body, to: ClientResponse, maxBytes: number): Promise<Buffer | Refusal> {
    if (asked.length > maxBytes) return Promise.resolve(tooLarge(maxBytes))
    if (asked.expect !== undefined) to.writeContinue()
    return new Promise((resolve) => {
      let chunks: Buffer[] | undefined = []
      let length = 0
      const settle = (result: Buffer | Refusal) => {
        clearTimeout(timer)
        // Drop what still arrives.
        chunks = undefined
        resolve(result)
      }
      const timer = setTimeout(() => settle(tooSlow), bodyTimeoutMs).unref()
      to.once('close', () => {
        this.#held -= length
        length = 0
        settle(broken)
      })
      body.on('data', (chunk) => {
        if (!chunks) return
        chunks.push(chunk)
        length += chunk.length
        this.#held += chunk.length
        if (length > maxBytes) settle(tooLarge(maxBytes))
        else if (this.#held > maxHeldBytes) settle(full)
      })
      body.once('end', () => {
        if (chunks) settle(Buffer.concat(chunks))
      })
    })
  }
}

/** The request with its body replaced by the bytes that were read, now of known length and without Expect. */
export const withHeldBody = (
  asked: EdgeRequest,
  held: Buffer,
): { asked: EdgeRequest; body: Body | undefined } => {
  const framing = held.length === 0 ? undefined : 'length'
  return {
    asked: { ...asked, body: framing, length: held.length, expect: undefined },
    body: framing && Object.assign(Readable.from([held]), { rawTrailers: [] }),
  }
}
