import { refuseWhileImpersonating, type Caller } from '../contract/caller.ts'
import { AppError, conflict, invalidParams } from '../contract/errors.ts'
import { claimsWithin, tokenScopes, widestScope, type TokenScope } from '../contract/token_scopes.ts'
import type { AccessTokens } from './access_tokens.ts'
import type { Owner, PersonalTokens } from './personal_tokens.ts'
import type { Issued } from './token.ts'

/** Default lifetime of a personal token, in seconds. */
export const defaultLifetimeSeconds = 90 * 86_400
const maxPerOwner = 100

export interface IssuingParts {
  readonly personal: PersonalTokens
  readonly access: AccessTokens
  /** Authenticates a program by its secret, and counts failures. Throws unauthenticated. */
  readonly proveProgram: (client_id: string, client_secret: string, caller: Caller) => Promise<unknown>
  /**
   * What a program with this secret may have, inside the transaction. Throws unauthenticated if the secret was revoked
   * in the meantime.
   */
  readonly program: (
    client_id: string,
    client_secret: string,
  ) => Promise<{ client_id: string; scopes: readonly string[]; claims: readonly string[] }>
  readonly person: (username: string) => Promise<{ id: string; username: string }>
  readonly service: (name: string) => Promise<{ id: string; service: string; claims: readonly string[] }>
  readonly subjectOfService: (name: string) => string
  /** The maximum lifetime of a personal token, in seconds. */
  readonly longest: () => Promise<number>
}

export const isAdministrator = ({ kind, claims }: Caller): boolean =>
  kind === 'operator' || claims.has('proxy.admin')

/** Who gets which token: a personal token, or an access token for a program or a service. */
// oxlint-disable-next-line max-lines-per-function -- it holds four short functions over the same parts
export const issuing = (parts: IssuingParts) => {
  const { personal, access } = parts

  /** The owner that a call is about: a named user or service, or the caller. */
  const ownerOf = async (
    { user, service }: { user?: string | undefined; service?: string | undefined },
    caller: Caller,
  ): Promise<Owner & { readonly own: boolean }> => {
    if (user !== undefined && service !== undefined) throw invalidParams('service', 'not together with user')
    if (service !== undefined) return { service_id: (await parts.service(service)).id, own: false }
    if (user === undefined && caller.kind !== 'user')
      throw invalidParams('user', 'a username or a service; only a signed-in user allowed omit both')
    const { id } = user === undefined ? { id: caller.user_id! } : await parts.person(user)
    return { user_id: id, own: id === caller.user_id }
  }

  const keep = async (
    params: { user?: string; service?: string; scope?: string; expires_in?: number; name: string },
    caller: Caller,
  ): Promise<Issued> => {
    if (caller.kind === 'guest') throw new AppError('unauthenticated')
    refuseWhileImpersonating(caller)
    const { own, ...owner } = await ownerOf(params, caller)
    // Acting in another user's name is more than any claim allows.
    if ('user_id' in owner && !own && caller.kind !== 'operator')
      throw new AppError('claim_required', 'Only the operator allowed create a token for another user')
    if ('service_id' in owner && !isAdministrator(caller))
      throw new AppError('claim_required', 'This needs the claim proxy.admin', { claims: ['proxy.admin'] })
    const maxLifetime = await parts.longest()
    const { expires_in = Math.min(defaultLifetimeSeconds, maxLifetime), name } = params
    if (expires_in > maxLifetime)
      throw invalidParams('expires_in', `60 to ${maxLifetime} seconds (the setting token_lifetime)`)
    const { items } = await personal.list(owner, { limit: maxPerOwner })
    if (items.length >= maxPerOwner)
      throw conflict(`There are ${maxPerOwner} tokens already: revoke one first`, {
        reason: 'too_many_tokens',
        most: maxPerOwner,
      })
    const scope: TokenScope = widestScope((params.scope ?? 'read').split(' '))!
    const { id, token } = await personal.add(owner, { name, scope, expires_in })
    return { access_token: token, token_type: 'Bearer', expires_in, scope, id }
  }

  const issue = async (subject: string, scope: string, claims: readonly string[]): Promise<Issued> => {
    const within = claimsWithin(claims, widestScope(scope.split(' ')))
    const issued = await access.issue({ sub: subject, client_id: subject, scope, claims: within })
    return { ...issued, token_type: 'Bearer', scope }
  }

  const forProgram = (
    { client_id, scopes, claims }: Awaited<ReturnType<IssuingParts['program']>>,
    requested: string | undefined,
  ): Promise<Issued> => {
    const allowed = tokenScopes.filter((scope) => scopes.includes(scope))
    const beyond = requested?.split(' ').find((scope) => !(allowed as readonly string[]).includes(scope))
    if (beyond !== undefined)
      throw invalidParams('scope', `only ${allowed.join(', ') || 'none'}: the scopes of this client`)
    return issue(client_id, requested ?? allowed.join(' '), claims)
  }

  /** The kernel has identified the caller, so no secret is needed. */
  const forService = async (
    { service, scope = 'read' }: { service?: string; scope?: string },
    caller: Caller,
  ): Promise<Issued> => {
    const attested = caller.kind === 'service' && caller.via === 'socket' && !caller.token
    if (service === undefined && !attested)
      throw caller.kind === 'guest'
        ? new AppError('unauthenticated', 'This needs client_id and client_secret')
        : invalidParams('client_id', 'client_id with client_secret, or a name for a personal token')
    if (service !== undefined && service !== (attested ? caller.name : undefined) && !isAdministrator(caller))
      throw new AppError('claim_required', 'This needs the claim proxy.admin', { claims: ['proxy.admin'] })
    const known = await parts.service(service ?? caller.name)
    return issue(parts.subjectOfService(known.service), scope, known.claims)
  }

  return { ownerOf, keep, forProgram, forService }
}
