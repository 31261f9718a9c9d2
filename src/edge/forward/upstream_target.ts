import type { RoutePlan } from '../../routes/route_table.ts'
import type { Asked } from '../../wire/request.ts'
import { type Upstream, hostOf } from '../../upstream/upstream.ts'

/** The path and query that the upstream is asked for, and what was taken off the path. */
export const onward = (
  { target }: Pick<Asked, 'target'>,
  { route: { strip_prefix, path_prefix } }: RoutePlan,
): { readonly target: string; readonly prefix: string | undefined } => {
  if (!strip_prefix || path_prefix === '/') return { target, prefix: undefined }
  const rest = target.slice(path_prefix.length)
  return { target: rest.startsWith('/') ? rest : `/${rest}`, prefix: path_prefix }
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
