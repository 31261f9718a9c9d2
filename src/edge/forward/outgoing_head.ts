import { requestHead } from './request_headers.ts'
import { headersTo, takesOwnHost } from './upstream_target.ts'
import type { Forwarded } from './forwarded.ts'
import type { Upstream } from '../../upstream/upstream.ts'

/** The head of the request for this upstream. */
export const headFor = ({ asked, plan, target, headers, kept }: Forwarded, upstream: Upstream): string => {
  if (!kept) return requestHead(asked, target, headersTo(upstream, plan, headers))
  return kept.head.text(asked, target, kept.passed, takesOwnHost(upstream, plan) ? upstream : undefined)
}
