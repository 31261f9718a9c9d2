import { forwardAuthPath } from '../wire/forward_auth_path.ts'
import type { HostKind, OwnPath } from '../wire/own_path.ts'

const at: readonly HostKind[] = ['home', 'routed', 'unrouted']

/** Where proxies in front ask. The door answers on both lanes, before it looks for the host. */
export const edgePaths: readonly OwnPath[] = [
  { path: forwardAuthPath, methods: ['GET'], at, handler: 'door' },
  { path: `${forwardAuthPath}/*`, methods: [], at, handler: 'door' },
]
