import { Type } from '../contract/schema_builder.ts'
import type { Caller } from '../contract/caller.ts'
import { AppError, invalidParams } from '../contract/errors.ts'
import { method } from '../contract/method.ts'
import { Cursor, Limit, Page, Shape } from '../contract/schemas.ts'
import { claimsWithin } from '../contract/token_scopes.ts'
import { Client, clientFields, ClientName } from './client.ts'
import { checkClaimMap, type IdentifyingAttribute } from './claim_map.ts'
import type { Clients } from './clients.ts'

const read = { effect: 'read', claim: ['proxy.oauth.read'] } as const
const write = { effect: 'write', claim: ['proxy.oauth.write'], fresh: true } as const

const { name, ...others } = clientFields
const optional = Object.fromEntries(
  Object.entries(others).map(([key, schema]) => [key, Type.Optional(schema)]),
) as { [K in keyof typeof others]: ReturnType<typeof Type.Optional<(typeof others)[K]>> }

const Secret = Type.String({ description: 'Shown only once' })
const secret = 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hE'

const wiki: Client = {
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a81',
  client: 'wiki',
  name: 'The wiki',
  redirect_uris: ['https://wiki.example.org/callback'],
  post_logout_redirect_uris: [],
  grants: ['authorization_code'],
  scopes: ['openid', 'email', 'profile', 'offline_access', 'groups', 'claims'],
  claims: [],
  first_party: true,
  pkce: true,
  service: null,
  backchannel_logout_uri: null,
  introspects: [],
  start_url: 'https://wiki.example.org/',
  icon: null,
  claim_map: {},
  required_claims: ['groups.engineers'],
  anyone: false,
  proof: 'any',
  proof_age: null,
  session_max: null,
  ask_group: 'engineers',
  is_active: true,
  public: false,
  native: false,
  dynamic: false,
  secrets: [{ created_at: 1795435200, expires_at: null }],
  has_jwks: false,
  last_used_at: null,
  created_at: 1795435200,
  updated_at: 1795435200,
}

/**
 * `proxy.oauth.write` manages clients, but is no way to claims that the caller lacks. Giving a client the power of an
 * administrator requires proxy.admin: by claims that administer hero_proxy, or by the scope `admin`, with which a
 * program gets the claims of users who allow it. Other claims may be given by callers who have them or who may add them
 * to roles.
 */
const guard = (
  { claims = [], scopes = [] }: { claims?: readonly string[]; scopes?: readonly string[] },
  { kind, claims: callerClaims }: Caller,
): void => {
  if (kind === 'operator' || callerClaims.has('proxy.admin')) return
  const administers = scopes.includes('admin') || claimsWithin(claims, 'write').length < claims.length
  const missing = administers
    ? 'proxy.admin'
    : callerClaims.has('proxy.roles.write') || claims.every((claim) => callerClaims.has(claim))
      ? undefined
      : 'proxy.roles.write'
  if (missing) throw new AppError('claim_required', `This needs the claim ${missing}`, { claims: [missing] })
}

const Anyone = Type.Optional(
  Type.Boolean({ description: 'True lets every active person in; then required_claims is empty' }),
)

/** Who may enter is for the administrator to say: neither answer is a default. */
const ruleOf = (anyone: boolean | undefined, required: string[] = [], isNeeded: boolean) => {
  if (anyone === true && required.length > 0)
    throw invalidParams('anyone', 'false, or required_claims empty: they contradict each other')
  if (isNeeded && anyone !== true && required.length === 0)
    throw invalidParams('required_claims', 'at least one, or anyone: true to let every active person in')
  return { required_claims: required }
}

export const clientMethods = (clients: Clients, isIdentifying: IdentifyingAttribute) => {
  /** Anyone with the client's secret, or with the address that its users are redirected to, has the client's power. */
  const guarded = async (client: string, caller: Caller): Promise<void> =>
    guard(await clients.get(client), caller)
  return [
    method({
      ...read,
      name: 'clients.list',
      summary: 'List the applications that sign users in through us, ordered by client_id',
      params: Shape({ limit: Limit, cursor: Cursor }),
      result: Page(Client),
      examples: [{ params: {}, result: { items: [wiki], next_cursor: null } }],
      handler: (params) => clients.list(params),
    }),
    method({
      ...read,
      name: 'clients.get',
      summary: 'Return one client, without its secrets',
      params: Shape({ client: ClientName }),
      result: Client,
      errors: ['not_found'],
      examples: [{ params: { client: 'wiki' }, result: wiki }],
      handler: ({ client }) => clients.get(client),
    }),
    method({
      ...write,
      name: 'clients.add',
      summary: 'Add an application that signs users in through us, or a program that gets tokens of its own',
      description:
        'With redirect_uris, it signs users in; then say who may enter, by required_claims or with `anyone: true`. Without, it gets tokens of its own (client_credentials), with the scope `read` by default. Users are asked for consent unless it is first_party. `claims` that the caller does not have also require the claim proxy.roles.write; `proxy.*` and the scope `admin` require proxy.admin.',
      params: Shape({
        name,
        client: Type.Optional(ClientName),
        ...optional,
        anyone: Anyone,
        public: Type.Optional(Client.properties.public),
        native: Type.Optional(Client.properties.native),
        secret_sha256: Type.Optional(
          Type.String({
            pattern: '^[0-9a-f]{64}$',
            description:
              'SHA-256, in hex, of a secret that the program already has, for example when it moves here from another service; then no secret is created',
          }),
        ),
        jwks: Type.Optional(
          Type.Object(
            {
              keys: Type.Array(
                Type.Unsafe<Record<string, unknown>>(Type.Object({}, { additionalProperties: true })),
                {
                  minItems: 1,
                  maxItems: 10,
                },
              ),
            },
            {
              additionalProperties: false,
              description: 'Public keys that it authenticates with, instead of a secret',
            },
          ),
        ),
      }),
      result: Type.Object(
        { ...Client.properties, client_secret: Type.Union([Secret, Type.Null()]) },
        { additionalProperties: false },
      ),
      errors: ['already_exists'],
      examples: [
        {
          params: {
            name: 'Tickets',
            client: 'tickets',
            redirect_uris: ['https://tickets.example.org/callback'],
            required_claims: ['groups.engineers'],
          },
          result: {
            ...wiki,
            client: 'tickets',
            name: 'Tickets',
            first_party: false,
            redirect_uris: ['https://tickets.example.org/callback'],
            start_url: null,
            ask_group: null,
            client_secret: secret,
          },
        },
      ],
      handler: async (params, caller) => {
        guard(params, caller)
        const { anyone, ...fields } = params
        const signsIn =
          (fields.redirect_uris ?? []).length > 0 ||
          (fields.grants ?? []).some((grant) => grant !== 'client_credentials')
        const rule = ruleOf(anyone, fields.required_claims, signsIn)
        await checkClaimMap({ claim_map: {}, ...fields, ...rule }, isIdentifying)
        return clients.add({ ...fields, ...rule })
      },
    }),
    method({
      ...write,
      name: 'clients.update',
      summary: 'Change a client, starting with its next request',
      large: true,
      params: Shape({ client: ClientName, name: Type.Optional(name), ...optional, anyone: Anyone }),
      result: Client,
      errors: ['not_found'],
      examples: [
        { params: { client: 'wiki', is_active: false }, result: { ...wiki, is_active: false } },
        {
          name: 'a JWT claim of its own',
          params: { client: 'wiki', claim_map: { wiki_quota: '{attribute.quota}' } },
          result: { ...wiki, claim_map: { wiki_quota: '{attribute.quota}' } },
        },
      ],
      handler: async ({ client, anyone, ...fields }, caller) => {
        await guarded(client, caller)
        guard(fields, caller)
        const { required_claims } = fields
        const changes = anyone !== undefined || required_claims !== undefined
        const change = { ...fields, ...(changes && ruleOf(anyone, required_claims, true)) }
        await checkClaimMap({ ...(await clients.get(client)), ...change }, isIdentifying)
        return clients.update(client, change)
      },
    }),
    method({
      ...write,
      name: 'clients.rotate_secret',
      summary: 'Create another secret; the previous one stays valid for a week, or with `drop` not at all',
      large: true,
      params: Shape({ client: ClientName, drop: Type.Optional(Type.Boolean()) }),
      result: Shape({ client: ClientName, client_secret: Secret }),
      errors: ['not_found'],
      examples: [{ params: { client: 'wiki' }, result: { client: 'wiki', client_secret: secret } }],
      handler: async ({ client, drop = false }, caller) => {
        await guarded(client, caller)
        return clients.rotateSecret(client, drop)
      },
    }),
    method({
      ...write,
      name: 'clients.remove',
      summary: 'Remove a client with all its tokens and consents',
      large: true,
      params: Shape({ client: ClientName }),
      result: Type.Null(),
      errors: ['not_found'],
      examples: [{ params: { client: 'wiki' }, result: null }],
      handler: async ({ client }, caller) => {
        await guarded(client, caller)
        return clients.remove(client)
      },
    }),
  ]
}
