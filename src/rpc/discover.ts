import { Type } from '../type.ts'
import { method, type Method } from '../method.ts'
import { Nothing } from '../schemas.ts'
import { version } from '../version.ts'
import { openrpcDocument, printDocument } from './document.ts'

/** Adds rpc.discover to the methods and makes the document of them all. */
export const discoverMethod = (
  methods: readonly Method[],
): { methods: readonly Method[]; document: string } => {
  let document: Record<string, unknown> = {}
  const discover = method({
    name: 'rpc.discover',
    summary: 'Return this document: the OpenRPC 1.3.2 description of all methods',
    effect: 'read',
    claim: null,
    params: Nothing,
    result: Type.Unsafe<Record<string, unknown>>({ type: 'object', description: 'An OpenRPC document' }),
    examples: [{ params: {}, result: { openrpc: '1.3.2' } }],
    handler: () => document,
  })
  const all = [discover, ...methods]
  document = openrpcDocument(all, version)
  return { methods: all, document: printDocument(document) }
}
