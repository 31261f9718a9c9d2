import { createRequire } from 'node:module'
import type { Ajv, ErrorObject, ValidateFunction } from 'ajv'
import type { TSchema } from '../contract/schema_builder.ts'
import { invalidParams } from '../contract/errors.ts'
import type { Method } from '../contract/method.ts'

/** Loaded at the first call, so that the daemon starts faster. */
let loaded: Ajv | undefined
const ajv = (): Ajv => {
  // Destructured, because the compiler would turn `new (… as …).Ajv()` into `new ….Ajv()`, which has another meaning.
  const { Ajv: Compiler } = createRequire(import.meta.url)('ajv') as { Ajv: typeof Ajv }
  return (loaded ??= new Compiler({ strict: true, verbose: true, allowUnionTypes: true }))
}

const compiled = new WeakMap<TSchema, ValidateFunction>()

/** Compiles a schema at its first use: compiling takes milliseconds, and most methods are never called. */
const validator = (schema: TSchema): ValidateFunction => {
  let validate = compiled.get(schema)
  if (!validate) compiled.set(schema, (validate = ajv().compile(schema)))
  return validate
}

/** Converts parameters by position to parameters by name, in the order of the schema. */
export const namedParams = (method: Method, params: unknown): Record<string, unknown> => {
  if (params === undefined) return {}
  if (!Array.isArray(params)) return params as Record<string, unknown>
  const names = Object.keys(method.params.properties)
  if (params.length > names.length) {
    throw invalidParams(String(names.length), `at most ${names.length} parameters: ${names.join(', ')}`)
  }
  return Object.fromEntries(params.map((value, i) => [names[i]!, value as unknown]))
}

/** Throws invalid_params with the field and what is allowed. The error never repeats what was sent. */
export const validateParams = (method: Method, params: Record<string, unknown>): void => {
  const validate = validator(method.params)
  if (validate(params)) return
  const { path, allowed } = explain(validate.errors![0]!, method)
  throw invalidParams(path, allowed)
}

/** A result that breaks its schema is our bug, and must not reach the caller. */
export const validateResult = (method: Method, result: unknown): void => {
  const validate = validator(method.result)
  if (validate(result)) return
  const { instancePath, keyword } = validate.errors![0]!
  throw new TypeError(`the result of ${method.name} breaks its schema at "${instancePath}" (${keyword})`)
}

const explain = (error: ErrorObject, method: Method): { path: string; allowed: string } => {
  const at = error.instancePath.slice(1).replaceAll('/', '.')
  const below = (name: string) => (at === '' ? name : `${at}.${name}`)
  const described = (error.parentSchema as { description?: string } | undefined)?.description
  if (error.keyword === 'required') {
    const name = error.params.missingProperty as string
    const schema = (error.parentSchema?.properties as Record<string, { description?: string }> | undefined)?.[
      name
    ]
    return { path: below(name), allowed: `required${schema?.description ? `; ${schema.description}` : ''}` }
  }
  if (error.keyword === 'additionalProperties') {
    const names = Object.keys(
      (error.parentSchema?.properties as object | undefined) ?? method.params.properties,
    )
    const known = names.length > 0 ? `the parameters are ${names.join(', ')}` : 'there are no parameters'
    return { path: below(error.params.additionalProperty as string), allowed: `not a parameter; ${known}` }
  }
  if (error.keyword === 'enum') {
    return { path: at, allowed: `one of ${(error.params.allowedValues as unknown[]).join(', ')}` }
  }
  return { path: at, allowed: described ?? error.message ?? error.keyword }
}
