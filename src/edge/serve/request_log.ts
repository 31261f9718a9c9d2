import type { Log } from '../../log/log.ts'
import type { ClientResponse, ReceivedRequest } from '../../wire/client_response.ts'
import type { EdgeRequest } from '../../wire/request.ts'

/** At log level debug, logs one line for each request, without its query, which may hold secrets. */
export const logRequest = (
  log: Log,
  sent: ReceivedRequest,
  to: ClientResponse,
  asked: EdgeRequest | undefined,
  lane: 'kept' | 'fast' | 'full',
): void => {
  if (!log.isLevelEnabled('debug')) return
  const { method } = sent
  const { host, path, requestId: request_id, address } = asked ?? {}
  to.once('close', () =>
    log.debug({ method, host, path, status: to.statusCode, request_id, address, lane }, 'request'),
  )
}
