import type { Route } from './route.ts'
import type { RouteSwitches } from '../wire/own_path.ts'
import type { Home } from '../contract/home.ts'
import type { Place } from '../contract/place.ts'
import { placeOf } from './route_place.ts'
import { takesSessions } from './auth_modes.ts'
import { upstreamOf, type UpstreamGroup } from '../upstream/upstream.ts'
import { someReading } from './path_readings.ts'
import { changesMeaning } from './reserved_paths.ts'

export interface RoutePlan extends UpstreamGroup {
  readonly route: Route
  /** What the judge needs to know of the route. */
  readonly place: Place
  /** Which paths of its host are ours. */
  readonly switches: RouteSwitches
  /** All routes of its host. */
  readonly siblings: HostRoutes
  /** Whether its host is home's, or that of an earlier public URL. */
  readonly sharesHome: boolean
  /** SHA-256 of the route's static token, hex; empty for none. */
  readonly bearerTokenHash: string
}

/** A dot segment that appears only after lenient reading: we cannot know where it leads. */
const dotSegment = /(^|\/)\.{1,2}(\/|$)/

/** Paths that every upstream reads in the same way. */
const plainPath = /^(\/[a-z0-9._~-]+)*\/?$/

/** The switches of the route that a path leads to, if it is clear which. */
export const switchesOf = (plan: RoutePlan | 'ambiguous' | undefined): RouteSwitches | undefined =>
  typeof plan === 'object' ? plan.switches : undefined

/** A disabled route keeps its paths from us as from other routes. */
const readSwitches = ({ auth_mode, enabled, sign_in_paths, rpc, webfinger }: Route): RouteSwitches => ({
  serves: enabled,
  sign_in_paths: enabled && sign_in_paths && takesSessions(auth_mode),
  rpc: enabled && rpc,
  webfinger: enabled && webfinger,
})

const isAmbiguousStripped = (path: string, { strip_prefix, path_prefix }: Route): boolean =>
  strip_prefix && path_prefix !== '/' && changesMeaning(path.slice(path_prefix.length))

/** The routes of one host, by path prefix. */
export class HostRoutes {
  readonly #prefixes = new Map<string, RoutePlan>()
  readonly #folded = new Map<string, RoutePlan>()
  /** Whether these are the routes of `*.suffix`. */
  readonly wildcard: boolean
  #depth = 0
  #plain = true
  /** Scheme and port, if a route sets them. */
  #origin: { readonly scheme: string; readonly port: string } | undefined
  /** Whether each person is asked once before they are signed in at the host. Its session counts for all of its routes. */
  confirm = false

  constructor(wildcard = false) {
    this.wildcard = wildcard
  }

  add(plan: RoutePlan): void {
    const { path_prefix, origin } = plan.route
    const [, scheme, port = ''] = /^(https?):\/\/[^:/]*(:\d+)?$/i.exec(origin ?? '') ?? []
    if (scheme !== undefined) this.#origin = { scheme: scheme.toLowerCase(), port }
    this.confirm ||= plan.route.enabled && plan.route.confirm
    const folded = path_prefix.toLowerCase()
    this.#prefixes.set(path_prefix, plan)
    this.#folded.set(folded, plan)
    this.#plain &&= folded === path_prefix
    this.#depth = Math.max(this.#depth, path_prefix.split('/').length - 1)
  }

  /**
   * The route with the longest prefix that contains `path`. `ambiguous` if an upstream that decodes, ignores case or
   * merges slashes would assign the path to another route: then it is unclear whose rule applies. Also if the rest behind a
   * stripped prefix would mean something else.
   */
  match(path: string): RoutePlan | 'ambiguous' | undefined {
    const found = this.#longest(this.#prefixes, path)
    // A lone prefix is a border too, unless it covers the host.
    if ((this.#prefixes.size > 1 || !this.#prefixes.has('/')) && !(this.#plain && plainPath.test(path))) {
      const leadsElsewhere = (reading: string) =>
        dotSegment.test(reading) || this.#longest(this.#folded, reading) !== found
      if (someReading(path, leadsElsewhere)) return 'ambiguous'
    }
    if (found !== undefined && isAmbiguousStripped(path, found.route)) return 'ambiguous'
    return found
  }

  plans(): Iterable<RoutePlan> {
    return this.#prefixes.values()
  }

  /** The origin of a host with these routes, as browsers know it: scheme and port are those of home unless a route sets others. */
  originOf(host: string, home: Home): string {
    if (this.#origin === undefined) return home.originOf(host)
    return new URL(`${this.#origin.scheme}://${host}${this.#origin.port}`).origin
  }

  /** `/wiki` contains `/wiki` and `/wiki/…`, but not `/wikipedia`. */
  #longest(prefixes: ReadonlyMap<string, RoutePlan>, path: string): RoutePlan | undefined {
    let end = 0
    for (let i = 0; i < this.#depth && end >= 0; i++) end = path.indexOf('/', end + 1)
    if (end < 0) end = path.length
    for (; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const plan = prefixes.get(path.slice(0, end))
      if (plan) return plan
    }
    return prefixes.get('/')
  }
}

/**
 * All routes, by host. A disabled route keeps its paths, so that no other rule applies to them. Finding a route takes
 * the same time for ten routes as for ten thousand.
 */
export class RouteTable {
  readonly #hosts = new Map<string, HostRoutes>()
  readonly #suffixes = new Map<string, HostRoutes>()
  readonly #apart: ReadonlySet<string>
  /** The enabled routes whose upstreams are probed. */
  readonly probed: readonly RoutePlan[]

  /** No wildcard covers the hosts in `apart`. */
  constructor(
    routes: readonly { readonly route: Route; readonly bearerTokenHash: string }[],
    apart: ReadonlySet<string>,
  ) {
    this.#apart = apart
    const probed: RoutePlan[] = []
    for (const { route, bearerTokenHash } of routes) {
      const wildcard = route.domain.startsWith('*.')
      const hosts = wildcard ? this.#suffixes : this.#hosts
      const key = wildcard ? route.domain.slice(1) : route.domain
      const host = hosts.get(key) ?? new HostRoutes(wildcard)
      hosts.set(key, host)
      const upstreams = [route.target, ...route.more_targets].map(upstreamOf)
      const { health_path, connect_timeout } = route
      const switches = readSwitches(route)
      const plan: RoutePlan = {
        siblings: host,
        route,
        place: placeOf(route),
        switches,
        sharesHome: apart.has(route.domain),
        upstreams,
        health_path,
        connect_timeout,
        bearerTokenHash,
      }
      host.add(plan)
      if (route.enabled && route.health_path !== null) probed.push(plan)
    }
    this.probed = probed
  }

  /** The routes of hosts with a name, and not those of wildcards. */
  *named(): Iterable<RoutePlan> {
    for (const host of this.#hosts.values()) yield* host.plans()
  }

  /** All hosts that have routes of their own. */
  hosts(): Iterable<string> {
    return this.#hosts.keys()
  }

  /** The routes of a host: its own, or those of `*.suffix`. A host with routes of its own never uses a wildcard's. */
  at(host: string): HostRoutes | undefined {
    const own = this.#hosts.get(host)
    if (own) return own
    const dot = host.indexOf('.')
    return dot > 0 && !this.#apart.has(host) ? this.#suffixes.get(host.slice(dot)) : undefined
  }
}
