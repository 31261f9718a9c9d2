import { takesSessions } from '../routes/auth_modes.ts'
import { switchesOf, type RoutePlan, type RouteTable } from '../routes/route_table.ts'
import type { Home } from '../contract/home.ts'
import type { OwnPathTable } from '../wire/own_path.ts'
import { isRequestError, parseTarget } from '../wire/request.ts'

/** Maximum length of the path of a destination. */
const maxPathLength = 4096

/** A page of a service to which a person goes after proving who they are. */
export interface Destination {
  /** Scheme, host and port, written as all our addresses of this host are. */
  readonly origin: string
  readonly host: string
  /** Path and query, exactly as they were requested. */
  readonly path: string
  /** The route that covers the path. */
  readonly plan: RoutePlan
}

interface Parts {
  readonly home: Home
  readonly routes: () => RouteTable | Promise<RouteTable>
  readonly ownPaths: () => OwnPathTable
}

/** Decides where people may be sent after they have proved who they are. */
export class Destinations {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Reads `service`, the address of a page. Undefined unless it names a host with an enabled route that takes sessions, by exactly
   * the origin under which we know that host. The edge's own parser reads it, because other parsers disagree about such addresses.
   */
  async ofService(service: string): Promise<Destination | undefined> {
    const [, scheme, authority, path] = /^(https?):\/\/([^/?#]*)(\/[^#]*)?$/.exec(service) ?? []
    if (scheme === undefined || authority === undefined) return undefined
    const read = parseTarget(authority, '/')
    if (isRequestError(read) || this.#parts.home.all.has(read.host)) return undefined
    const found = await this.at(read.host, path ?? '/')
    if (!found) return undefined
    const asked = new URL(`${scheme}://${read.authority}`).origin
    return asked === found.origin ? found : undefined
  }

  /** Returns the destination at a host of ours. A path that nobody can be sent to becomes `/`. Undefined if nobody signs in there. */
  async at(host: string, path: string): Promise<Destination | undefined> {
    const { home, routes } = this.#parts
    const table = (await routes()).at(host)
    if (!table) return undefined
    for (const candidate of [path, '/']) {
      if (!this.#isPage(host, candidate, table)) continue
      const plan = table.match(candidate.replace(/\?.*/s, ''))
      if (typeof plan !== 'object' || !plan.route.enabled || !takesSessions(plan.route.auth_mode)) continue
      return { origin: table.originOf(host, home), host, path: candidate, plan }
    }
    return undefined
  }

  /** Whether the edge would take this text as the target of a request, and would not answer it itself. */
  #isPage(host: string, target: string, table: NonNullable<ReturnType<RouteTable['at']>>): boolean {
    if (target.length > maxPathLength) return false
    const place = parseTarget(host, target)
    if (isRequestError(place)) return false
    const switches = switchesOf(table.match(place.path))
    return this.#parts.ownPaths().find({ path: place.path, method: 'GET' }, 'routed', switches) === undefined
  }
}
