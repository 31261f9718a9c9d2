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

/** Seconds before its end from which a token is renewed, unless half its life is less. */
const earliest = 30
/** Seconds for which one who renews has the row to itself. */
const lease = 15
/** Milliseconds between looks while somebody else renews, and how many. */
const [pause, looks] = [100, 60]
/** Seconds for which routes do without a token that could not be renewed: else every request would wait for a provider that is gone. */
const rest = 15
/** Whose renewal rests, at most. */
const mostResting = 10_000

interface Parts {
  readonly database: Database
  readonly seal: Seal
  readonly providers: Providers
  readonly party: RelyingParty
  readonly log: Log
}

export interface KeptToken {
  readonly access_token: string
  readonly expires_at: number | null
}

/** `early`: the seconds for this one. */
type Held = Tokens & { readonly early?: number }

const works = ({ expires_at, early = earliest }: Pick<Held, 'expires_at' | 'early'>): boolean =>
  expires_at === null || expires_at > now() + early

const sealRow = (identityId: string) => `provider_tokens.${identityId}`

/** What providers gave us of people, where `keep_tokens` says so: sealed, and renewed once however many ask. */
export class KeptTokens {
  readonly #parts: Parts
  /** For routes, by person and provider; while it is looked for, all who want it wait for the same answer. */
  readonly #ready: Cached<Map<string, Held | undefined | Promise<Held | undefined>>>
  /** Until when, by person and provider. */
  readonly #resting = boundedMap<number>(mostResting)

  constructor(parts: Parts) {
    this.#parts = parts
    this.#ready = new Cached(parts.database, ['providers', 'users'], async () => new Map())
  }

  get #query() {
    return this.#parts.database.query
  }

  /** Inside a transaction. */
  async store(identityId: string, tokens: Tokens): Promise<void> {
    const row = { ...this.#sealed(identityId, tokens), leased_until: 0 }
    await this.#query
      .insertInto('provider_tokens')
      .values({ identity_id: identityId, ...row })
      .onConflict((same) => same.column('identity_id').doUpdateSet(row))
      .execute()
    this.#parts.database.changed('providers')
  }

  /** `sealed`: these very ones and no newer. */
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

  /** A token of a person's that works, renewed if need be. Throws not_found, conflict where a new sign-in is due, unavailable. */
  async current(userId: string, provider: string): Promise<KeptToken> {
    const { access_token, expires_at } = await this.#current(userId, provider)
    return { access_token, expires_at }
  }

  /** What `rests` is not renewed. */
  async #current(userId: string, provider: string, rests = () => false): Promise<Held> {
    for (let look = 0; look < looks; look++) {
      const row = await this.#row(userId, provider)
      if (!row) throw notFound('kept token of the provider', provider)
      const tokens = this.#open(row)
      if (works(tokens)) return tokens
      if (tokens.refresh_token === null) throw lapsed(provider)
      if (rests()) throw new AppError('unavailable', `The token of ${provider} could not be renewed just now`)
      if (await this.#lease(row)) {
        const renewed = await this.#renew(row, tokens.refresh_token, provider)
        // However short it lives: to ask once more brings no better one.
        if (renewed) return renewed
      } else await new Promise((resolve) => setTimeout(resolve, pause))
    }
    throw new AppError('unavailable', `The token of ${provider} could not be renewed in time`)
  }

  /** The same for a route, from memory where it is warm; undefined where there is none that works. */
  forRoute(userId: string, provider: string): KeptToken | undefined | Promise<KeptToken | undefined> {
    const key = `${userId} ${provider}`
    const ready = this.#ready.warm()
    const known = ready?.get(key)
    if (known instanceof Promise) return known
    if (known ? works(known) : ready?.has(key)) return known
    return this.#forRoute(key, userId, provider)
  }

  async #forRoute(key: string, userId: string, provider: string): Promise<Held | undefined> {
    // Taken before it is read: what changes from here on empties another map.
    const ready = await this.#ready.get()
    const known = ready.get(key)
    if (known instanceof Promise) return known
    const looking = this.#look(key, userId, provider).then(
      (token) => {
        ready.set(key, token)
        return token
      },
      (error: Error) => {
        if (error instanceof AppError && error.error === 'not_found') ready.set(key, undefined)
        else ready.delete(key)
        this.#parts.log.debug({ provider, error: error.message }, 'no token for a route')
        return undefined
      },
    )
    ready.set(key, looking)
    return looking
  }

  async #look(key: string, userId: string, provider: string): Promise<Held> {
    const rests = () => (this.#resting.get(key) ?? 0) > now()
    try {
      return await this.#current(userId, provider, rests)
    } catch (error) {
      if (error instanceof AppError && error.error === 'unavailable' && !rests())
        this.#resting.set(key, now() + rest)
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

  /** Of all who find the token near its end, on all nodes, one renews it. */
  async #lease({ identity_id, sealed }: { identity_id: string; sealed: string }): Promise<boolean> {
    const { numUpdatedRows } = await this.#parts.database.write(() =>
      this.#query
        .updateTable('provider_tokens')
        .set({ leased_until: now() + lease })
        .where('identity_id', '=', identity_id)
        .where('sealed', '=', sealed)
        .where('leased_until', '<=', now())
        .executeTakeFirst(),
    )
    return numUpdatedRows === 1n
  }

  /** What was taken back or came anew while the provider was asked stays as it is: undefined then. */
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
      log.warn({ provider: name, fault, error: message }, 'a token could not be renewed')
      if (fault !== 'grant' && fault !== 'untrusted') {
        await this.#release(identity_id)
        throw new AppError('unavailable', `${provider.title} does not renew the token at present`)
      }
      // Used up, taken back, or answered with somebody else's: it never works again.
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
    const half = expires_at === null ? earliest : Math.floor((expires_at - now()) / 2)
    const secrets = { ...given, early: Math.max(0, Math.min(earliest, half)) }
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
  conflict(`What ${provider} gave has run out; sign in with it once more: /login?provider=${provider}`)
