import { Readable } from 'node:stream'
import type { Asked } from '../../wire/request.ts'
import type { Body, Recipient } from '../../wire/client_response.ts'
import type { Told } from '../../wire/refusal.ts'

/** Bytes of bodies that are held at one time: knowing somebody's public key must not be enough to fill our memory. */
const room = 64 * 1024 * 1024
/** Milliseconds that a body may take: far less than a nonce is remembered. */
const patience = 60_000

const close = { connection: 'close' }
const tooLarge = (most: number): Told => ({
  status: 413,
  reason: 'body_too_large',
  values: { most },
  code: 'content_too_large',
  headers: close,
})
const tooSlow: Told = { status: 408, reason: 'body_too_slow', code: 'request_timeout', headers: close }
const full: Told = {
  status: 503,
  reason: 'bodies_full',
  code: 'unavailable',
  headers: { ...close, 'retry-after': '5' },
}
const broken: Told = { status: 400, reason: 'body_broken', code: 'bad_request', headers: close }

/** Reads bodies that must be whole before a request is decided. All others are never held. */
export class HeldBodies {
  #held = 0

  /** The whole body, or what to answer instead of reading on. What it takes is given back when the answer is done. */
  take(asked: Asked, body: Body, to: Recipient, most: number): Promise<Buffer | Told> {
    if (asked.length > most) return Promise.resolve(tooLarge(most))
    if (asked.expect !== undefined) to.writeContinue()
    return new Promise((resolve) => {
      let chunks: Buffer[] | undefined = []
      let length = 0
      const settle = (answer: Buffer | Told) => {
        clearTimeout(timer)
        // What still comes is read away.
        chunks = undefined
        resolve(answer)
      }
      const timer = setTimeout(() => settle(tooSlow), patience).unref()
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
        if (length > most) settle(tooLarge(most))
        else if (this.#held > room) settle(full)
      })
      body.once('end', () => {
        if (chunks) settle(Buffer.concat(chunks))
      })
    })
  }
}

/** What is forwarded in place of a body that was read: the same bytes, their length told, nothing more to wait for. */
export const heldRequest = (asked: Asked, held: Buffer): { asked: Asked; body: Body | undefined } => {
  const framing = held.length === 0 ? undefined : 'length'
  return {
    asked: { ...asked, body: framing, length: held.length, expect: undefined },
    body: framing && Object.assign(Readable.from([held]), { rawTrailers: [] }),
  }
}
