import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OpenRpc } from '../../bin/generate/sdk.ts'

type Documented = OpenRpc['methods'][number]

export interface DocumentedMethod extends Documented {
  readonly 'x-effect': 'read' | 'write'
  readonly 'x-fresh-proof'?: true
  readonly errors: readonly { readonly $ref: string }[]
  readonly examples: readonly {
    readonly name: string
    readonly params: readonly { readonly name: string; readonly value: unknown }[]
    readonly result: { readonly value: unknown }
  }[]
}

/** The committed document, as text and read. */
export const openrpcText = readFileSync(join(import.meta.dirname, '../../openrpc.json'), 'utf8')
export const openrpc = JSON.parse(openrpcText) as Omit<OpenRpc, 'methods' | 'components'> & {
  readonly openrpc: string
  readonly methods: readonly DocumentedMethod[]
  readonly components: OpenRpc['components'] & {
    readonly errors: Readonly<Record<string, { code: number; message: string; data: { code: string } }>>
  }
}

export const paramsOf = ({ params }: DocumentedMethod['examples'][number]): Record<string, unknown> =>
  Object.fromEntries(params.map(({ name, value }) => [name, value]))
