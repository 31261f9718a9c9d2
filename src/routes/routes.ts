import { isIPv6 } from 'node:net'
import { sql } from 'kysely'
import { digest } from '../secrets/digest.ts'
import { alreadyExists, invalidParams, notFound } from '../contract/errors.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { readPage, type PageParams } from '../storage/pager.ts'
import type { RouteRow } from '../storage/schema.ts'
import { authModeNames, type AuthMode } from './auth_modes.ts'
import type { Route } from './route.ts'
import { RouteTable } from './route_table.ts'
import { upstreamOf } from '../upstream/upstream.ts'
import { fromColumns, toColumns, withFallbacks } from './route_options.ts'

/** The fields of a route. A bearer token of null removes the current one. */
export type RouteFields = Partial<Omit<Route, 'id' | 'bearer_token_set' | 'created_at' | 'updated_at'>> & {
  readonly bearer_token?: string | null
}

/** Whether hero_proxy itself answers everything that a route with this domain and path prefix covers. */
export type IsOwnPath = (domain: string, pathPrefix: string) => boolean

/** Which host and path lead to which upstream, and who may pass. */
export class Routes {
  readonly #database: Database
  readonly #table: Cached<RouteTable>

  constructor(database: Database) {
    this.#database = database
    this.#table = new Cached(database, ['routes'], async () => {
      const rows = await database.query.selectFrom('routes').selectAll().execute()
      return new RouteTable(
        rows.map((row) => ({ route: toRoute(row), bearerTokenHash: row.bearer_token_hash })),
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

  async add(
    fields: RouteFields & Pick<Route, 'domain' | 'target' | 'auth_mode'>,
    isOwnPath: IsOwnPath,
  ): Promise<Route> {
    const at = now()
    const route: Route = {
      id: newId(),
      domain: fields.domain.toLowerCase(),
      path_prefix: fields.path_prefix ?? '/',
      target: fields.target,
      auth_mode: fields.auth_mode,
      ...withFallbacks(fields),
      bearer_token_set: typeof fields.bearer_token === 'string',
      created_at: at,
      updated_at: at,
    }
    refuseOwnPath(route, isOwnPath)
    const bearer_token_hash = hashOf(fields.bearer_token) ?? ''
    return this.#store(route, (row) =>
      this.#database.query
        .insertInto('routes')
        .values({ ...row, bearer_token_hash })
        .execute(),
    )
  }

  async update(id: string, { bearer_token, ...fields }: RouteFields, isOwnPath: IsOwnPath): Promise<Route> {
    return this.#database.write(async () => {
      const route = { ...(await this.get(id)), ...fields, updated_at: now() }
      route.domain = route.domain.toLowerCase()
      // An older route may lie there, and can still be changed in all else.
      if (fields.domain !== undefined || fields.path_prefix !== undefined) refuseOwnPath(route, isOwnPath)
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
      await write(toRow(route))
      this.#database.changed('routes')
      return route
    })
  }
}

const refuseBadTarget = (field: string, target: string) => {
  const upstream = upstreamOf(target)
  if ('path' in upstream) return
  const { host, port } = upstream
  if (port < 1 || port > 65535 || (host.includes(':') && !isIPv6(host))) {
    throw invalidParams(field, 'http://host:port with a port from 1 to 65535, or unix:/path.sock')
  }
}

/** Such a route would get no request. */
const refuseOwnPath = ({ domain, path_prefix }: Route, isOwnPath: IsOwnPath) => {
  if (isOwnPath(domain, path_prefix))
    throw invalidParams('path_prefix', 'a path of the service: hero_proxy answers this one itself')
}

const refuseContradiction = (route: Route) => {
  const { target, more_targets, auth_mode, required_claims, allowed_emails } = route
  refuseBadTarget('target', target)
  more_targets.forEach((another, i) => refuseBadTarget(`more_targets/${i}`, another))
  if (auth_mode !== 'none') return
  const rule = 'empty if auth_mode is none, where everyone is a guest'
  if (required_claims.length > 0) throw invalidParams('required_claims', rule)
  if (allowed_emails.length > 0) throw invalidParams('allowed_emails', rule)
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
