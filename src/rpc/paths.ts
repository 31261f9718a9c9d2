import type { OwnPath } from '../wire/own_path.ts'
import { ownHeaders, send } from '../wire/responses.ts'
import type { PostRpc } from './post_rpc.ts'

interface Parts {
  readonly rpc: PostRpc
  /** openrpc.json. */
  readonly document: () => string
}

/** Where programs call methods, and read which there are. A service has `/rpc` at its host only if its route says so. */
export const rpcPaths = ({ rpc, document }: Parts): readonly OwnPath[] => [
  { path: '/rpc', methods: ['POST'], takes: 'json', at: ['home'], handler: rpc.post },
  { path: '/rpc', methods: ['POST'], takes: 'json', at: ['routed'], while: 'rpc', handler: rpc.post },
  {
    path: '/openrpc.json',
    methods: ['GET'],
    at: ['home'],
    handler: (_, response, asked) =>
      send(response, 200, 'application/json', document(), {
        ...ownHeaders(asked),
        'cache-control': 'no-cache',
      }),
  },
]
