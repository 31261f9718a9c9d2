import { Type } from './schema_builder.ts'

export const AttributeName = Type.String({
  pattern: '^[a-z][a-z0-9_]{0,62}$',
  description:
    'The name in templates and in JWT claims: 1 to 63 lower-case letters, digits or "_", the first a letter',
})

export const TextValue = Type.String({ maxLength: 255 })

const valueTypes = [TextValue, Type.Number(), Type.Boolean(), Type.Array(TextValue, { maxItems: 50 })]

export type AttributeValue = string | number | boolean | readonly string[]

/** The attributes of one person, by name. */
export type AttributeValues = Readonly<Record<string, AttributeValue>>

/** Attributes to set; null removes one. */
export type AttributeChanges = Readonly<Record<string, AttributeValue | null>>

const byName = (description: string, types: readonly object[]) => ({
  type: 'object',
  propertyNames: AttributeName,
  additionalProperties: { anyOf: types },
  maxProperties: 100,
  description,
})

export const AttributeValues = Type.Unsafe<AttributeValues>(
  byName('Values by the name of the attribute', valueTypes) as never,
)
export const AttributeChanges = Type.Unsafe<AttributeChanges>(
  byName('Values to set, by the name of the attribute; null removes one', [
    ...valueTypes,
    Type.Null(),
  ]) as never,
)
