import { LRUCache } from 'lru-cache'
import { setImmediate } from 'node:timers/promises'
import type { Audit } from '../audit/audit.ts'
import type { Caller } from '../contract/caller.ts'
import type { Log } from '../log/log.ts'
import { cleanPicture } from '../pictures/clean.ts'
import { personLimits, type CleanPicture } from '../pictures/picture.ts'
import type { Pictures } from '../pictures/pictures.ts'
import type { Providers } from '../providers/providers.ts'
import type { Database } from '../storage/database.ts'
import { sendPublicly } from '../wire/outgoing_request.ts'

interface Parts {
  readonly database: Database
  readonly audit: Audit
  readonly log: Log
  readonly providers: Providers
  readonly pictures: Pick<Pictures, 'isWanted' | 'take'>
  /** Whether addresses that strangers choose may be in our own network and on this machine. */
  readonly anywhere: () => Promise<boolean>
}

/** A person who has just signed in, and where the provider says that their picture is. */
export interface ReportedPicture {
  readonly user_id: string
  readonly username: string
  readonly provider_id: string
  readonly address: string
}

interface Waiting extends ReportedPicture {
  readonly by: Caller
}

/** Milliseconds before an address is asked again that gave no picture. */
const failedForMs = 3600_000
/** How many people may wait for their picture. Others get it at their next sign-in. */
const maxWaiting = 100
const fetchTimeoutMs = 4000

/**
 * Fetches the pictures that providers report, after the sign-in and one at a time. People choose these addresses at their provider, so
 * they are as little trusted as those of metadata documents: https, public addresses, no redirects. A picture that is no good leaves
 * everything as it is.
 */
export class ProviderPictures {
  readonly #parts: Parts
  readonly #waiting = new Map<string, Waiting>()
  /** What could not be taken lately, by person and address: a name that nobody resolves holds a thread of the system for long. */
  readonly #failed = new LRUCache<string, true>({ max: 1000, ttl: failedForMs })
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Call it outside of transactions, because it goes on after its caller. It neither waits nor throws. */
  follow(reported: ReportedPicture, by: Caller): void {
    const { user_id, address } = reported
    if (address === '' || this.#closing.signal.aborted) return
    if (this.#failed.has(`${user_id} ${address}`)) return
    if (this.#waiting.size >= maxWaiting && !this.#waiting.has(user_id)) return
    this.#waiting.set(user_id, { ...reported, by })
    this.#running ??= this.#run()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    // The answer to the sign-in goes first.
    await setImmediate()
    for (const [userId, waiting] of this.#waiting) {
      this.#waiting.delete(userId)
      if (!this.#closing.signal.aborted) await this.#take(waiting)
    }
    this.#running = undefined
  }

  async #take({ user_id, username, provider_id, address, by }: Waiting): Promise<void> {
    const { database, audit, log, providers, pictures } = this.#parts
    try {
      if (!(await pictures.isWanted(user_id, address))) return
      const picture = await this.#fetch(address)
      await database.write(async () => {
        // All of this may have changed while we waited for the answer.
        const provider = await providers.find({ id: provider_id })
        if (!provider?.pictures || !(await pictures.take(user_id, picture, address))) return
        await audit.append(
          by,
          'users.picture_by_provider',
          `user=${username} provider=${provider.provider}`,
          'ok',
        )
      })
    } catch (error) {
      this.#failed.set(`${user_id} ${address}`, true)
      log.info({ user: username, error: (error as Error).message }, 'the picture of a provider was not taken')
    }
  }

  async #fetch(address: string): Promise<CleanPicture> {
    const url = new URL(address)
    if (url.protocol !== 'https:' || url.username !== '' || url.password !== '')
      throw new TypeError('not an https address without user information')
    const response = await sendPublicly(url, {
      headers: { accept: 'image/png, image/jpeg, image/webp' },
      timeoutMs: fetchTimeoutMs,
      maxResponseBytes: personLimits.bytes,
      anywhere: await this.#parts.anywhere(),
      signal: this.#closing.signal,
    })
    if (response.status !== 200) throw new TypeError(`${url.host} answered ${response.status}`)
    return cleanPicture(Buffer.from(await response.arrayBuffer()), personLimits)
  }
}
