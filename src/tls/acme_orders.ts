import { isIP } from 'node:net'
import type { Log } from '../log/log.ts'
import { now } from '../storage/ids.ts'
import type { Authority } from './acme_client.ts'
import type { Certificates, Life } from './certificates.ts'
import type { OrderFailures } from './acme_backoff.ts'
import type { Lease } from '../storage/lease.ts'

/** Milliseconds until a new route is noticed. A check costs no query if everything is cached. */
const checkIntervalMs = 5000
const daySeconds = 86_400

interface Parts {
  readonly certificates: Certificates
  readonly authority: Authority
  readonly lease: Lease
  readonly failures: OrderFailures
  /** Returns the names that need a certificate. */
  readonly wanted: () => Promise<Iterable<string>>
  /** Whether a name has a configured certificate. */
  readonly held: (name: string) => boolean
  readonly log: Log
}

/** Whether a public authority issues certificates for this name. */
const isPublic = (name: string): boolean =>
  name.includes('.') && isIP(name) === 0 && !name.startsWith('*.') && !name.endsWith('.localhost')

/** Due when a third of its lifetime is left, or 30 days if that is less. */
const isDue = (life: Life | undefined): boolean =>
  life === undefined || now() >= life.ends - Math.min(30 * daySeconds, (life.ends - life.issued) / 3)

/** Keeps a valid certificate for every wanted name. */
export class CertificateOrders {
  readonly #parts: Parts
  #timer: NodeJS.Timeout | undefined
  #working = false
  #holds = false
  #closed = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  start(): void {
    this.#timer = setInterval(() => void this.#tick(), checkIntervalMs).unref()
    void this.#tick()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#release()
  }

  async #tick(): Promise<void> {
    try {
      // An order may take minutes. Until it is done, every tick renews the lease.
      if (!this.#working) return await this.#work()
      this.#holds = await this.#parts.lease.take()
      if (!this.#working) await this.#release()
    } catch (error) {
      if (!this.#closed)
        this.#parts.log.warn({ error: (error as Error).message }, 'cannot check the certificates')
    }
  }

  async #work(): Promise<void> {
    this.#working = true
    try {
      const due = await this.#due()
      if (due.length === 0) return
      this.#holds = await this.#parts.lease.take()
      for (const domain of due) {
        if (this.#closed || !this.#holds) return
        // Another node may have held the lease until now and ordered the certificate.
        if ((await this.#due()).includes(domain)) await this.#order(domain)
      }
    } finally {
      this.#working = false
      await this.#release()
    }
  }

  async #release(): Promise<void> {
    if (!this.#holds) return
    this.#holds = false
    await this.#parts.lease.release().catch(() => {})
  }

  async #due(): Promise<string[]> {
    const { certificates, wanted, held, failures } = this.#parts
    const lives = await certificates.lives()
    const due = [...new Set(await wanted())].filter(
      (name) => isPublic(name) && !held(name) && isDue(lives.get(name)),
    )
    return due.length === 0 ? due : failures.withoutWaiting(due)
  }

  async #order(domain: string): Promise<void> {
    const { authority, failures, log } = this.#parts
    try {
      await authority.order(domain)
      await failures.forget(domain)
      log.info({ domain }, 'a certificate was ordered')
    } catch (error) {
      if (this.#closed) return
      const { times, wait } = await failures.add(domain)
      log.warn(
        {
          domain,
          error: (error as Error).message,
          tried: times,
          again_in_seconds: wait,
          to_do: `the name must resolve to this server, and the authority must reach http://${domain}/.well-known/acme-challenge/ on port 80, which plain_listen serves`,
        },
        'no certificate could be ordered',
      )
    }
  }
}
