import type { ExportedJWKSCache } from 'openid-client'
import { ProviderFault, type guardedFetch } from './guarded_fetch.ts'

/** Seconds that keys are believed. */
const believed = 300
/** Seconds in which a key that is not among them makes us ask again once. */
const pause = 10
/** The library asks again for a key it does not find only where those it has are older than this. */
const old = 61

type Fetch = ReturnType<typeof guardedFetch>
const now = () => Math.floor(Date.now() / 1000)

/**
 * The keys of one provider. A key that is not among them may be a new one, so they are asked for once more: whoever makes up key ids
 * costs the provider one request in ten seconds.
 */
export class KeysOf {
  #keys: { readonly jwks: ExportedJWKSCache['jwks']; readonly at: number } | undefined
  #askedAgainAt = 0
  #asking: Promise<Response> | undefined

  /** What the library is told of the keys: old enough to ask again where one is missing. */
  cached(): ExportedJWKSCache | undefined {
    return this.#fresh() ? { jwks: this.#keys!.jwks, uat: now() - old } : undefined
  }

  /** `fetch` that keeps an eye on the keys. */
  watching(fetch: Fetch, address: string | undefined): Fetch {
    return (url, init) => (String(url) === address ? this.#ask(fetch, url, init) : fetch(url, init))
  }

  /** The keys themselves, looked at for one. Rejects with ProviderFault where there are none. */
  async holding(fetch: Fetch, address: string, kid: string | undefined): Promise<ExportedJWKSCache['jwks']> {
    const has = () =>
      this.#fresh() && (kid === undefined || this.#keys!.jwks.keys.some((key) => key.kid === kid))
    if (!has()) await this.#ask(fetch, address, { headers: { accept: 'application/json' } })
    if (!this.#fresh()) throw new ProviderFault('nonsense', `${address} answered no keys`)
    return this.#keys!.jwks
  }

  #fresh(): boolean {
    return this.#keys !== undefined && this.#keys.at > now() - believed
  }

  async #ask(fetch: Fetch, ...asked: Parameters<Fetch>): Promise<Response> {
    if (this.#fresh()) {
      if (this.#askedAgainAt > now() - pause && !this.#asking) return Response.json(this.#keys!.jwks)
      this.#askedAgainAt = now()
    }
    this.#asking ??= this.#read(fetch, ...asked).finally(() => (this.#asking = undefined))
    return (await this.#asking).clone()
  }

  async #read(fetch: Fetch, ...asked: Parameters<Fetch>): Promise<Response> {
    const answer = await fetch(...asked)
    const jwks = (await answer
      .clone()
      .json()
      .catch(() => undefined)) as ExportedJWKSCache['jwks'] | undefined
    if (answer.status === 200 && Array.isArray(jwks?.keys)) this.#keys = { jwks, at: now() }
    return answer
  }
}
