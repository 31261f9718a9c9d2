import { Type } from '../contract/schema_builder.ts'
import { method, type Method } from '../contract/method.ts'
import { Nothing } from '../contract/schemas.ts'
import { version } from '../version.ts'
import { openrpcDocument, printDocument } from './openrpc_document.ts'

/** Adds rpc.discover to the methods. `document` is what describes them all, printed; made when it is first asked for. */
export const discoverMethod = (
  methods: readonly Method[],
): { methods: readonly Method[]; document: () => string } => {
  let made: Record<string, unknown> | undefined
  const document = (): Record<string, unknown> => (made ??= openrpcDocument(all, version))
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
  const all: readonly Method[] = [discover, ...methods]
  let printed: string | undefined
  return { methods: all, document: () => (printed ??= printDocument(document())) }
}
