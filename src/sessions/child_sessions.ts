import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { RevocationReason } from '../contract/reactions.ts'
import { digest } from '../secrets/digest.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { recordChildRevocations } from './revocations.ts'
import { newToken } from './session_token.ts'

/** Arrival cookies with living children of one sign-in at one origin; beyond that, the children of the oldest end. */
const maxArrivals = 5
/** Living children of one sign-in, origin and arrival cookie: a browser that restores its tabs opens some at once. The oldest end. */
const maxOfArrival = 20
/** Children that one browser opened one after another within this time form a chain. */
const roundSeconds = 60

/** Where a cookie was shown. */
export interface CookiePlace {
  readonly host: string
  readonly secure: boolean
}

/** The hash of a child's token. The place is part of it, so the same token leads nowhere at another host or scheme. */
export const childHash = (token: string, { host, secure }: CookiePlace): string =>
  digest(`${secure ? 'https' : 'http'}://${host} ${token}`)

/** A new child session. */
export interface OpenedChild {
  readonly token: string
  /** Seconds until its sign-in ends, and it with it. */
  readonly expires_in: number
  /** Whether the browser keeps it when it is closed, as it does its sign-in. */
  readonly remembered: boolean
}

interface Opening {
  readonly parentId: string
  readonly origin: string
  /** SHA-256 of the browser's arrival cookie, hex. */
  readonly arrivalHash: string
  readonly round: number
  /** What its passage shares; empty for none. */
  readonly passage: string
}

/** The sessions that sign-ins at home have at the hosts of services. */
export class ChildSessions {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Opens a child session, the only way to one. Undefined if the sign-in has ended. Inside a transaction. */
  async open({ parentId, origin, arrivalHash, round, passage }: Opening): Promise<OpenedChild | undefined> {
    const parent = await this.#database.query
      .selectFrom('sessions')
      .select(['expires_at', 'remembered'])
      .where('id', '=', parentId)
      .where('kind', '=', 'cookie')
      .where('expires_at', '>', now())
      .executeTakeFirst()
    if (!parent) return undefined
    await this.#makeRoom(parentId, origin, arrivalHash)
    const token = newToken()
    const { protocol, hostname } = new URL(origin)
    await this.#database.query
      .insertInto('child_sessions')
      .values({
        id: newId(),
        token_hash: childHash(token, { host: hostname, secure: protocol === 'https:' }),
        parent_id: parentId,
        origin,
        arrival_hash: arrivalHash,
        round,
        passage,
        opened_at: now(),
      })
      .execute()
    return { token, expires_in: parent.expires_at - now(), remembered: parent.remembered === 1 }
  }

  /** Returns how many children a browser has opened at an origin one after another within the last minute. */
  async round(origin: string, arrivalHash: string): Promise<number> {
    const { last } = await this.#database.query
      .selectFrom('child_sessions')
      .select(({ fn }) => fn.max('round').as('last'))
      .where('arrival_hash', '=', arrivalHash)
      .where('origin', '=', origin)
      .where('opened_at', '>', now() - roundSeconds)
      .executeTakeFirstOrThrow()
    return last ?? 0
  }

  /** Returns the hosts that each sign-in has opened, in alphabetical order. */
  async hostsOf(parentIds: readonly string[]): Promise<ReadonlyMap<string, string[]>> {
    const hosts = new Map<string, string[]>()
    if (parentIds.length === 0) return hosts
    const rows = await this.#database.query
      .selectFrom('child_sessions')
      .select(['parent_id', 'origin'])
      .distinct()
      .where('parent_id', 'in', parentIds)
      .execute()
    for (const { parent_id, origin } of rows)
      hosts.set(parent_id, [...(hosts.get(parent_id) ?? []), new URL(origin).hostname].toSorted())
    return hosts
  }

  /** Returns the origins where a sign-in has sessions, the one that was opened last first. */
  async originsOf(parentId: string): Promise<string[]> {
    const rows = await this.#database.query
      .selectFrom('child_sessions')
      .select(({ fn }) => ['origin', fn.max('id').as('newest')])
      .where('parent_id', '=', parentId)
      .groupBy('origin')
      .orderBy('newest', 'desc')
      .execute()
    return rows.map(({ origin }) => origin)
  }

  /** Ends the children of a sign-in at one host, also those from before its origin changed. */
  async endAt(parentId: string, host: string): Promise<void> {
    const rows = await this.#database.query
      .selectFrom('child_sessions')
      .select(['id', 'origin'])
      .where('parent_id', '=', parentId)
      .execute()
    const ids = rows.filter(({ origin }) => new URL(origin).hostname === host).map(({ id }) => id)
    if (ids.length > 0) await this.#end(sql`child_sessions.id in (${sql.join(ids)})`, 'logout')
  }

  /** Makes a child part of a passage, together with all that it already shares one with. Inside a transaction. */
  async join(id: string, passage: string): Promise<void> {
    const { query } = this.#database
    const child = await query
      .selectFrom('child_sessions')
      .select(['parent_id', 'passage'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (!child) return
    const joining = query
      .updateTable('child_sessions')
      .set({ passage })
      .where('parent_id', '=', child.parent_id)
    await (
      child.passage === '' ? joining.where('id', '=', id) : joining.where('passage', '=', child.passage)
    ).execute()
  }

  /** Ends one child. */
  async revoke(id: string, reason: RevocationReason): Promise<void> {
    await this.#end(sql`child_sessions.id = ${id}`, reason)
  }

  async #makeRoom(parentId: string, origin: string, arrivalHash: string): Promise<void> {
    const ofArrival = await this.#database.query
      .selectFrom('child_sessions')
      .select('id')
      .where('parent_id', '=', parentId)
      .where('origin', '=', origin)
      .where('arrival_hash', '=', arrivalHash)
      .orderBy('id', 'desc')
      .execute()
    const oldest = ofArrival.slice(maxOfArrival - 1).map(({ id }) => id)
    if (oldest.length > 0) await this.#end(sql`child_sessions.id in (${sql.join(oldest)})`, 'revoked')
    const rows = await this.#database.query
      .selectFrom('child_sessions')
      .select(({ fn }) => ['arrival_hash', fn.max('id').as('newest')])
      .where('parent_id', '=', parentId)
      .where('origin', '=', origin)
      .where('arrival_hash', '!=', arrivalHash)
      .groupBy('arrival_hash')
      .orderBy('newest', 'desc')
      .execute()
    const old = rows.slice(maxArrivals - 1).map((row) => row.arrival_hash)
    if (old.length === 0) return
    await this.#end(
      sql`child_sessions.parent_id = ${parentId} and child_sessions.origin = ${origin}
        and child_sessions.arrival_hash in (${sql.join(old)})`,
      'revoked',
    )
  }

  /** The only way to end children while their sign-in goes on. What a passage opened together ends together. */
  #end(chosen: RawBuilder<SqlBool>, reason: RevocationReason): Promise<void> {
    return this.#database.write(async () => {
      const passages = await this.#database.query
        .selectFrom('child_sessions')
        .select(['parent_id', 'passage'])
        .distinct()
        .where(chosen)
        .where('passage', '<>', '')
        .execute()
      const which = passages.reduce(
        (all, { parent_id, passage }) => sql<SqlBool>`${all}
          or (child_sessions.parent_id = ${parent_id} and child_sessions.passage = ${passage})`,
        sql<SqlBool>`(${chosen})`,
      )
      await recordChildRevocations(this.#database.query, which, reason)
      const { numDeletedRows } = await this.#database.query
        .deleteFrom('child_sessions')
        .where(which)
        .executeTakeFirst()
      if (numDeletedRows > 0n) this.#database.changed('sessions')
    })
  }
}
