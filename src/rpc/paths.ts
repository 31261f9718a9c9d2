import { homeAndRouted, type OwnPath } from '../wire/own_path.ts'
import { ownHeaders, send } from '../wire/responses.ts'
import type { PostRpc } from './post_rpc.ts'

interface Parts {
  readonly rpc: PostRpc
  /** openrpc.json. */
  readonly document: () => string
}

/** Where programs call methods, and read which there are. */
export const rpcPaths = ({ rpc, document }: Parts): readonly OwnPath[] => [
  { path: '/rpc', methods: ['POST'], takes: 'json', at: homeAndRouted, handler: rpc.post },
  {
    path: '/openrpc.json',
    methods: ['GET'],
    at: homeAndRouted,
    handler: (_, response, asked) =>
      send(response, 200, 'application/json', document(), {
        ...ownHeaders(asked),
        'cache-control': 'no-cache',
      }),
  },
]
