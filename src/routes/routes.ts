import { sql } from 'kysely'
import { digest } from '../secrets/digest.ts'
import { alreadyExists, notFound } from '../contract/errors.ts'
import { refuseUnaskable } from '../storage/ask_groups.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import type { RouteRow } from '../storage/schema.ts'
import { authModeNames, type AuthMode } from './auth_modes.ts'
import type { Home } from '../contract/home.ts'
import { refuseUnknownHosts, refuseSecondOrigin } from './neighbours.ts'
import type { Route } from './route.ts'
import {
  normalRoute,
  refuseAtHome,
  refuseAtPrevious,
  refuseContradiction,
  refuseOwnPath,
  type IsOwnPath,
} from './route_checks.ts'
import { nameFor, numbered } from './route_names.ts'
import { RouteTable } from './route_table.ts'
import { followMode, fromColumns, toColumns, withFallbacks } from './route_options.ts'

/** The fields of a route. A bearer token of null removes the current one. */
export type RouteFields = Partial<Omit<Route, 'id' | 'bearer_token_set' | 'created_at' | 'updated_at'>> & {
  readonly bearer_token?: string | null
}

/** Which host and path lead to which upstream, and who may pass. */
export class Routes {
  readonly #database: Database
  readonly #home: Home
  readonly #table: Cached<RouteTable>

  constructor(database: Database, home: Home) {
    this.#database = database
    this.#home = home
    this.#table = new Cached(database, ['routes'], async () => {
      const rows = await database.query.selectFrom('routes').selectAll().execute()
      return new RouteTable(
        rows.map((row) => ({ route: toRoute(row), bearerTokenHash: row.bearer_token_hash })),
        home.all,
      )
    })
  }

  /** All routes, for matching. Synchronous when the cache is current. */
  table(): RouteTable | Promise<RouteTable> {
    return this.#table.get()
  }

  /** The routes if they are known to be current; never waits. */
  currentTable(): RouteTable | undefined {
    return this.#table.warm()
  }

  /** The routes as they were last, even if they may have changed since: nobody may pass by them. */
  lastTable(): RouteTable {
    return this.#table.last() ?? new RouteTable([], this.#home.all)
  }

  async list(filter: PageParams & { domain?: string }) {
    let query = this.#database.query.selectFrom('routes').selectAll()
    if (filter.domain !== undefined) query = query.where('domain', '=', filter.domain.toLowerCase())
    const page = await readPage(query, filter, { by: sql.ref('id'), keyOf: ({ id }) => id })
    return { ...page, items: page.items.map(toRoute) }
  }

  async get(id: string): Promise<Route> {
    const row = await this.#database.query
      .selectFrom('routes')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst()
    if (!row) throw notFound('route', id)
    return toRoute(row)
  }

  /** The enabled routes at home's host, whose services can act there as the person who signed in. */
  atHome(): Promise<Route[]> {
    return this.#enabledAt([this.#home.host])
  }

  /** Throws with one readable line if an enabled route has the host of an earlier public URL. Called at the start. */
  async refuseAtPreviousUrls(): Promise<void> {
    const [route] = await this.#enabledAt([...this.#home.previous.keys()])
    if (route)
      throw new Error(
        `previous_public_urls: the route ${route.name} has the host ${route.domain}; remove the route, or the URL from the setting`,
      )
  }

  async #enabledAt(domains: readonly string[]): Promise<Route[]> {
    if (domains.length === 0) return []
    const rows = await this.#database.query
      .selectFrom('routes')
      .selectAll()
      .where('domain', 'in', domains)
      .orderBy('id')
      .execute()
    return rows.map(toRoute).filter(({ enabled }) => enabled)
  }

  /** The enabled routes that get no request, because hero_proxy answers all that they cover. */
  async shadowed(isOwnPath: IsOwnPath): Promise<Route[]> {
    const rows = await this.#database.query.selectFrom('routes').selectAll().orderBy('id').execute()
    return rows
      .map(toRoute)
      .filter(({ enabled, domain, path_prefix }) => enabled && isOwnPath(domain, path_prefix))
  }

  async add(
    { bearer_token, ...fields }: RouteFields & Pick<Route, 'domain' | 'target' | 'auth_mode'>,
    isOwnPath: IsOwnPath,
  ): Promise<Route> {
    const at = now()
    const { domain, path_prefix = '/', target, auth_mode } = fields
    const route = normalRoute({
      id: newId(),
      name: fields.name ?? '',
      domain,
      path_prefix,
      target,
      auth_mode,
      ...withFallbacks(fields, auth_mode),
      bearer_token_set: typeof bearer_token === 'string',
      created_at: at,
      updated_at: at,
    })
    refuseAtPrevious(route, this.#home)
    refuseOwnPath(route, isOwnPath)
    refuseAtHome(route, this.#home)
    const bearer_token_hash = hashOf(bearer_token) ?? ''
    return this.#database.write(async () => {
      route.name ||= await this.#freeName(nameFor(route.domain, route.path_prefix))
      await refuseUnknownHosts(this.#database, this.#home, route)
      await refuseUnaskable(this.#database, route.ask_group)
      return this.#store(route, (row) =>
        this.#database.query
          .insertInto('routes')
          .values({ ...row, bearer_token_hash })
          .execute(),
      )
    })
  }

  async update(id: string, { bearer_token, ...fields }: RouteFields, isOwnPath: IsOwnPath): Promise<Route> {
    return this.#database.write(async () => {
      const old = await this.get(id)
      const following = followMode(old.auth_mode, fields.auth_mode ?? old.auth_mode)
      const route = normalRoute({ ...old, ...following, ...fields, updated_at: now() })
      const given = (...names: readonly (keyof typeof fields)[]) =>
        names.some((name) => fields[name] !== undefined)
      // An older route may break these rules, and can still be changed in all else.
      if (route.enabled) refuseAtPrevious(route, this.#home)
      if (given('domain', 'path_prefix')) refuseOwnPath(route, isOwnPath)
      if (given('domain', 'shares_home', 'origin')) refuseAtHome(route, this.#home)
      if (given('domain', 'also')) await refuseUnknownHosts(this.#database, this.#home, route)
      await refuseUnaskable(this.#database, fields.ask_group)
      const bearer_token_hash = hashOf(bearer_token)
      if (bearer_token_hash !== undefined) route.bearer_token_set = bearer_token_hash !== ''
      return this.#store(route, (row) =>
        this.#database.query
          .updateTable('routes')
          .set({ ...row, ...(bearer_token_hash !== undefined && { bearer_token_hash }) })
          .where('id', '=', id)
          .execute(),
      )
    })
  }

  async remove(id: string): Promise<null> {
    return this.#database.write(async () => {
      await this.get(id)
      await this.#database.query.deleteFrom('routes').where('id', '=', id).execute()
      this.#database.changed('routes')
      return null
    })
  }

  async #store(
    route: Route,
    write: (row: Omit<RouteRow, 'bearer_token_hash'>) => Promise<unknown>,
  ): Promise<Route> {
    refuseContradiction(route)
    return this.#database.write(async () => {
      const taken = await this.#database.query
        .selectFrom('routes')
        .select('id')
        .where('domain', '=', route.domain)
        .where(sql`lower(path_prefix)`, '=', route.path_prefix.toLowerCase())
        .where('id', '!=', route.id)
        .executeTakeFirst()
      if (taken) throw alreadyExists('domain and path_prefix', 'domain')
      if (await this.#isTaken(route.name, route.id)) throw alreadyExists('name', 'name')
      await refuseSecondOrigin(this.#database, route)
      await write(toRow(route))
      this.#database.changed('routes')
      return route
    })
  }

  async #isTaken(name: string, exceptId: string): Promise<boolean> {
    const other = await this.#database.query
      .selectFrom('routes')
      .select('id')
      .where(sql`lower(name)`, '=', name.toLowerCase())
      .where('id', '!=', exceptId)
      .executeTakeFirst()
    return other !== undefined
  }

  async #freeName(name: string): Promise<string> {
    for (let i = 1; ; i++) if (!(await this.#isTaken(numbered(name, i), ''))) return numbered(name, i)
  }
}

/** Undefined keeps the current token, and an empty hash removes it. */
const hashOf = (token: string | null | undefined): string | undefined =>
  typeof token === 'string' ? digest(token) : token === null ? '' : undefined

const toRow = ({ bearer_token_set: _, ...route }: Route): Omit<RouteRow, 'bearer_token_hash'> => ({
  ...route,
  ...toColumns(route),
})

/**
 * An unknown mode disables the route: its paths answer as if nothing were there, and do not fall to a shorter prefix
 * with a possibly weaker rule.
 */
const toRoute = ({ bearer_token_hash, ...row }: RouteRow): Route => {
  const auth_mode = row.auth_mode as AuthMode
  const options = fromColumns(row)
  const enabled = options.enabled && authModeNames.includes(auth_mode)
  return { ...row, ...options, auth_mode, enabled, bearer_token_set: bearer_token_hash !== '' }
}
