import { sql } from 'kysely'
import type { Reactions } from '../contract/reactions.ts'
import { alreadyExists, invalidParams, notFound } from '../contract/errors.ts'
import { clientPattern } from '../contract/schemas.ts'
import { refuseUnaskable } from '../storage/ask_groups.ts'
import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import type { Prepared } from '../storage/prepared.ts'
import { bit, type ClientRow } from '../storage/schema.ts'
import { userScopes, type Client, type ClientWithCredentials } from './client.ts'
import {
  checkClient,
  checkKeys,
  recordsToDelete,
  toColumns,
  toKnown,
  unsetFields,
  type ClientFields,
} from './client_row.ts'
import { Secrets } from './client_secrets.ts'

/** Maximum number of clients cached in memory. */
const maxEntries = 10_000

export interface NewClient extends Partial<ClientFields> {
  readonly client?: string
  readonly name: string
  readonly public?: boolean
  readonly native?: boolean
  readonly dynamic?: boolean
  readonly registered_from?: string
  readonly jwks?: object
  /** SHA-256, in hex, of a secret that the client already has. */
  readonly secret_sha256?: string
}

type ClientReactions = Pick<Reactions, 'clientLosesRecords' | 'clientTokensEnded' | 'clientRemoved'>

/** Applications that sign users in through us, and programs that get tokens of their own. */
export class Clients {
  readonly #database: Database
  readonly #secrets: Secrets
  readonly #known: Cached<BoundedMap<ClientWithCredentials | 'none'>>
  readonly #byName: Prepared<{ client: string }, ClientRow>
  readonly #dynamicAllowed: () => Promise<boolean>
  readonly #reactions: ClientReactions

  /** `dynamicAllowed` returns whether clients that registered themselves are currently accepted. */
  constructor(database: Database, dynamicAllowed: () => Promise<boolean>, reactions: ClientReactions) {
    this.#database = database
    this.#reactions = reactions
    this.#secrets = new Secrets(database)
    this.#dynamicAllowed = dynamicAllowed
    this.#known = new Cached(database, ['clients'], async () =>
      boundedMap<ClientWithCredentials | 'none'>(maxEntries),
    )
    this.#byName = database.prepared((query, { client }: { client: string }) =>
      query.selectFrom('clients').selectAll().where('client', '=', client),
    )
  }

  /** An active client with its credentials; undefined for any other. Synchronous when the cache is current. */
  find(client: string): ClientWithCredentials | undefined | Promise<ClientWithCredentials | undefined> {
    // No client can have such a name: there is nothing to look up or remember.
    if (!clientPattern.test(client)) return undefined
    const known = this.#known.warm()?.get(client)
    return known === undefined ? this.#load(client) : this.#ifAccepted(known)
  }

  #ifAccepted(
    known: ClientWithCredentials | 'none',
  ): ClientWithCredentials | undefined | Promise<ClientWithCredentials | undefined> {
    if (known === 'none' || !known.is_active) return undefined
    return known.dynamic ? this.#dynamicAllowed().then((count) => (count ? known : undefined)) : known
  }

  async #load(client: string): Promise<ClientWithCredentials | undefined> {
    const known = await this.#known.get()
    const row = await this.#byName({ client })
    const found = row ? await this.#full(row) : 'none'
    known.set(client, found)
    return this.#ifAccepted(found)
  }

  async get(client: string): Promise<Client> {
    return withoutProof(await this.#full(await this.#row(client)))
  }

  async list(filter: PageParams): Promise<{ items: Client[]; next_cursor: string | null }> {
    const page = await readPage(this.#database.query.selectFrom('clients').selectAll(), filter, {
      by: sql.ref('client'),
      keyOf: ({ client }) => client,
    })
    const full = await Promise.all(page.items.map((row) => this.#full(row)))
    return { ...page, items: full.map(withoutProof) }
  }

  /** Adds a client and returns its secret, which cannot be read again; null for a client that has none. */
  // oxlint-disable-next-line max-lines-per-function -- one row, column by column
  async add(fields: NewClient): Promise<Client & { client_secret: string | null }> {
    const signsIn = (fields.redirect_uris?.length ?? 0) > 0
    const grants = fields.grants ?? [signsIn ? 'authorization_code' : 'client_credentials']
    const signsUsersIn = grants.some((grant) => grant !== 'client_credentials')
    const isPublic = fields.public ?? false
    const at = now()
    const row: ClientRow = {
      id: newId(),
      client: fields.client ?? newId(),
      public: bit(isPublic),
      native: bit(fields.native ?? false),
      dynamic: bit(fields.dynamic ?? false),
      jwks: fields.jwks ? JSON.stringify(fields.jwks) : '',
      tokens_since: at - 1,
      last_used_at: null,
      registered_from: fields.registered_from ?? '',
      created_at: at,
      ...toColumns(
        {
          ...unsetFields,
          ...fields,
          grants,
          scopes: fields.scopes ?? (signsUsersIn ? [...userScopes] : ['read']),
        },
        at,
      ),
    }
    checkClient(row)
    checkKeys(row)
    // The audit log uses this name for the operator.
    if (row.client.toLowerCase() === 'system') throw invalidParams('client', 'any name but system')
    return this.#database.write(async () => {
      const { query } = this.#database
      const taken = await query
        .selectFrom('clients')
        .select('id')
        .where(sql`lower(client)`, '=', row.client.toLowerCase())
        .executeTakeFirst()
      if (taken) throw alreadyExists('client', 'client')
      await refuseUnaskable(this.#database, fields.ask_group)
      // Otherwise the subject of its tokens would be that user's.
      const person = await query
        .selectFrom('users')
        .select('id')
        .where('id', '=', row.client)
        .executeTakeFirst()
      if (person) throw invalidParams('client', 'not the id of a user')
      await query.insertInto('clients').values(row).execute()
      const usesNoSecret = isPublic || row.jwks !== ''
      if (fields.secret_sha256 !== undefined) {
        if (usesNoSecret) throw invalidParams('secret_sha256', 'only for a client that has a secret')
        await this.#secrets.insert(row.id, fields.secret_sha256)
      }
      const bringsCredential = usesNoSecret || fields.secret_sha256 !== undefined
      const client_secret = bringsCredential ? null : await this.#secrets.add(row.id)
      this.#database.changed('clients')
      return { ...(await this.get(row.client)), client_secret }
    })
  }

  async update(client: string, fields: Partial<ClientFields>): Promise<Client> {
    return this.#database.write(async () => {
      const row = await this.#row(client)
      const before = await this.#full(row)
      const after = { ...row, ...toColumns({ ...before, ...fields }, now()) }
      checkClient(after)
      await refuseUnaskable(this.#database, fields.ask_group)
      if (after.is_active === 0) await this.#endTokens(after)
      else await this.#reactions.clientLosesRecords(row.client, recordsToDelete(before, fields))
      await this.#database.query.updateTable('clients').set(after).where('id', '=', row.id).execute()
      this.#database.changed('clients')
      return this.get(client)
    })
  }

  /**
   * Creates another secret. The previous one stays valid for a week, or not at all if it leaked; older ones end now, so
   * that there are never more than two.
   */
  async rotateSecret(client: string, drop: boolean): Promise<{ client: string; client_secret: string }> {
    return this.#database.write(async () => {
      const row = await this.#row(client)
      if (row.public === 1 || row.jwks !== '') throw invalidParams('client', 'a client that has a secret')
      const client_secret = await this.#secrets.rotate(row.id, drop)
      if (drop) {
        await this.#endTokens(row)
        await this.#database.query.updateTable('clients').set(row).where('id', '=', row.id).execute()
      }
      this.#database.changed('clients')
      return { client: row.client, client_secret }
    })
  }

  async remove(client: string): Promise<null> {
    return this.#database.write(async () => {
      const row = await this.#row(client)
      await this.#endTokens(row)
      await this.#database.query.deleteFrom('clients').where('id', '=', row.id).execute()
      await this.#reactions.clientRemoved(row.client)
      this.#database.changed('clients')
      return null
    })
  }

  /** Ends everything issued to the client until now, here and at all services that follow revocations. */
  async #endTokens(row: ClientRow): Promise<void> {
    row.tokens_since = now()
    await this.#reactions.clientLosesRecords(row.client, 'all')
    await this.#reactions.clientTokensEnded(row.client)
  }

  async #row(client: string): Promise<ClientRow> {
    const row = await this.#byName({ client })
    if (!row) throw notFound('client', client)
    return row
  }

  async #full(row: ClientRow): Promise<ClientWithCredentials> {
    return toKnown(row, await this.#secrets.of(row.id))
  }
}

const withoutProof = ({
  jwks: _,
  secret_hashes: __,
  tokens_since: ___,
  ...client
}: ClientWithCredentials): Client => client
