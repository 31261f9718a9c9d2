import type { TSchema } from '../contract/schema_builder.ts'
import { errorTable, type ErrorName } from '../contract/errors.ts'
import type { Method } from '../contract/method.ts'

type Json = Record<string, unknown>

/** The errors that every method may return, in addition to its own. */
const everywhere: readonly ErrorName[] = ['unavailable', 'invalid_params', 'internal_error']

const errorsOf = ({ claim, fresh, errors = [] }: Method): ErrorName[] => {
  const gate: ErrorName[] =
    claim === null ? [] : claim === 'self' ? ['unauthenticated'] : ['unauthenticated', 'claim_required']
  const proof: ErrorName[] = fresh ? ['proof_required'] : []
  return [...new Set([...gate, ...proof, ...errors, ...everywhere])]
}

/** Moves schemas with a title to the components, so that each has one name in the document and in the SDK. */
const hoist = (schema: unknown, components: Map<string, Json>): unknown => {
  if (Array.isArray(schema)) return schema.map((part) => hoist(part, components))
  if (typeof schema !== 'object' || schema === null) return schema
  const { title } = schema as { title?: string }
  const plain = Object.fromEntries(
    Object.entries(schema).map(([key, part]) => [key, hoist(part, components)]),
  )
  if (title === undefined || (schema as Json).type !== 'object') return plain
  const known = components.get(title)
  if (known && JSON.stringify(known) !== JSON.stringify(plain))
    throw new TypeError(`two schemas have the title ${title}`)
  components.set(title, plain)
  return { $ref: `#/components/schemas/${title}` }
}

const contentDescriptors = (method: Method, components: Map<string, Json>) => {
  const { properties, required = [] } = method.params as {
    properties: Record<string, TSchema>
    required?: string[]
  }
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    required: required.includes(name),
    ...((schema as { description?: string }).description && {
      description: (schema as { description?: string }).description,
    }),
    schema: hoist(schema, components),
  }))
}

const examplesOf = (method: Method) =>
  method.examples.map(({ name, params, result }, i) => ({
    name: name ?? (i === 0 ? method.name : `${method.name} ${i + 1}`),
    params: Object.entries(params).map(([name, value]) => ({ name, value })),
    result: { name: 'result', value: result },
  }))

/** Builds the OpenRPC 1.3.2 document. The same methods always give the same bytes when printed. */
export const openrpcDocument = (methods: readonly Method[], version: string): Json => {
  const schemas = new Map<string, Json>()
  const described = methods.map((method) => ({
    name: method.name,
    summary: method.summary,
    ...(method.description && { description: method.description }),
    tags: [{ name: method.effect }],
    paramStructure: 'either',
    params: contentDescriptors(method, schemas),
    result: { name: 'result', schema: hoist(method.result, schemas) },
    errors: errorsOf(method).map((error) => ({ $ref: `#/components/errors/${error}` })),
    examples: examplesOf(method),
    'x-effect': method.effect,
    'x-required-claim': method.claim,
    ...(method.fresh && { 'x-fresh-proof': true }),
    ...(method.aliases && { 'x-aliases': method.aliases }),
  }))
  const errors = Object.entries(errorTable).map(([name, { code, message }]) => [
    name,
    { code, message, data: { code: name } },
  ])
  return {
    openrpc: '1.3.2',
    info: {
      title: 'hero_proxy',
      description:
        'The front door of a self-hosted stack. `x-required-claim` is null for public methods, "self" for any signed-in caller, or a list of claims, any one of which is sufficient; `users.{param}` in it stands for the user that the parameter names, and `groups.{param}.admin` for an administrator of the group that it names, or of the group of a request. `x-fresh-proof` marks methods that require users with a session to have proved their identity in the last 15 minutes, with `auth.prove`.',
      version,
      license: { name: 'MIT' },
    },
    methods: described,
    components: {
      schemas: Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1))),
      errors: Object.fromEntries(errors),
    },
  }
}

/** Prints the document, as committed and as returned by rpc.discover. */
export const printDocument = (document: Json): string => `${JSON.stringify(document, null, 2)}\n`
