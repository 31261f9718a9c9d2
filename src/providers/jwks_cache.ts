import type { ExportedJWKSCache } from 'openid-client'
import { ProviderFault, type GuardedFetch } from './guarded_fetch.ts'

const keysLifetimeSeconds = 300
/** An unknown key id causes at most one new request in this time. */
const minRefreshSeconds = 10
/** The library fetches keys again for an unknown key id only if the cached ones are older than a minute, so we report this age. */
const reportedAgeSeconds = 61

const now = () => Math.floor(Date.now() / 1000)

/**
 * The keys of one provider. An unknown key id may belong to a new key, so we fetch the keys again. A sender of made-up key ids costs
 * the provider at most one request in ten seconds.
 */
export class JwksCache {
  #keys: { readonly jwks: ExportedJWKSCache['jwks']; readonly at: number } | undefined
  #refreshedAt = 0
  #pending: Promise<Response> | undefined

  /** Returns the keys for the library, with an age at which it fetches them again for an unknown key id. */
  cached(): ExportedJWKSCache | undefined {
    return this.#fresh() ? { jwks: this.#keys!.jwks, uat: now() - reportedAgeSeconds } : undefined
  }

  /** Wraps `fetch` so that requests for the keys go through this cache. */
  wrap(fetch: GuardedFetch, address: string | undefined): GuardedFetch {
    return (url, init) => (String(url) === address ? this.#refresh(fetch, url, init) : fetch(url, init))
  }

  /** Returns the keys, fetched again if `kid` is not among them. Rejects with ProviderFault if there are none. */
  async jwks(
    fetch: GuardedFetch,
    address: string,
    kid: string | undefined,
  ): Promise<ExportedJWKSCache['jwks']> {
    const has = () =>
      this.#fresh() && (kid === undefined || this.#keys!.jwks.keys.some((key) => key.kid === kid))
    if (!has()) await this.#refresh(fetch, address, { headers: { accept: 'application/json' } })
    if (!this.#fresh()) throw new ProviderFault('nonsense', `${address} returned no keys`)
    return this.#keys!.jwks
  }

  #fresh(): boolean {
    return this.#keys !== undefined && this.#keys.at > now() - keysLifetimeSeconds
  }

  async #refresh(fetch: GuardedFetch, ...asked: Parameters<GuardedFetch>): Promise<Response> {
    if (this.#fresh()) {
      if (this.#refreshedAt > now() - minRefreshSeconds && !this.#pending)
        return Response.json(this.#keys!.jwks)
      this.#refreshedAt = now()
    }
    this.#pending ??= this.#read(fetch, ...asked).finally(() => (this.#pending = undefined))
    return (await this.#pending).clone()
  }

  async #read(fetch: GuardedFetch, ...asked: Parameters<GuardedFetch>): Promise<Response> {
    const answer = await fetch(...asked)
    const jwks = (await answer
      .clone()
      .json()
      .catch(() => undefined)) as ExportedJWKSCache['jwks'] | undefined
    if (answer.status === 200 && Array.isArray(jwks?.keys)) this.#keys = { jwks, at: now() }
    return answer
  }
}
