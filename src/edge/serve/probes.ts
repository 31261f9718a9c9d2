import type { RouteTable } from '../../routes/route_table.ts'
import type { OwnPathTable } from '../../wire/own_path.ts'
import type { EdgeRequest } from '../../wire/request.ts'

/** What balancers and supervisors ask. */
const probePaths = ['/health', '/livez', '/readyz'] as const
export type ProbePath = (typeof probePaths)[number]

/** Milliseconds that a probe waits for the database: probes give up after a second or so. */
const patienceMs = 500

interface Parts {
  readonly ownPaths: OwnPathTable
  readonly lastRoutes: () => RouteTable
}

/**
 * The routes that are being loaded. A probe of ours does not wait for a database that is silent, because it asks about that: which
 * hosts have routes is then read from the routes as they were last. Everything that may be forwarded waits.
 */
export const routesForProbe = async (
  asked: EdgeRequest,
  loading: Promise<RouteTable>,
  { ownPaths, lastRoutes }: Parts,
): Promise<RouteTable> => {
  if (!(probePaths as readonly string[]).includes(asked.path)) return loading
  const loaded = await Promise.race([loading.catch(() => undefined), silence()])
  if (loaded !== undefined) return loaded
  const last = lastRoutes()
  const kind = ownPaths.kindOf(asked.host, last.at(asked.host) !== undefined)
  return ownPaths.find(asked, kind, undefined) ? last : loading
}

const silence = (): Promise<undefined> =>
  new Promise((resolve) => setTimeout(() => resolve(undefined), patienceMs).unref())
