import type { Route } from './route.ts'

/** What to dial: the address of an upstream, read once from a route's target. */
export type Upstream = { readonly host: string; readonly port: number } | { readonly path: string }

export interface RoutePlan {
  readonly route: Route
  readonly upstream: Upstream
}

export const upstreamOf = (target: string): Upstream => {
  if (target.startsWith('unix:')) return { path: target.slice('unix:'.length) }
  const { hostname, port } = new URL(target)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 80 : Number(port) }
}

/**
 * The path as a lenient upstream might read it: decoded, one slash for several or for a backslash, no `;parameters`,
 * lower case. Only ever compared, never forwarded.
 */
const lenient = (path: string): string => {
  let text = path
  // Twice: an upstream behind another proxy may decode again.
  for (let i = 0; i < 2; i++) {
    text = text.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  }
  return text
    .replaceAll(/;[^/\\]*/g, '')
    .replaceAll(/[/\\]+/g, '/')
    .toLowerCase()
}

/** Paths that every upstream reads alike. */
const plain = /^(\/[a-z0-9._~-]+)*\/?$/

/** The routes of one host, by path prefix. */
export class HostRoutes {
  readonly #prefixes = new Map<string, RoutePlan>()
  readonly #folded = new Map<string, RoutePlan>()
  #depth = 0
  #plain = true

  add(plan: RoutePlan): void {
    const { path_prefix } = plan.route
    const folded = path_prefix.toLowerCase()
    this.#prefixes.set(path_prefix, plan)
    this.#folded.set(folded, plan)
    this.#plain &&= folded === path_prefix
    this.#depth = Math.max(this.#depth, path_prefix.split('/').length - 1)
  }

  /**
   * The route with the longest prefix that holds `path`. `ambiguous` when an upstream that decodes, folds case or merges
   * slashes would read the path as belonging to another route: then nobody can say whose rule counts.
   */
  match(path: string): RoutePlan | 'ambiguous' | undefined {
    const found = this.#longest(this.#prefixes, path)
    if (this.#prefixes.size > 1 && !(this.#plain && plain.test(path))) {
      if (this.#longest(this.#folded, lenient(path)) !== found) return 'ambiguous'
    }
    return found
  }

  /** `/wiki` holds `/wiki` and `/wiki/…`, not `/wikipedia`. */
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

/** All enabled routes, by host. Finding one costs the same for ten routes as for ten thousand. */
export class RouteTable {
  readonly #hosts = new Map<string, HostRoutes>()
  readonly #suffixes = new Map<string, HostRoutes>()

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      if (!route.enabled) continue
      const wildcard = route.domain.startsWith('*.')
      const hosts = wildcard ? this.#suffixes : this.#hosts
      const key = wildcard ? route.domain.slice(1) : route.domain
      const host = hosts.get(key) ?? new HostRoutes()
      hosts.set(key, host)
      host.add({ route, upstream: upstreamOf(route.target) })
    }
  }

  /** The routes of a host: its own, or those of `*.suffix`. A host with routes of its own never falls into a wildcard. */
  at(host: string): HostRoutes | undefined {
    const own = this.#hosts.get(host)
    if (own) return own
    const dot = host.indexOf('.')
    return dot > 0 ? this.#suffixes.get(host.slice(dot)) : undefined
  }
}
