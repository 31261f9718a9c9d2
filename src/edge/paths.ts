import { forwardAuthPath } from '../wire/forward_auth_path.ts'
import type { HostKind, OwnPath } from '../wire/own_path.ts'

const at: readonly HostKind[] = ['home', 'routed', 'unrouted']

/** The endpoint that proxies in front of us ask. Both lanes of the door answer it before they look up the host. */
export const edgePaths: readonly OwnPath[] = [
  { path: forwardAuthPath, methods: ['GET'], at, handler: 'door' },
  { path: `${forwardAuthPath}/*`, methods: [], at, handler: 'door' },
]
