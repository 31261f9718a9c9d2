import { shownName } from '../contract/names.ts'
import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { digest } from '../secrets/digest.ts'
import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import type { Prepared } from '../storage/prepared.ts'
import type { TokenRow } from '../storage/schema.ts'
import { LastUsed } from '../storage/last_used.ts'
import { sweepRows } from '../storage/sweeping.ts'
import type { TokenScope } from '../contract/token_scopes.ts'
import type { Token } from './token.ts'
import { looksLikePersonalToken, writeToken } from './token_text.ts'

const maxEntries = 100_000

/** The owner of a token: exactly one of the two, by id. */
export type Owner = { readonly user_id: string } | { readonly service_id: string }

/** A valid personal token and its owner. */
export interface PersonalToken {
  readonly id: string
  readonly scope: TokenScope
  readonly expires_at: number
  /** When it was last used, as far as this process knows. */
  used_at: number
  readonly user_id: string | null
  /** The name of the service. */
  readonly service: string | null
}

/**
 * Long-lived tokens that users and services give to their programs: `hero_…`, each with a scope and an expiry. We store
 * only their SHA-256.
 */
export class PersonalTokens {
  readonly #database: Database
  readonly #lastUsed: LastUsed
  readonly #known: Cached<BoundedMap<PersonalToken>>
  readonly #byHash: Prepared<{ hash: string }, unknown>

  constructor(database: Database) {
    this.#database = database
    this.#lastUsed = new LastUsed(database, (id, at) =>
      database.query
        .updateTable('tokens')
        .set({ last_used_at: at })
        .where('id', '=', id)
        .where('last_used_at', '<', at)
        .execute(),
    )
    this.#known = new Cached(database, ['tokens', 'users', 'services'], async () =>
      boundedMap<PersonalToken>(maxEntries),
    )
    this.#byHash = database.prepared((query, { hash }: { hash: string }) =>
      query
        .selectFrom('tokens')
        .leftJoin('services', 'services.id', 'tokens.service_id')
        .select([
          'tokens.id',
          'tokens.scope',
          'tokens.expires_at',
          'tokens.last_used_at as used_at',
          'tokens.user_id',
          'services.name as service',
        ])
        .where('token_hash', '=', hash),
    )
  }

  /** Creates a token and returns it. It cannot be read again. */
  async add(
    owner: Owner,
    { name, scope, expires_in }: { name: string; scope: TokenScope; expires_in: number },
  ): Promise<{ id: string; token: string }> {
    const token = writeToken()
    const at = now()
    const row: TokenRow = {
      id: newId(),
      token_hash: digest(token),
      user_id: null,
      service_id: null,
      ...owner,
      name,
      scope,
      created_at: at,
      expires_at: at + expires_in,
      last_used_at: 0,
    }
    await this.#database.write(async () => {
      await this.#database.query.insertInto('tokens').values(row).execute()
      this.#database.changed('tokens')
    })
    return { id: row.id, token }
  }

  /**
   * Looks up a token. Undefined if it is not a personal token or has expired. Synchronous when the cache is current.
   */
  find(token: string): PersonalToken | undefined | Promise<PersonalToken | undefined> {
    if (!looksLikePersonalToken(token)) return undefined
    const key = digest(token)
    const known = this.#known.warm()?.get(key)
    return known ? this.#ifValid(known) : this.#load(key)
  }

  #ifValid(known: PersonalToken): PersonalToken | undefined {
    const at = now()
    if (known.expires_at <= at) return undefined
    this.#lastUsed.note(known, at)
    return known
  }

  async #load(key: string): Promise<PersonalToken | undefined> {
    const known = await this.#known.get()
    const row = await this.#byHash({ hash: key })
    if (!row) return undefined
    const found = row as PersonalToken
    // Store it in the map that was current before the row was read: after a change, that map is no longer used.
    known.set(key, found)
    return this.#ifValid(found)
  }

  /** The valid tokens of a user or a service, newest first. */
  async list(owner: Owner, filter: PageParams): Promise<{ items: Token[]; next_cursor: string | null }> {
    const [column, id] = Object.entries(owner)[0] as ['user_id' | 'service_id', string]
    const query = this.#rows().where(`tokens.${column}`, '=', id).where('tokens.expires_at', '>', now())
    const page = await readPage(query, filter, {
      by: sql.ref('tokens.id'),
      descending: true,
      keyOf: ({ id }) => id,
    })
    const items = page.items.map(
      ({ last_used_at, user_id: _, ...row }) =>
        ({
          ...row,
          name: shownName(row.name),
          last_used_at: last_used_at === 0 ? null : last_used_at,
        }) as Token,
    )
    return { ...page, items }
  }

  /** A token with its owner, by id, or undefined. */
  get(id: string) {
    return this.#rows().where('tokens.id', '=', id).executeTakeFirst()
  }

  #rows() {
    return this.#database.query
      .selectFrom('tokens')
      .leftJoin('users', 'users.id', 'tokens.user_id')
      .leftJoin('services', 'services.id', 'tokens.service_id')
      .select([
        'tokens.id',
        'tokens.user_id',
        'users.username as user',
        'services.name as service',
        'tokens.name',
        'tokens.scope',
        'tokens.created_at',
        'tokens.expires_at',
        'tokens.last_used_at',
      ])
  }

  async remove(id: string): Promise<void> {
    await this.#delete(sql`id = ${id}`)
  }

  /** Removes the tokens of a user, or those made since a time: someone who took over the account may have kept one. */
  async removeAllOfUser(userId: string, since = 0): Promise<void> {
    await this.#delete(sql`user_id = ${userId} and created_at >= ${since}`)
  }

  /** Deletes expired tokens. Called on a timer. */
  async sweep(): Promise<void> {
    await sweepRows(
      this.#database,
      'tokens',
      'id',
      sql`expires_at <= ${now()}`,
      (query) => query.deleteFrom('tokens'),
      'tokens',
    )
  }

  async #delete(which: RawBuilder<SqlBool>): Promise<void> {
    await this.#database.write(async () => {
      const { numDeletedRows } = await this.#database.query
        .deleteFrom('tokens')
        .where(which)
        .executeTakeFirst()
      if (numDeletedRows > 0n) this.#database.changed('tokens')
    })
  }

  async close(): Promise<void> {
    await this.#lastUsed.close()
  }
}
