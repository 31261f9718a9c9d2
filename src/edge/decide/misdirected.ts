import type { HostRoutes } from '../../routes/route_table.ts'
import type { ReceivedRequest } from '../../wire/client_response.ts'
import type { Refusal } from '../../wire/refusal.ts'

/**
 * Whether a request came over a TLS connection that was opened for another name (RFC 9110 section 15.5.20). A browser may reuse a
 * connection for every name in its certificate, and a wildcard would then serve names that nobody meant. Hosts with routes of their
 * own are meant by name.
 */
export const isMisdirected = (
  { socket }: Pick<ReceivedRequest, 'socket'>,
  host: string,
  routes: HostRoutes | undefined,
): boolean => {
  if (socket.encrypted !== true) return false
  if (routes === undefined) return true
  if (!routes.wildcard) return false
  const { servername } = socket
  return typeof servername === 'string' && servername !== '' && servername.toLowerCase() !== host
}

export const misdirected: Refusal = { status: 421, reason: 'misdirected', code: 'misdirected' }
