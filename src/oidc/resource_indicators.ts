import { errors, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import { userScopes, programScopes, type ClientWithCredentials } from '../clients/client.ts'
import { proofsOf } from '../contract/proofs.ts'
import { carriedClaims } from '../contract/carried_claims.ts'
import { claimsWithin, widestScope } from '../contract/token_scopes.ts'
import { signedInOf } from './engine/session.ts'
import type { ServiceAt } from '../routes/service_at.ts'
import type { Accounts } from './accounts.ts'
import { recordedBy, type IssuedToken } from './recorded_proof.ts'

type Features = NonNullable<Configuration['features']>
type KnownOf = (client: object | undefined) => ClientWithCredentials | undefined

const hourSeconds = 3600
const personTokenSeconds = 5 * 60
/** A longer resource would make a token that no door reads. */
const maxResourceLength = 2000

const scopeRequired = () =>
  new errors.InvalidScope(
    `a token for a service needs one of the scopes ${programScopes.join(', ')}`,
    undefined as never,
  )

/** Access tokens for services (RFC 8707): JWTs (RFC 9068), for a program itself or on behalf of a person. */
export const resourceIndicators = (
  issuer: string,
  serviceAt: ServiceAt,
  knownClient: KnownOf,
  accounts: Pick<Accounts, 'mayAdminister'>,
): Features['resourceIndicators'] => ({
  enabled: true,
  defaultResource: (ctx, _, requested) => {
    if (requested) return requested
    const forItself = ctx.oidc.params?.grant_type === 'client_credentials'
    return forItself ? issuer : (undefined as never)
  },
  useGrantedResource: () => false,
  getResourceServerInfo: async (ctx, resource, client) => {
    if (resource.length > maxResourceLength) throw new errors.InvalidTarget()
    if (resource !== issuer && (await serviceAt(resource)) === undefined) throw new errors.InvalidTarget()
    const { params } = ctx.oidc
    const allowed = programScopes.filter((scope) => knownClient(client)?.scopes.includes(scope))
    const forItself = params?.grant_type === 'client_credentials'
    // A program that requests no scope gets all that it may have (RFC 6749 section 3.3).
    if (forItself) params.scope ??= allowed.join(' ')
    const asked = String(params?.scope ?? '').split(' ')
    const people: readonly string[] = forItself ? [] : userScopes
    const beyond = asked.find((scope) => ![...allowed, ...people, ''].includes(scope))
    if (beyond !== undefined) throw new errors.InvalidScope('requested scope is not allowed', beyond)
    // At the token endpoint, the scopes come from the code or refresh token and are checked when the token is made.
    if (ctx.oidc.route !== 'token' && widestScope(asked) === undefined) throw scopeRequired()
    const given = (await keepsAdmin(ctx, accounts)) ? allowed : allowed.filter((scope) => scope !== 'admin')
    return {
      scope: given.join(' '),
      audience: resource,
      accessTokenFormat: 'jwt',
      // A service that verifies the JWT itself does not notice revoked claims until it expires, so the lifetime is short.
      accessTokenTTL: forItself ? hourSeconds : personTokenSeconds,
      jwt: { sign: { alg: 'EdDSA' } },
    }
  },
})

/**
 * Whether what a request leads to may have the scope `admin`. For a person, the proofs of their sign-in decide, at the approval and
 * whenever a token is made of it. A request without a person gives nothing yet, but at the token endpoint.
 */
const keepsAdmin = async (
  ctx: KoaContextWithOIDC,
  accounts: Pick<Accounts, 'mayAdminister'>,
): Promise<boolean> => {
  const { params, session, route, entities } = ctx.oidc
  const who = signedInOf(session)
  if (who) return accounts.mayAdminister(who.user_id, who.proofs)
  if (route !== 'token' || params?.grant_type === 'client_credentials') return true
  const { accountId } = (entities.AuthorizationCode ??
    entities.RefreshToken ??
    entities.DeviceCode ??
    {}) as {
    readonly accountId?: string
  }
  const { acr, auth_time = 0 } = proofOf(ctx)
  return (
    acr !== undefined &&
    accountId !== undefined &&
    accounts.mayAdminister(accountId, proofsOf(acr, auth_time))
  )
}

/** The additional JWT claims of our access tokens. */
export const claimsOfToken =
  (
    issuer: string,
    accounts: Accounts,
    serviceAt: ServiceAt,
    knownClient: KnownOf,
  ): NonNullable<Configuration['extraTokenClaims']> =>
  async (ctx, token) => {
    const client = knownClient(token.client ?? ctx.oidc.client)
    const scope = widestScope([...token.scopes])
    if (token.kind === 'ClientCredentials')
      return { sub: token.clientId, ...carriedClaims(claimsWithin(client?.claims ?? [], scope ?? 'read')) }
    const { accountId, aud } = token as { accountId: string; aud?: string }
    // Services read the person's claims from the token, so a client without a scope there gets no token.
    if (aud !== undefined && scope === undefined) throw scopeRequired()
    const proof = proofOf(ctx)
    const { proofs } = recordedBy({ extra: proof })
    const account = await accounts.find(accountId, client, proofs)
    if (!account) return undefined
    const { username, context } = account
    if (aud === undefined && !token.scopes.has('profile')) return proof as never
    if (aud === undefined) return { username, ...proof } as never
    // Claims that are granted at one service only appear only in tokens for that service.
    const service = aud === issuer ? client?.service : await serviceAt(aud)
    const held = await accounts.claimsOf(accountId, service ?? '', context, proofs)
    return { username, context, ...proof, ...carriedClaims(claimsWithin(held, scope)) } as never
  }

/** What the code or refresh token of this request records about the sign-in (RFC 9470 section 6). */
const proofOf = ({
  oidc: { entities },
}: KoaContextWithOIDC): Pick<IssuedToken, 'acr' | 'amr'> & { readonly auth_time?: number } => {
  const { AuthorizationCode, RefreshToken, DeviceCode } = entities as Readonly<
    Record<string, Pick<IssuedToken, 'acr' | 'amr' | 'authTime'> | undefined>
  >
  const { acr, amr, authTime: auth_time = 0 } = AuthorizationCode ?? RefreshToken ?? DeviceCode ?? {}
  return acr === undefined ? {} : { acr, ...(amr && { amr }), auth_time }
}
