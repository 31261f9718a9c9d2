import { sql } from 'kysely'
import type { Reactions } from '../contract/reactions.ts'
import { alreadyExists, invalidParams, notFound } from '../contract/errors.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import type { Schema } from '../storage/schema.ts'
import type { Service } from './service.ts'
import { whenReady } from '../storage/when_ready.ts'
import { uidOf } from './unix_user.ts'

type Row = Schema['services']

/** Local services: programs that may call over the socket, with claims. The kernel authenticates them. */
export class Services {
  readonly #database: Database
  readonly #byUid: Cached<ReadonlyMap<number, Service>>
  readonly #byName: Cached<ReadonlyMap<string, Service>>
  readonly #reactions: Pick<Reactions, 'serviceReplaced'>

  constructor(database: Database, reactions: Pick<Reactions, 'serviceReplaced'>) {
    this.#database = database
    this.#reactions = reactions
    this.#byUid = new Cached(database, ['services'], async () => {
      const rows = await database.query.selectFrom('services').selectAll().execute()
      const entries = rows.map((row) => [uidOf(row.unix_user), toService(row)] as const)
      return new Map(entries.filter((entry): entry is [number, Service] => entry[0] !== undefined))
    })
    this.#byName = new Cached(database, ['services'], async () => {
      const rows = await database.query.selectFrom('services').selectAll().execute()
      return new Map(rows.map((row) => [row.name, toService(row)]))
    })
  }

  /** The service that runs as this local user, or undefined. Synchronous when the cache is current. */
  find(uid: number): Service | undefined | Promise<Service | undefined> {
    return whenReady(this.#byUid.get(), (services) => services.get(uid))
  }

  /** A service by its exact name, or undefined. Synchronous when the cache is current. */
  findByName(name: string): Service | undefined | Promise<Service | undefined> {
    return whenReady(this.#byName.get(), (services) => services.get(name))
  }

  async get(service: string): Promise<Service> {
    return toService(await this.#row(service))
  }

  async list(filter: PageParams): Promise<{ items: Service[]; next_cursor: string | null }> {
    const page = await readPage(this.#database.query.selectFrom('services').selectAll(), filter, {
      by: sql`lower(name)`,
      keyOf: (row) => row.name.toLowerCase(),
    })
    return { ...page, items: page.items.map(toService) }
  }

  async add(fields: { service: string; unix_user: string; claims: readonly string[] }): Promise<Service> {
    const at = now()
    const row: Row = {
      id: newId(),
      name: fields.service,
      unix_user: fields.unix_user,
      claims: JSON.stringify(fields.claims),
      created_at: at,
      updated_at: at,
    }
    return this.#store(row, () => this.#database.query.insertInto('services').values(row).execute())
  }

  async update(
    service: string,
    fields: { unix_user?: string; claims?: readonly string[] },
  ): Promise<Service> {
    return this.#database.write(async () => {
      const row = { ...(await this.#row(service)), updated_at: now() }
      // Another local user runs the service now: the previous one keeps nothing.
      if ((fields.unix_user ?? row.unix_user) !== row.unix_user)
        await this.#reactions.serviceReplaced(row.name)
      if (fields.unix_user !== undefined) row.unix_user = fields.unix_user
      if (fields.claims !== undefined) row.claims = JSON.stringify(fields.claims)
      return this.#store(row, () =>
        this.#database.query.updateTable('services').set(row).where('id', '=', row.id).execute(),
      )
    })
  }

  async remove(service: string): Promise<null> {
    return this.#database.write(async () => {
      const { id, name } = await this.#row(service)
      // The next service with this name may be a different one, with other claims.
      await this.#reactions.serviceReplaced(name)
      await this.#database.query.deleteFrom('services').where('id', '=', id).execute()
      this.#database.changed('services')
      return null
    })
  }

  async #store(row: Row, write: () => Promise<unknown>): Promise<Service> {
    // The audit log uses this name for the operator.
    if (row.name.toLowerCase() === 'system') throw invalidParams('service', 'any name but system')
    const uid = uidOf(row.unix_user)
    if (uid === undefined) throw invalidParams('unix_user', 'a user of this machine, or a numeric user id')
    if (uid === 0 || uid === process.getuid?.()) {
      throw invalidParams('unix_user', "a user other than root and the daemon's own, which are the operator")
    }
    return this.#database.write(async () => {
      const others = await this.#database.query
        .selectFrom('services')
        .selectAll()
        .where('id', '!=', row.id)
        .execute()
      if (others.some(({ name }) => name.toLowerCase() === row.name.toLowerCase()))
        throw alreadyExists('service', 'service')
      // A name and a number may mean the same user: one process belongs to one service.
      if (others.some(({ unix_user }) => uidOf(unix_user) === uid))
        throw alreadyExists('unix_user', 'unix_user')
      await write()
      this.#database.changed('services')
      return toService(row)
    })
  }

  async #row(service: string): Promise<Row> {
    const row = await this.#database.query
      .selectFrom('services')
      .selectAll()
      .where(sql`lower(name)`, '=', service.toLowerCase())
      .executeTakeFirst()
    if (!row) throw notFound('service', service)
    return row
  }
}

const toService = ({ name, claims, ...row }: Row): Service => ({
  id: row.id,
  service: name,
  unix_user: row.unix_user,
  claims: JSON.parse(claims) as string[],
  created_at: row.created_at,
  updated_at: row.updated_at,
})
