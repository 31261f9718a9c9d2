/** The address of an upstream, parsed once from the target of a route. */
export type Upstream = { readonly name: string } & (
  { readonly host: string; readonly port: number } | { readonly path: string }
)

export const upstreamOf = (target: string): Upstream => {
  if (target.startsWith('unix:')) return { name: target, path: target.slice('unix:'.length) }
  const { hostname, port } = new URL(target)
  return { name: target, host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 80 : Number(port) }
}

/** Where a connection to this upstream is opened, as node:net takes it. */
export const dialOptions = (upstream: Upstream): { path: string } | { host: string; port: number } =>
  'path' in upstream ? { path: upstream.path } : { host: upstream.host, port: upstream.port }

/** The Host header that names this upstream. */
export const hostOf = (upstream: Upstream): string => {
  if ('path' in upstream) return 'localhost'
  return upstream.host.includes(':')
    ? `[${upstream.host}]:${upstream.port}`
    : `${upstream.host}:${upstream.port}`
}

/** Upstreams that serve the same content, and how to check their health. */
export interface UpstreamGroup {
  /** At least one. */
  readonly upstreams: readonly Upstream[]
  /** The path that probes request; null without probes. */
  readonly health_path: string | null
  /** In seconds. */
  readonly connect_timeout: number
}
