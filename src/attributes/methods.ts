import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import { Shape } from '../contract/schemas.ts'
import { AttributeName } from '../contract/attribute_values.ts'
import { Attribute, attributeFields, attributeTypes } from './attribute.ts'
import type { Attributes } from './attributes.ts'

const rule = { claim: ['proxy.admin'], fresh: true, effect: 'write' } as const
const { source, ...others } = attributeFields
const optional = {
  values: Type.Optional(others.values),
  pattern: Type.Optional(others.pattern),
  scope: Type.Optional(others.scope),
}

const quota: Attribute = {
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b5a11',
  name: 'quota',
  type: 'text',
  source: 'administrator',
  values: [],
  pattern: '[0-9]{1,4} [MG]B',
  unique: false,
  scope: 'profile',
  created_at: 1795435200,
  updated_at: 1795435200,
}

/** What OpenID Connect says about people; here from the start. */
const standard = (name: string, pattern: string | null = null): Attribute => ({
  ...quota,
  name,
  source: 'person',
  pattern,
  created_at: 0,
  updated_at: 0,
})
const all = [
  standard('family_name'),
  standard('given_name'),
  standard('locale', '[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}'),
  quota,
  standard('zoneinfo', '[A-Za-z0-9_+/-]{1,64}'),
]

export const attributeMethods = (attributes: Attributes) => [
  method({
    name: 'attributes.list',
    summary: 'List what is known about people besides name and address, ordered by name',
    effect: 'read',
    claim: ['proxy.users.read'],
    params: Shape({}),
    result: Shape({ items: Type.Array(Attribute) }),
    examples: [{ params: {}, result: { items: all } }],
    handler: () => attributes.list(),
  }),
  method({
    ...rule,
    name: 'attributes.add',
    summary: 'Add an attribute of people; type and uniqueness never change',
    params: Shape({
      name: AttributeName,
      type: Type.Enum(attributeTypes),
      source,
      ...optional,
      unique: Type.Optional(Attribute.properties.unique),
    }),
    result: Attribute,
    errors: ['already_exists'],
    examples: [
      {
        params: { name: 'staff_number', type: 'number', source: 'administrator', unique: true },
        result: { ...quota, name: 'staff_number', type: 'number', pattern: null, unique: true, scope: null },
      },
    ],
    handler: (fields) => attributes.add(fields),
  }),
  method({
    ...rule,
    name: 'attributes.update',
    summary: 'Change an attribute; another source removes the values of all people',
    large: true,
    params: Shape({ name: AttributeName, source: Type.Optional(source), ...optional }),
    result: Attribute,
    errors: ['not_found'],
    examples: [{ params: { name: 'quota', scope: null }, result: { ...quota, scope: null } }],
    handler: ({ name, ...change }) => attributes.update(name, change),
  }),
  method({
    ...rule,
    name: 'attributes.remove',
    summary: 'Remove an attribute with the values of all people',
    large: true,
    params: Shape({ name: AttributeName }),
    result: Type.Null(),
    errors: ['not_found'],
    examples: [{ params: { name: 'quota' }, result: null }],
    handler: ({ name }) => attributes.remove(name),
  }),
]
