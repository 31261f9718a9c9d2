import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import { Cursor, Limit, Page, ProgramClaims, ServiceName, Shape } from '../contract/schemas.ts'
import { Service, UnixUser } from './service.ts'
import type { Services } from './services.ts'

const rule = { claim: ['proxy.admin'] } as const

const wiki: Service = {
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a51',
  service: 'wiki',
  unix_user: 'www-data',
  claims: ['proxy.users.read'],
  created_at: 1795435200,
  updated_at: 1795435200,
}

export const serviceMethods = (services: Services) => [
  method({
    ...rule,
    name: 'services.list',
    summary: 'List the local services and the claims that they have on the socket',
    effect: 'read',
    params: Shape({ limit: Limit, cursor: Cursor }),
    result: Page(Service),
    examples: [{ params: {}, result: { items: [wiki], next_cursor: null } }],
    handler: (params) => services.list(params),
  }),
  method({
    ...rule,
    name: 'services.add',
    fresh: true,
    summary:
      'Add a service, so that processes of a local user can call over the socket with claims of their own',
    description: 'The local user must be able to open the socket: add it to the group of the socket folder.',
    effect: 'write',
    params: Shape({ service: ServiceName, unix_user: UnixUser, claims: Type.Optional(ProgramClaims) }),
    result: Service,
    errors: ['already_exists'],
    examples: [
      {
        params: { service: 'games', unix_user: 'games', claims: ['proxy.users.read'] },
        result: { ...wiki, service: 'games', unix_user: 'games' },
      },
    ],
    handler: ({ claims = [], ...fields }) => services.add({ ...fields, claims }),
  }),
  method({
    ...rule,
    name: 'services.update',
    fresh: true,
    summary: 'Change the local user or the claims of a service, starting with its next call',
    effect: 'write',
    params: Shape({
      service: ServiceName,
      unix_user: Type.Optional(UnixUser),
      claims: Type.Optional(ProgramClaims),
    }),
    result: Service,
    errors: ['not_found', 'already_exists'],
    examples: [{ params: { service: 'wiki', claims: [] }, result: { ...wiki, claims: [] } }],
    handler: ({ service, ...fields }) => services.update(service, fields),
  }),
  method({
    ...rule,
    name: 'services.remove',
    summary: 'Remove a service; its processes become guests with their next call',
    effect: 'write',
    large: true,
    params: Shape({ service: ServiceName }),
    result: Type.Null(),
    errors: ['not_found'],
    examples: [{ params: { service: 'wiki' }, result: null }],
    handler: ({ service }) => services.remove(service),
  }),
]
