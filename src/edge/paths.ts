import type { Readiness } from '../health/readiness.ts'
import {
  forwardAuthPath,
  homeAndUnrouted,
  type HostKind,
  type OwnPath,
  type OwnPathHandler,
} from '../wire/own_path.ts'
import { ownHeaders, send } from '../wire/responses.ts'
import type { ProbePath } from './serve/probes.ts'

const at: readonly HostKind[] = ['home', 'previous', 'routed', 'unrouted']

/** Strangers read only the status; the causes are in the log and at the socket. */
const answer = (ready: boolean, ...[, response, asked]: Parameters<OwnPathHandler>): void =>
  send(response, ready ? 200 : 503, 'application/json', `{"status":"${ready ? 'ok' : 'unavailable'}"}`, {
    ...ownHeaders(asked),
  })

/**
 * The endpoint that proxies in front of us ask, which both lanes of the door answer before they look up the host; and what
 * balancers and supervisors probe, by any name or address that is not a service's.
 */
export const edgePaths = (readiness: Pick<Readiness, 'causes'>): readonly OwnPath[] => {
  const probes: Readonly<Record<ProbePath, OwnPathHandler>> = {
    '/health': (...parts) => answer(true, ...parts),
    '/livez': (...parts) => answer(true, ...parts),
    '/readyz': async (...parts) => answer((await readiness.causes()).length === 0, ...parts),
  }
  return [
    { path: forwardAuthPath, methods: ['GET'], at, handler: 'door' },
    { path: `${forwardAuthPath}/*`, methods: [], at, handler: 'door' },
    ...Object.entries(probes).map(([path, handler]): OwnPath => ({
      path,
      methods: ['GET'],
      at: homeAndUnrouted,
      handler,
    })),
  ]
}
