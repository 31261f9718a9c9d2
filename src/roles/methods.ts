import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import {
  Cursor,
  GrantableClaim,
  Limit,
  Line,
  Page,
  RoleName,
  scopeParams,
  Shape,
} from '../contract/schemas.ts'
import { Role, RoleDescription } from './role.ts'
import type { Roles } from './roles.ts'

const read = { effect: 'read', claim: ['proxy.roles.read'] } as const
const write = { effect: 'write', claim: ['proxy.roles.write'] } as const

const writer: Role = {
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a21',
  name: 'writer',
  description: 'Writes the wiki',
  claims: [{ claim: 'wiki.pages.write', service: null, context: null }],
  created_at: 1795435200,
  updated_at: 1795435200,
}

export const roleMethods = (roles: Roles) => [
  method({
    ...read,
    name: 'roles.list',
    summary: 'List the roles with their claims, ordered by name',
    params: Shape({
      search: Type.Optional(
        Line(
          'Part of the name, in any case; a search of fewer than three letters matches only the beginning',
        ),
      ),
      limit: Limit,
      cursor: Cursor,
    }),
    result: Page(Role),
    examples: [{ params: { search: 'writer' }, result: { items: [writer], next_cursor: null } }],
    handler: (params) => roles.list(params),
  }),
  method({
    ...read,
    name: 'roles.get',
    summary: 'Return one role with its claims',
    params: Shape({ role: RoleName }),
    result: Role,
    errors: ['not_found'],
    examples: [{ params: { role: 'writer' }, result: writer }],
    handler: ({ role }) => roles.get(role),
  }),
  method({
    ...write,
    name: 'roles.add',
    summary: 'Add a role',
    params: Shape({ name: RoleName, description: Type.Optional(RoleDescription) }),
    result: Role,
    errors: ['already_exists'],
    examples: [
      {
        params: { name: 'reviewer', description: 'Reads everything' },
        result: { ...writer, name: 'reviewer', description: 'Reads everything', claims: [] },
      },
    ],
    handler: (fields) => roles.add(fields),
  }),
  method({
    ...write,
    name: 'roles.update',
    summary: 'Change the description of a role',
    params: Shape({ role: RoleName, description: Type.Optional(RoleDescription) }),
    result: Role,
    errors: ['not_found', 'conflict'],
    examples: [
      { params: { role: 'writer', description: 'Writes' }, result: { ...writer, description: 'Writes' } },
    ],
    handler: ({ role, ...fields }) => roles.update(role, fields),
  }),
  method({
    ...write,
    name: 'roles.remove',
    summary: 'Remove a role, also from the groups that have it',
    large: true,
    params: Shape({ role: RoleName }),
    result: Type.Null(),
    errors: ['not_found', 'conflict'],
    examples: [{ params: { role: 'writer' }, result: null }],
    handler: ({ role }) => roles.remove(role),
  }),
  method({
    ...write,
    name: 'roles.add_claim',
    fresh: true,
    summary: 'Add a claim to a role, everywhere or for one service or context',
    params: Shape({ role: RoleName, claim: GrantableClaim, ...scopeParams }),
    result: Role,
    errors: ['not_found', 'already_exists', 'conflict'],
    examples: [
      {
        params: { role: 'writer', claim: 'wiki.pages.read' },
        result: {
          ...writer,
          claims: [{ claim: 'wiki.pages.read', service: null, context: null }, ...writer.claims],
        },
      },
    ],
    handler: ({ role, claim, ...scope }) => roles.addClaim(role, claim, scope),
  }),
  method({
    ...write,
    name: 'roles.remove_claim',
    summary: 'Remove a claim from a role; service and context must match those it was added with',
    params: Shape({ role: RoleName, claim: GrantableClaim, ...scopeParams }),
    result: Type.Null(),
    errors: ['not_found', 'conflict'],
    examples: [{ params: { role: 'writer', claim: 'wiki.pages.write' }, result: null }],
    handler: ({ role, claim, ...scope }) => roles.removeClaim(role, claim, scope),
  }),
]
