import type { RoutePlan, Upstream } from '../routes/table.ts'
import type { Asked } from './asked.ts'

/** The path and query that the upstream is asked for, and what was taken off the path. */
export const onward = (
  { target }: Pick<Asked, 'target'>,
  { route: { strip_prefix, path_prefix } }: RoutePlan,
): { readonly target: string; readonly prefix: string | undefined } => {
  if (!strip_prefix || path_prefix === '/') return { target, prefix: undefined }
  const rest = target.slice(path_prefix.length)
  return { target: rest.startsWith('/') ? rest : `/${rest}`, prefix: path_prefix }
}

/** An upstream by its own name, as a Host header tells it. */
export const hostOf = (upstream: Upstream): string => {
  if ('path' in upstream) return 'localhost'
  return upstream.host.includes(':')
    ? `[${upstream.host}]:${upstream.port}`
    : `${upstream.host}:${upstream.port}`
}

/** Whether the Host that was written for the first upstream has to name this one instead. */
export const takesOwnHost = (upstream: Upstream, { route, upstreams }: RoutePlan): boolean =>
  !route.preserve_host && upstream !== upstreams[0]

/** The headers, Host first, as this one of the upstreams gets them. */
export const headersTo = (
  upstream: Upstream,
  plan: RoutePlan,
  headers: readonly string[],
): readonly string[] => (takesOwnHost(upstream, plan) ? headers.with(1, hostOf(upstream)) : headers)
