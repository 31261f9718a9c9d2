import { Type } from '../contract/schema_builder.ts'
import { maxTokenLength } from '../contract/carried_claims.ts'
import { refuseByAnotherDevice, type Caller } from '../contract/caller.ts'
import { AppError, invalidParams, notFound } from '../contract/errors.ts'
import { refuseLackingOfGroup, refuseScopeAdmin } from '../contract/fresh_proof.ts'
import { widestScope } from '../contract/token_scopes.ts'
import { method } from '../contract/method.ts'
import { Cursor, Limit, Page, ServiceName, Shape, Username } from '../contract/schemas.ts'
import type { AccessToken } from './access_tokens.ts'
import { isAdministrator, issuing, defaultLifetimeSeconds, type IssuingParts } from './issue_rules.ts'
import { Issued, Token, TokenName, Validation } from './token.ts'

interface Parts extends IssuingParts {
  /** Describes any token of ours. */
  readonly tell: (token: string, audience: string | undefined) => Promise<Validation>
  /** Notifies services that cache tokens. */
  readonly told: (tokenId: string) => Promise<void>
}

const ScopeText = Type.String({
  pattern: '^(read|write|admin)( (read|write|admin)){0,2}$',
  description: 'read, write or admin, or several separated by spaces; each includes those before it',
})

const issued: Issued = {
  access_token: 'hero_5hQ0m7BqmY9uF2nKp4VfC1mDqCqkq6q1Q0eLx0y1t8S0a3bXK',
  token_type: 'Bearer',
  expires_in: defaultLifetimeSeconds,
  scope: 'read',
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a91',
}

const kept: Token = {
  id: issued.id,
  user: 'ada',
  service: null,
  name: 'Backup script',
  scope: 'read',
  created_at: 1795435200,
  expires_at: 1803211200,
  last_used_at: null,
}

export const tokenMethods = (parts: Parts) => {
  const { personal, access } = parts
  const { ownerOf, keep, forProgram, forService } = issuing(parts)

  const mayRemove = (owner: { user_id: string | null; service?: string | null }, caller: Caller): boolean =>
    isAdministrator(caller) ||
    (owner.user_id !== null && owner.user_id === caller.user_id) ||
    (caller.kind === 'service' && owner.service === caller.name)

  const subjectOf = ({ kind, name, user_id }: Caller): string | undefined =>
    kind === 'client' ? name : kind === 'service' ? parts.subjectOfService(name) : user_id

  const mayRevoke = ({ sub }: AccessToken, caller: Caller): boolean =>
    isAdministrator(caller) || sub === subjectOf(caller)

  return [
    method({
      name: 'token.create',
      summary: 'Issue a token to a program, a user, a service or a local service',
      description:
        'With client_id and client_secret, returns an access token for one hour: a JWT (RFC 9068) that every service can verify, as POST /token issues it. With a name, returns a personal token (hero_…), shown only once: for yourself, or if the operator calls, for any user or service. Called by a local service (services.*), or by an administrator for one, returns an access token for one hour for that service.',
      effect: 'write',
      claim: null,
      // A personal token is a way to sign in, so no token may create one.
      fresh: ({ name, service }) => name !== undefined || service !== undefined,
      params: Shape({
        client_id: Type.Optional(Type.String({ maxLength: 128 })),
        client_secret: Type.Optional(Type.String({ maxLength: 1024 })),
        user: Type.Optional(Username),
        service: Type.Optional(ServiceName),
        name: Type.Optional(TokenName),
        scope: Type.Optional(ScopeText),
        expires_in: Type.Optional(
          Type.Integer({
            minimum: 60,
            maximum: 315_360_000,
            description:
              'Lifetime of a personal token in seconds: 90 days by default, at most the setting token_lifetime',
          }),
        ),
      }),
      result: Issued,
      errors: ['unauthenticated', 'claim_required', 'not_found', 'conflict', 'rate_limited'],
      examples: [{ params: { user: 'ada', name: 'Backup script' }, result: issued }],
      target: ({ client_id, user, service, name }, result) =>
        [
          // Do not log the client_id of a refused call: it may be a secret in the wrong field.
          result && client_id !== undefined && `client=${client_id}`,
          user !== undefined && `user=${user}`,
          service !== undefined && `service=${service}`,
          name !== undefined && `name=${JSON.stringify(name)}`,
          result && `id=${result.id}`,
        ]
          .filter(Boolean)
          .join(' '),
      prepare: async ({ client_id, client_secret = '' }, caller) => {
        if (client_id !== undefined) await parts.proveProgram(client_id, client_secret, caller)
      },
      handler: async (params, caller) => {
        const { client_id, client_secret = '' } = params
        if (client_id !== undefined) {
          for (const name of ['user', 'service', 'name', 'expires_in'] as const)
            if (params[name] !== undefined) throw invalidParams(name, 'not together with client_id')
          return forProgram(await parts.program(client_id, client_secret), params.scope)
        }
        if (params.client_secret !== undefined)
          throw invalidParams('client_id', 'the client that the secret belongs to')
        const { name } = params
        if (name !== undefined) {
          refuseLackingOfGroup(caller)
          if (widestScope((params.scope ?? '').split(' ')) === 'admin') refuseScopeAdmin(caller)
          return keep({ ...params, name }, caller)
        }
        if (params.user !== undefined) throw invalidParams('name', 'what the token is for')
        if (params.expires_in !== undefined) throw invalidParams('expires_in', 'only with a name')
        return forService(params, caller)
      },
    }),
    method({
      name: 'token.validate',
      summary: 'Check whether a token is valid, who owns it and what it allows',
      description:
        'Accepts session tokens, personal tokens, and access tokens for us or for `audience`. Anyone who has a token may check it. Applications that sign users in check their own tokens at /oauth/introspect.',
      effect: 'read',
      claim: null,
      params: Shape({
        token: Type.String({ maxLength: maxTokenLength }),
        audience: Type.Optional(
          Type.String({
            maxLength: 2000,
            description: 'The audience that an access token must have, instead of us',
          }),
        ),
      }),
      result: Validation,
      examples: [{ params: { token: issued.access_token }, result: { active: false } }],
      handler: ({ token, audience }) => parts.tell(token, audience),
    }),
    method({
      name: 'token.list',
      summary: 'List the personal tokens of a user or service, newest first; by default your own',
      effect: 'read',
      claim: ['proxy.users.read', 'users.{user?}'],
      params: Shape({
        user: Type.Optional(Username),
        service: Type.Optional(ServiceName),
        limit: Limit,
        cursor: Cursor,
      }),
      result: Page(Token),
      errors: ['not_found'],
      examples: [{ params: { user: 'ada' }, result: { items: [kept], next_cursor: null } }],
      handler: async ({ user, service, ...page }, caller) => {
        if (service !== undefined && caller.kind !== 'operator' && !caller.claims.has('proxy.users.read'))
          throw new AppError('claim_required', 'This needs the claim proxy.users.read', {
            claims: ['proxy.users.read'],
          })
        const { own: _, ...owner } = await ownerOf({ user, service }, caller)
        return personal.list(owner, page)
      },
    }),
    method({
      name: 'token.revoke',
      summary: 'Revoke a token by its value or its id: your own, or any token with proxy.admin',
      description:
        'The token stops working here at once, and services that follow sessions.revocations are notified. An access token that you do not have is revoked by its jti, with proxy.admin.',
      effect: 'write',
      claim: 'self',
      params: Shape({
        token: Type.Optional(Type.String({ maxLength: maxTokenLength })),
        id: Type.Optional(
          Type.String({
            pattern: '^(?!hero_)[A-Za-z0-9_-]{20,64}$',
            description: 'The id from token.list, or the jti of a JWT; not the token itself',
          }),
        ),
      }),
      result: Type.Null(),
      errors: ['not_found', 'conflict'],
      examples: [{ params: { id: kept.id }, result: null }],
      handler: async ({ token, id }, caller) => {
        refuseByAnotherDevice(caller)
        if ((token === undefined) === (id === undefined)) throw invalidParams('token', 'either token or id')
        // Otherwise the call would seem to revoke the token, and store it in plain text.
        if (id !== undefined && (await parts.tell(id, undefined)).active)
          throw invalidParams('id', 'not the token itself; end a session with auth.logout or sessions.revoke')
        const personalToken = token === undefined ? undefined : await personal.find(token)
        const personalId = personalToken?.id ?? id
        const found = personalId === undefined ? undefined : await personal.get(personalId)
        if (found) {
          // Give the same answer as for a token that does not exist, so that ids of other users' tokens stay hidden.
          if (!mayRemove(found, caller)) throw notFound('token', found.id)
          await personal.remove(found.id)
          await parts.told(found.id)
          return null
        }
        const read = token === undefined ? undefined : await access.find(token)
        const jwt = read ?? (id !== undefined && isAdministrator(caller) ? access.byId(id) : undefined)
        if (!jwt || (read && !mayRevoke(read, caller))) throw notFound('token', id ?? 'with this value')
        await access.revoke(jwt)
        await parts.told(jwt.jti)
        return null
      },
    }),
  ]
}
