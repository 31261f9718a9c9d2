import { Type } from '../contract/schema_builder.ts'
import type { Caller } from '../contract/caller.ts'
import { AppError, invalidParams, notFound } from '../contract/errors.ts'
import { method } from '../contract/method.ts'
import { Cursor, Limit, Page, ServiceName, Shape, Username } from '../contract/schemas.ts'
import type { AccessToken } from './access_tokens.ts'
import { isAdministrator, issuing, usual, type IssuingParts } from './issue_rules.ts'
import { Issued, Token, TokenName, Validation } from './token.ts'

interface Parts extends IssuingParts {
  /** What is behind any token of ours. */
  readonly tell: (token: string, audience: string | undefined) => Promise<Validation>
  /** Word for whoever keeps what they know of tokens. */
  readonly told: (tokenId: string) => Promise<void>
}

const ScopeText = Type.String({
  pattern: '^(read|write|admin)( (read|write|admin)){0,2}$',
  description: 'read, write or admin, or several with a space between; each includes those before it',
})

const issued: Issued = {
  access_token: 'hero_5hQ0m7BqmY9uF2nKp4VfC1mDqCqkq6q1Q0eLx0y1t8S0a3bXK',
  token_type: 'Bearer',
  expires_in: usual,
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

  const removeOwn = (owner: { user_id: string | null; service?: string | null }, caller: Caller): boolean =>
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
      summary:
        'Issue a token: to a program for its secret, to a person or service to keep, to a local service without a secret',
      description:
        'With client_id and client_secret: an access token of an hour, a JWT (RFC 9068) that every service verifies by itself, as POST /token issues it. With a name: a token to keep (hero_…), your own, or by the operator for a user or service; shown this once. Called by a local service (services.*), or by an administrator for one: an access token of an hour for it.',
      effect: 'write',
      claim: null,
      // What is kept is a way in: no token makes one.
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
              'Seconds that a token to keep lives: by default 90 days, at most the setting token_lifetime',
          }),
        ),
      }),
      result: Issued,
      errors: ['unauthenticated', 'claim_required', 'not_found', 'conflict', 'rate_limited'],
      examples: [{ params: { user: 'ada', name: 'Backup script' }, result: issued }],
      target: ({ client_id, user, service, name }, result) =>
        [
          // Of one that was refused, whoever looks for it names it: what was given may be a secret in the wrong place.
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
          throw invalidParams('client_id', 'the client that the secret is of')
        const { name } = params
        if (name !== undefined) return keep({ ...params, name }, caller)
        if (params.user !== undefined) throw invalidParams('name', 'what the token is for')
        if (params.expires_in !== undefined) throw invalidParams('expires_in', 'only with a name')
        return forService(params, caller)
      },
    }),
    method({
      name: 'token.validate',
      summary: 'Check whether a token is valid, whose it is and what it allows',
      description:
        'Covers session tokens, tokens to keep, and access tokens for hero_proxy or for `audience`. Everybody who has the token may ask. Applications that sign people in ask about their own tokens at /oauth/introspect.',
      effect: 'read',
      claim: null,
      params: Shape({
        token: Type.String({ maxLength: 16_384 }),
        audience: Type.Optional(
          Type.String({
            maxLength: 2000,
            description: 'The audience that an access token must have, instead of hero_proxy',
          }),
        ),
      }),
      result: Validation,
      examples: [{ params: { token: issued.access_token }, result: { active: false } }],
      handler: ({ token, audience }) => parts.tell(token, audience),
    }),
    method({
      name: 'token.list',
      summary: 'List the tokens to keep of a person or service, newest first; your own if nobody is given',
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
          throw new AppError('claim_required', 'This takes the claim proxy.users.read', {
            claims: ['proxy.users.read'],
          })
        const { own: _, ...owner } = await ownerOf({ user, service }, caller)
        return personal.list(owner, page)
      },
    }),
    method({
      name: 'token.revoke',
      summary: 'Revoke a token, your own or anybody’s with proxy.admin: by the token itself or by its id',
      description:
        'The token no longer counts at any of our doors, and services that follow sessions.revocations learn of it. To revoke an access token that you do not have, give its jti; this takes proxy.admin.',
      effect: 'write',
      claim: 'self',
      params: Shape({
        token: Type.Optional(Type.String({ maxLength: 16_384 })),
        id: Type.Optional(
          Type.String({
            pattern: '^(?!hero_)[A-Za-z0-9_-]{20,64}$',
            description: 'The id in token.list, or the jti of a JWT; not the token itself',
          }),
        ),
      }),
      result: Type.Null(),
      errors: ['not_found'],
      examples: [{ params: { id: kept.id }, result: null }],
      handler: async ({ token, id }, caller) => {
        if ((token === undefined) === (id === undefined)) throw invalidParams('token', 'either token or id')
        // It would be answered as if it had ended something, and be kept in the clear.
        if (id !== undefined && (await parts.tell(id, undefined)).active)
          throw invalidParams('id', 'not the token itself: of a session, auth.logout or sessions.revoke')
        const written = token === undefined ? undefined : await personal.find(token)
        const named = written?.id ?? id
        const found = named === undefined ? undefined : await personal.get(named)
        if (found) {
          // The same answer as for a token that does not exist: ids of others are nobody's business.
          if (!removeOwn(found, caller)) throw notFound('token', found.id)
          await personal.remove(found.id)
          await parts.told(found.id)
          return null
        }
        const read = token === undefined ? undefined : await access.find(token)
        const jwt = read ?? (id !== undefined && isAdministrator(caller) ? access.byId(id) : undefined)
        if (!jwt || (read && !mayRevoke(read, caller))) throw notFound('token', id ?? 'that is written so')
        await access.revoke(jwt)
        await parts.told(jwt.jti)
        return null
      },
    }),
  ]
}
