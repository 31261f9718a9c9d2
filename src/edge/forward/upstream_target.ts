import type { RoutePlan } from '../../routes/route_table.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import { type Upstream, hostOf } from '../../upstream/upstream.ts'

/** The path and query to request from the upstream, and the prefix that was stripped. */
export const upstreamTarget = (
  { target }: Pick<EdgeRequest, 'target'>,
  { route: { strip_prefix, path_prefix } }: RoutePlan,
): { readonly target: string; readonly prefix: string | undefined } => {
  if (!strip_prefix || path_prefix === '/') return { target, prefix: undefined }
  const rest = target.slice(path_prefix.length)
  return { target: rest.startsWith('/') ? rest : `/${rest}`, prefix: path_prefix }
}

/** Whether the Host header, written for the first upstream, must be replaced for this one. */
export const takesOwnHost = (upstream: Upstream, { route, upstreams }: RoutePlan): boolean =>
  !route.preserve_host && upstream !== upstreams[0]

/** The headers for this upstream, Host first. */
export const headersTo = (
  upstream: Upstream,
  plan: RoutePlan,
  headers: readonly string[],
): readonly string[] => (takesOwnHost(upstream, plan) ? headers.with(1, hostOf(upstream)) : headers)
