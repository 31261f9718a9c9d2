import { invalidParams } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { takesSessions } from './auth_modes.ts'
import type { Home } from '../contract/home.ts'
import type { Route } from './route.ts'

/** Refuses an origin other than the one that another route gives to the same host. */
export const refuseSecondOrigin = async (database: Database, { id, domain, origin }: Route) => {
  if (origin === null) return
  const other = await database.query
    .selectFrom('routes')
    .select(['name', 'origin'])
    .where('domain', '=', domain)
    .where('id', '!=', id)
    .where('origin', 'not in', ['', origin])
    .orderBy('id')
    .executeTakeFirst()
  if (other)
    throw invalidParams(
      'origin',
      `null or ${other.origin}, the origin of the route ${JSON.stringify(other.name)}: all routes of a host have one`,
      { route: other.name },
    )
}

/** Refuses hosts in `also` at which nobody could be signed in. */
export const refuseUnknownHosts = async (database: Database, home: Home, { domain, also }: Route) => {
  for (const [i, host] of also.entries()) {
    const twice = also.indexOf(host) !== i || host === domain
    if (twice || home.all.has(host) || !(await takesSessionsAt(database, host)))
      throw invalidParams(
        `also/${i}`,
        'another host than that of the route, once, with a route whose auth_mode is optional, oauth or local',
      )
  }
}

/** Whether people can be signed in at a host: by one of its own routes, or by those of its wildcard if it has none. */
const takesSessionsAt = async (database: Database, host: string): Promise<boolean> => {
  const modesAt = async (domain: string) =>
    (
      await database.query.selectFrom('routes').select('auth_mode').where('domain', '=', domain).execute()
    ).map(({ auth_mode }) => auth_mode)
  const own = await modesAt(host)
  const dot = host.indexOf('.')
  const modes = own.length > 0 || dot < 0 ? own : await modesAt(`*${host.slice(dot)}`)
  return modes.some(takesSessions)
}
