import { Type } from '../contract/schema_builder.ts'
import { method, type Method } from '../contract/method.ts'
import { Nothing } from '../contract/schemas.ts'
import { version } from '../version.ts'
import { openrpcDocument, printDocument } from './openrpc_document.ts'

/** Adds rpc.discover to the methods. `document` returns the printed OpenRPC document, which is built at the first call. */
export const discoverMethod = (
  methods: readonly Method[],
): { methods: readonly Method[]; document: () => string } => {
  let built: Record<string, unknown> | undefined
  const document = (): Record<string, unknown> => (built ??= openrpcDocument(allMethods, version))
  const discover = method({
    name: 'rpc.discover',
    summary: 'Return this document: the OpenRPC 1.3.2 description of all methods',
    effect: 'read',
    claim: null,
    params: Nothing,
    result: Type.Unsafe<Record<string, unknown>>({ type: 'object', description: 'An OpenRPC document' }),
    examples: [{ params: {}, result: { openrpc: '1.3.2' } }],
    handler: document,
  })
  const allMethods: readonly Method[] = [discover, ...methods]
  let printed: string | undefined
  return { methods: allMethods, document: () => (printed ??= printDocument(document())) }
}
