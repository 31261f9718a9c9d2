import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import { Cursor, Id, Limit, Nullable, Page, Shape } from '../contract/schemas.ts'
import { AuthModeName, BearerToken, Domain, PathPrefix, Route, RouteName } from './route.ts'
import { optionalParams, optionExamples, Target } from './route_options.ts'
import type { IsOwnPath } from './route_checks.ts'
import type { Routes } from './routes.ts'
import { Trial, TrialParams } from './route_test.ts'
import { trialExamples } from './route_test_examples.ts'

const options = {
  name: Type.Optional(RouteName),
  ...optionalParams,
  bearer_token: Type.Optional(Nullable(BearerToken)),
}

export const exampleRoute: Route = {
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a41',
  name: 'wiki-localhost',
  domain: 'wiki.localhost',
  path_prefix: '/',
  target: 'http://127.0.0.1:3000',
  auth_mode: 'local',
  ...optionExamples,
  bearer_token_set: false,
  created_at: 1795435200,
  updated_at: 1795435200,
}

const rule = { claim: ['proxy.admin'] } as const
/**
 * Adding a route, or removing one that hid a wider route, grants access to everyone, so all changes need a fresh proof.
 */
const change = { ...rule, effect: 'write', fresh: true } as const

/** `trial` asks the edge what it would do, and `isOwnPath` which paths it would never forward. */
export const routeMethods = (
  routes: Routes,
  trial: (params: TrialParams) => Promise<Trial>,
  isOwnPath: IsOwnPath,
) => [
  method({
    ...rule,
    name: 'proxy.routes.list',
    summary: 'List the routes, oldest first',
    effect: 'read',
    params: Shape({ domain: Type.Optional(Domain), limit: Limit, cursor: Cursor }),
    result: Page(Route),
    aliases: ['domain_route.list'],
    examples: [
      { params: { domain: 'wiki.localhost' }, result: { items: [exampleRoute], next_cursor: null } },
    ],
    handler: (params) => routes.list(params),
  }),
  method({
    ...rule,
    name: 'proxy.routes.get',
    summary: 'Return one route',
    effect: 'read',
    params: Shape({ id: Id }),
    result: Route,
    errors: ['not_found'],
    aliases: ['domain_route.get'],
    examples: [{ params: { id: exampleRoute.id }, result: exampleRoute }],
    handler: ({ id }) => routes.get(id),
  }),
  method({
    ...rule,
    name: 'proxy.routes.test',
    summary: 'Return what would happen to a request, and why, without sending it',
    effect: 'read',
    params: TrialParams,
    result: Trial,
    errors: ['not_found'],
    examples: trialExamples,
    handler: (params) => trial(params),
  }),
  method({
    ...change,
    name: 'proxy.routes.add',
    summary: 'Forward a host, or a path prefix of it, to an upstream',
    params: Shape({
      domain: Domain,
      target: Target,
      auth_mode: AuthModeName,
      path_prefix: Type.Optional(PathPrefix),
      ...options,
    }),
    result: Route,
    errors: ['already_exists'],
    aliases: ['domain_route.add'],
    examples: [
      {
        params: { domain: 'notes.localhost', target: 'unix:/run/notes/http.sock', auth_mode: 'optional' },
        result: {
          ...exampleRoute,
          name: 'notes-localhost',
          domain: 'notes.localhost',
          target: 'unix:/run/notes/http.sock',
          auth_mode: 'optional',
          service: null,
          title: null,
          icon: null,
        },
      },
    ],
    handler: (fields) => routes.add(fields, isOwnPath),
  }),
  method({
    ...change,
    name: 'proxy.routes.update',
    summary: 'Change fields of a route, starting with the next request',
    params: Shape({
      id: Id,
      domain: Type.Optional(Domain),
      path_prefix: Type.Optional(PathPrefix),
      target: Type.Optional(Target),
      auth_mode: Type.Optional(AuthModeName),
      ...options,
    }),
    result: Route,
    errors: ['not_found', 'already_exists'],
    aliases: ['domain_route.update'],
    examples: [
      {
        params: { id: exampleRoute.id, required_claims: ['wiki.pages.write'] },
        result: { ...exampleRoute, required_claims: ['wiki.pages.write'] },
      },
    ],
    handler: ({ id, ...fields }) => routes.update(id, fields, isOwnPath),
  }),
  method({
    ...change,
    name: 'proxy.routes.remove',
    summary: 'Remove a route; if it was the only one of its host, the host answers 404',
    params: Shape({ id: Id }),
    result: Type.Null(),
    errors: ['not_found'],
    aliases: ['domain_route.remove'],
    examples: [{ params: { id: exampleRoute.id }, result: null }],
    handler: ({ id }) => routes.remove(id),
  }),
]
