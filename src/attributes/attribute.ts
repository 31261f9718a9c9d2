import { Type, type Static } from '../contract/schema_builder.ts'
import { AttributeName, TextValue } from '../contract/attribute_values.ts'
import { Id, Named, Nullable, Time } from '../contract/schemas.ts'
import type { AttributeRow } from '../storage/schema.ts'

export const attributeTypes = ['text', 'number', 'boolean', 'list'] as const
export type AttributeType = (typeof attributeTypes)[number]

/** The scopes that can bring an attribute. */
const bringing = ['openid', 'profile', 'email'] as const

export const attributeFields = {
  source: Type.String({
    pattern: '^[a-z0-9][a-z0-9_-]{0,62}$',
    description:
      'Who alone says it: person, administrator, or the name of a provider, which says it by its claim of this name. Another source removes the values',
  }),
  values: Type.Array(Type.Union([TextValue, Type.Number()]), {
    maxItems: 100,
    uniqueItems: true,
    description: 'The allowed values, for a list those of its items; empty allows any',
  }),
  pattern: Nullable(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'A regular expression (RE2) that a whole text, or each item of a list, must match',
    }),
  ),
  scope: Nullable(
    Type.Enum(bringing, {
      description:
        'The scope with which applications get it as a JWT claim of this name, and which a claim_map needs for it; null: no application gets it by itself, and a claim_map needs openid',
    }),
  ),
}

export const Attribute = Named('Attribute', {
  id: Id,
  name: AttributeName,
  type: Type.Enum(attributeTypes),
  ...attributeFields,
  unique: Type.Boolean({
    description: 'No two people have the same value, in any case; for text and numbers',
  }),
  created_at: Time,
  updated_at: Time,
})
export type Attribute = Static<typeof Attribute>

export const toAttribute = (row: AttributeRow): Attribute => ({
  id: row.id,
  name: row.name,
  type: row.type as AttributeType,
  source: row.source,
  values: JSON.parse(row.allowed_values) as Attribute['values'],
  pattern: row.pattern || null,
  unique: row.is_unique === 1,
  scope: (row.scope || null) as Attribute['scope'],
  created_at: row.created_at,
  updated_at: row.updated_at,
})

/** Whether a value tells people apart, and neither they nor a provider choose it. Applications may find accounts by it. */
export const isIdentifying = ({ unique, source }: Pick<Attribute, 'unique' | 'source'>): boolean =>
  unique && source === 'administrator'
