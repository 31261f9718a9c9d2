import { Type } from '../type.ts'
import { method } from '../method.ts'
import { Cursor, Id, Limit, Nullable, Page, Shape } from '../schemas.ts'
import { BearerToken, Domain, PathPrefix, Route, routeFields } from './route.ts'
import type { Routes } from './routes.ts'
import { Trial, TrialParams } from './trial.ts'
import { trialExamples } from './trial_examples.ts'

const { target, auth_mode, ...options } = routeFields
const optional = {
  strip_prefix: Type.Optional(options.strip_prefix),
  service: Type.Optional(options.service),
  required_claims: Type.Optional(options.required_claims),
  audience: Type.Optional(options.audience),
  preserve_host: Type.Optional(options.preserve_host),
  enabled: Type.Optional(options.enabled),
  connect_timeout: Type.Optional(options.connect_timeout),
  response_timeout: Type.Optional(options.response_timeout),
  more_targets: Type.Optional(options.more_targets),
  health_path: Type.Optional(options.health_path),
  allowed_emails: Type.Optional(options.allowed_emails),
  provider: Type.Optional(options.provider),
  provider_token: Type.Optional(options.provider_token),
  max_body: Type.Optional(options.max_body),
  bearer_token: Type.Optional(Nullable(BearerToken)),
}

export const exampleRoute: Route = {
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a41',
  domain: 'wiki.localhost',
  path_prefix: '/',
  target: 'http://127.0.0.1:3000',
  auth_mode: 'local',
  strip_prefix: false,
  service: 'wiki',
  required_claims: [],
  audience: null,
  preserve_host: true,
  enabled: true,
  connect_timeout: 5,
  response_timeout: 60,
  more_targets: [],
  health_path: null,
  allowed_emails: [],
  provider: null,
  provider_token: null,
  max_body: null,
  bearer_token_set: false,
  created_at: 1795435200,
  updated_at: 1795435200,
}

const rule = { claim: ['proxy.admin'] } as const
/** Where a route leads, and whom it lets in, is a right of everybody who comes; one that goes may uncover a wider one. */
const change = { ...rule, effect: 'write', fresh: true } as const

/** `trial` asks the edge what it would do. */
export const routeMethods = (routes: Routes, trial: (params: TrialParams) => Promise<Trial>) => [
  method({
    ...rule,
    name: 'proxy.routes.list',
    summary: 'List routes, oldest first',
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
    summary: 'Return what would happen to a request, and why; nothing is sent',
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
    params: Shape({ domain: Domain, target, auth_mode, path_prefix: Type.Optional(PathPrefix), ...optional }),
    result: Route,
    errors: ['already_exists'],
    aliases: ['domain_route.add'],
    examples: [
      {
        params: { domain: 'notes.localhost', target: 'unix:/run/notes/http.sock', auth_mode: 'optional' },
        result: {
          ...exampleRoute,
          domain: 'notes.localhost',
          target: 'unix:/run/notes/http.sock',
          auth_mode: 'optional',
          service: null,
        },
      },
    ],
    handler: (fields) => routes.add(fields),
  }),
  method({
    ...change,
    name: 'proxy.routes.update',
    summary: 'Change fields of a route; the change applies from the next request on',
    params: Shape({
      id: Id,
      domain: Type.Optional(Domain),
      path_prefix: Type.Optional(PathPrefix),
      target: Type.Optional(target),
      auth_mode: Type.Optional(auth_mode),
      ...optional,
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
    handler: ({ id, ...fields }) => routes.update(id, fields),
  }),
  method({
    ...change,
    name: 'proxy.routes.remove',
    summary: 'Remove a route; its host answers 404 if it was the only one',
    params: Shape({ id: Id }),
    result: Type.Null(),
    errors: ['not_found'],
    aliases: ['domain_route.remove'],
    examples: [{ params: { id: exampleRoute.id }, result: null }],
    handler: ({ id }) => routes.remove(id),
  }),
]
