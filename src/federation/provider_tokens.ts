import { conflict, notFound, AppError } from '../contract/errors.ts'
import type { Log } from '../log/log.ts'
import { asFault } from '../providers/provider_errors.ts'
import type { Providers } from '../providers/providers.ts'
import type { RelyingParty } from '../providers/relying_party.ts'
import type { Tokens } from '../providers/token_response.ts'
import { boundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Seal } from '../secrets/seal.ts'

/** Renew a token this long before it expires, or at half its lifetime if that is later. */
const renewBeforeSeconds = 30
/** How long one renewal holds the row alone. */
const leaseSeconds = 15
/** While another process renews the token, read the row this often, this many times. */
const pollIntervalMs = 100
const maxPolls = 60
/** How long routes do without a token after a failed renewal. Otherwise every request would wait for a provider that is down. */
const retryDelaySeconds = 15
const maxDelayedRenewals = 10_000

interface Parts {
  readonly database: Database
  readonly seal: Seal
  readonly providers: Providers
  readonly party: RelyingParty
  readonly log: Log
}

export interface ProviderToken {
  readonly access_token: string
  readonly expires_at: number | null
}

/** `early`: how many seconds before it expires this token is renewed. */
type Held = Tokens & { readonly early?: number }

const works = ({ expires_at, early = renewBeforeSeconds }: Pick<Held, 'expires_at' | 'early'>): boolean =>
  expires_at === null || expires_at > now() + early

const sealRow = (identityId: string) => `provider_tokens.${identityId}`

/** The sealed tokens of users from providers with `keep_tokens`. Concurrent requests cause one renewal only. */
export class ProviderTokens {
  readonly #parts: Parts
  /** For routes, by user and provider. While a token is being fetched, all requests wait for the same promise. */
  readonly #ready: Cached<Map<string, Held | undefined | Promise<Held | undefined>>>
  /** When the next renewal may start, by user and provider. */
  readonly #delayedUntil = boundedMap<number>(maxDelayedRenewals)

  constructor(parts: Parts) {
    this.#parts = parts
    this.#ready = new Cached(parts.database, ['providers', 'users'], async () => new Map())
  }

  get #query() {
    return this.#parts.database.query
  }

  /** Call it inside a transaction. */
  async store(identityId: string, tokens: Tokens): Promise<void> {
    const row = { ...this.#sealed(identityId, tokens), leased_until: 0 }
    await this.#query
      .insertInto('provider_tokens')
      .values({ identity_id: identityId, ...row })
      .onConflict((same) => same.column('identity_id').doUpdateSet(row))
      .execute()
    this.#parts.database.changed('providers')
  }

  /** With `sealed`, it deletes exactly these tokens and no newer ones. */
  async forget(identityId: string, sealed?: string): Promise<void> {
    await this.#parts.database.write(async () => {
      const { numDeletedRows } = await this.#query
        .deleteFrom('provider_tokens')
        .where('identity_id', '=', identityId)
        .$if(sealed !== undefined, (query) => query.where('sealed', '=', sealed!))
        .executeTakeFirst()
      if (numDeletedRows > 0n) this.#parts.database.changed('providers')
    })
  }

  /** Returns a valid token of a user, renewed if necessary. Throws not_found, unavailable, or conflict if the user must sign in again. */
  async current(userId: string, provider: string): Promise<ProviderToken> {
    const { access_token, expires_at } = await this.#current(userId, provider)
    return { access_token, expires_at }
  }

  /** While `isDelayed`, throws unavailable in place of a renewal. */
  async #current(userId: string, provider: string, isDelayed = () => false): Promise<Held> {
    for (let poll = 0; poll < maxPolls; poll++) {
      const row = await this.#row(userId, provider)
      if (!row) throw notFound('kept token of the provider', provider)
      const tokens = this.#open(row)
      if (works(tokens)) return tokens
      if (tokens.refresh_token === null) throw lapsed(provider)
      if (isDelayed())
        throw new AppError('unavailable', `The token of ${provider} could not be renewed a moment ago`)
      if (await this.#lease(row)) {
        const renewed = await this.#renew(row, tokens.refresh_token, provider)
        // Accept the new token even if it expires soon: another renewal would return no better one.
        if (renewed) return renewed
      } else await new Promise((resolve) => setTimeout(resolve, pollIntervalMs))
    }
    throw new AppError('unavailable', `The token of ${provider} could not be renewed in time`)
  }

  /** Returns the token for a route, from memory if it is cached, or undefined if there is no valid token. */
  forRoute(userId: string, provider: string): ProviderToken | undefined | Promise<ProviderToken | undefined> {
    const key = `${userId} ${provider}`
    const ready = this.#ready.warm()
    const known = ready?.get(key)
    if (known instanceof Promise) return known
    if (known ? works(known) : ready?.has(key)) return known
    return this.#forRoute(key, userId, provider)
  }

  async #forRoute(key: string, userId: string, provider: string): Promise<Held | undefined> {
    // Take the map before reading the row: a change after this point clears a newer map, not this one.
    const ready = await this.#ready.get()
    const known = ready.get(key)
    if (known instanceof Promise) return known
    const pending = this.#fetchForRoute(key, userId, provider).then(
      (token) => {
        ready.set(key, token)
        return token
      },
      (error: Error) => {
        if (error instanceof AppError && error.error === 'not_found') ready.set(key, undefined)
        else ready.delete(key)
        this.#parts.log.debug({ provider, error: error.message }, 'no provider token for a route')
        return undefined
      },
    )
    ready.set(key, pending)
    return pending
  }

  async #fetchForRoute(key: string, userId: string, provider: string): Promise<Held> {
    const isDelayed = () => (this.#delayedUntil.get(key) ?? 0) > now()
    try {
      return await this.#current(userId, provider, isDelayed)
    } catch (error) {
      if (error instanceof AppError && error.error === 'unavailable' && !isDelayed())
        this.#delayedUntil.set(key, now() + retryDelaySeconds)
      throw error
    }
  }

  #row(userId: string, provider: string) {
    return this.#query
      .selectFrom('provider_tokens')
      .innerJoin('user_identities', 'user_identities.id', 'provider_tokens.identity_id')
      .innerJoin('providers', 'providers.provider', 'user_identities.provider')
      .select([
        'provider_tokens.identity_id',
        'provider_tokens.sealed',
        'provider_tokens.expires_at',
        'user_identities.subject',
      ])
      .where('user_identities.user_id', '=', userId)
      .where('user_identities.provider', '=', provider)
      .where('providers.keep_tokens', '=', 1)
      .where('providers.enabled', '=', 1)
      .orderBy('user_identities.last_used_at', 'desc')
      .executeTakeFirst()
  }

  /** Of all processes on all nodes that find the token about to expire, one gets to renew it. */
  async #lease({ identity_id, sealed }: { identity_id: string; sealed: string }): Promise<boolean> {
    const { numUpdatedRows } = await this.#parts.database.write(() =>
      this.#query
        .updateTable('provider_tokens')
        .set({ leased_until: now() + leaseSeconds })
        .where('identity_id', '=', identity_id)
        .where('sealed', '=', sealed)
        .where('leased_until', '<=', now())
        .executeTakeFirst(),
    )
    return numUpdatedRows === 1n
  }

  /** Returns undefined if the row was deleted or replaced while we waited for the provider, and leaves it unchanged. */
  async #renew(
    { identity_id, subject, sealed }: { identity_id: string; subject: string; sealed: string },
    refreshToken: string,
    name: string,
  ): Promise<Held | undefined> {
    const { providers, party, database, log } = this.#parts
    const provider = await providers.find({ provider: name })
    if (!provider) throw notFound('provider', name)
    try {
      const tokens = await party.refresh(provider, refreshToken, subject)
      const row = { ...this.#sealed(identity_id, tokens), leased_until: 0 }
      return await database.write(async () => {
        const { numUpdatedRows } = await this.#query
          .updateTable('provider_tokens')
          .set(row)
          .where('identity_id', '=', identity_id)
          .where('sealed', '=', sealed)
          .executeTakeFirst()
        database.changed('providers')
        return numUpdatedRows === 1n ? this.#open({ identity_id, ...row }) : undefined
      })
    } catch (error) {
      if (error instanceof AppError) throw error
      const { fault, message } = asFault(error)
      log.warn({ provider: name, fault, error: message }, 'could not renew a provider token')
      if (fault !== 'grant' && fault !== 'untrusted') {
        await this.#release(identity_id)
        throw new AppError('unavailable', `${provider.title} cannot renew the token at the moment`)
      }
      // The refresh token was used up or revoked, or the answer was for another person: it will never work again.
      await this.forget(identity_id, sealed)
      throw lapsed(name)
    }
  }

  async #release(identityId: string): Promise<void> {
    await this.#parts.database.write(() =>
      this.#query
        .updateTable('provider_tokens')
        .set({ leased_until: 0 })
        .where('identity_id', '=', identityId)
        .execute(),
    )
  }

  #sealed(identityId: string, tokens: Tokens) {
    const { expires_at, ...given } = tokens
    const half = expires_at === null ? renewBeforeSeconds : Math.floor((expires_at - now()) / 2)
    const secrets = { ...given, early: Math.max(0, Math.min(renewBeforeSeconds, half)) }
    return { sealed: this.#parts.seal.seal(JSON.stringify(secrets), sealRow(identityId)), expires_at }
  }

  #open(row: { identity_id: string; sealed: string; expires_at: number | null }): Held {
    const secrets = JSON.parse(this.#parts.seal.open(row.sealed, sealRow(row.identity_id))) as Omit<
      Held,
      'expires_at'
    >
    return { ...secrets, expires_at: row.expires_at }
  }
}

const lapsed = (provider: string) =>
  conflict(
    `The token from ${provider} has expired; sign in with ${provider} again: /login?provider=${provider}`,
  )
