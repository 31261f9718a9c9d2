/** What to dial: the address of an upstream, read once from a route's target. */
export type Upstream = { readonly name: string } & (
  { readonly host: string; readonly port: number } | { readonly path: string }
)

export const upstreamOf = (target: string): Upstream => {
  if (target.startsWith('unix:')) return { name: target, path: target.slice('unix:'.length) }
  const { hostname, port } = new URL(target)
  return { name: target, host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 80 : Number(port) }
}

/** An upstream by its own name, as a Host header tells it. */
export const hostOf = (upstream: Upstream): string => {
  if ('path' in upstream) return 'localhost'
  return upstream.host.includes(':')
    ? `[${upstream.host}]:${upstream.port}`
    : `${upstream.host}:${upstream.port}`
}

/** Upstreams that serve the same, and how to judge whether one of them is well. */
export interface UpstreamGroup {
  /** At least one. */
  readonly upstreams: readonly Upstream[]
  /** The path that probes ask for; null where nothing is probed. */
  readonly health_path: string | null
  /** Seconds. */
  readonly connect_timeout: number
}
