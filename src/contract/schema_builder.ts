import type { Type as TypeBox } from 'typebox'

export type { Static, TObject, TProperties, TSchema } from 'typebox'

type Options = Record<string, unknown>

const optional = new WeakSet<object>()
const typed =
  (type: string) =>
  (options: Options = {}) => ({ type, ...options })

/**
 * TypeBox's types over plain JSON Schema. The builders that we use return literals. TypeBox's own would load seven
 * hundred files at every start of the daemon, a third of the time until the first response.
 */
export const Type = {
  String: typed('string'),
  Integer: typed('integer'),
  Number: typed('number'),
  Boolean: typed('boolean'),
  Null: typed('null'),
  Literal: (value: unknown) => ({ type: typeof value, const: value }),
  Enum: (values: readonly unknown[], options: Options = {}) => ({ enum: values, ...options }),
  Array: (items: object, options: Options = {}) => ({ type: 'array', items, ...options }),
  Union: (anyOf: readonly object[], options: Options = {}) => ({ anyOf, ...options }),
  Unsafe: (schema: object) => schema,
  Optional: (schema: object) => {
    const copy = { ...schema }
    optional.add(copy)
    return copy
  },
  Object: (properties: Record<string, object>, options: Options = {}) => {
    const required = Object.keys(properties).filter((name) => !optional.has(properties[name]!))
    return { type: 'object', ...(required.length > 0 && { required }), properties, ...options }
  },
} as unknown as Pick<
  typeof TypeBox,
  | 'String'
  | 'Integer'
  | 'Number'
  | 'Boolean'
  | 'Null'
  | 'Literal'
  | 'Enum'
  | 'Array'
  | 'Union'
  | 'Unsafe'
  | 'Optional'
  | 'Object'
>
