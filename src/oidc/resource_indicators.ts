import { errors, type Configuration } from 'oidc-provider'
import { personScopes, programScopes, type KnownClient } from '../clients/client.ts'
import { claimsWithin, widest } from '../contract/token_scopes.ts'
import type { Accounts } from './accounts.ts'

type Features = NonNullable<Configuration['features']>
type KnownOf = (client: object | undefined) => KnownClient | undefined

/** The service of the route that a resource indicator (RFC 8707) names, empty for one of no service; undefined for no route of ours. */
export type ServiceAt = (resource: string) => Promise<string | undefined>

const hour = 3600

const nothingToDo = () =>
  new errors.InvalidScope(
    `a token for a service takes one of ${programScopes.join(', ')}`,
    undefined as never,
  )

/** Access tokens for services (RFC 8707): JWTs (RFC 9068), for a program itself or in the name of a person. */
export const resourceIndicators = (
  issuer: string,
  serviceAt: ServiceAt,
  knownClient: KnownOf,
): Features['resourceIndicators'] => ({
  enabled: true,
  defaultResource: (ctx, _, oneOf) => {
    if (oneOf) return oneOf
    const forItself = ctx.oidc.params?.grant_type === 'client_credentials'
    return forItself ? issuer : (undefined as never)
  },
  useGrantedResource: () => false,
  getResourceServerInfo: async (ctx, resource, client) => {
    if (resource !== issuer && (await serviceAt(resource)) === undefined) throw new errors.InvalidTarget()
    const { params } = ctx.oidc
    const may = programScopes.filter((scope) => knownClient(client)?.scopes.includes(scope))
    const forItself = params?.grant_type === 'client_credentials'
    // Whoever asks for nothing in particular gets what it may have (RFC 6749 section 3.3).
    if (forItself) params.scope ??= may.join(' ')
    const asked = String(params?.scope ?? '').split(' ')
    const people: readonly string[] = forItself ? [] : personScopes
    const beyond = asked.find((scope) => ![...may, ...people, ''].includes(scope))
    if (beyond !== undefined) throw new errors.InvalidScope('requested scope is not allowed', beyond)
    // What a code or a refresh token is worth is known when the token is made.
    if (ctx.oidc.route !== 'token' && widest(asked) === undefined) throw nothingToDo()
    return {
      scope: may.join(' '),
      audience: resource,
      accessTokenFormat: 'jwt',
      // What was taken from a person meanwhile counts until its end at whoever verifies it alone.
      accessTokenTTL: forItself ? hour : 5 * 60,
      jwt: { sign: { alg: 'EdDSA' } },
    }
  },
})

/** What our access tokens say beyond the RFCs. */
export const claimsOfToken =
  (
    issuer: string,
    accounts: Accounts,
    serviceAt: ServiceAt,
    knownClient: KnownOf,
  ): NonNullable<Configuration['extraTokenClaims']> =>
  async (ctx, token) => {
    const client = knownClient(token.client ?? ctx.oidc.client)
    const scope = widest([...token.scopes])
    if (token.kind === 'ClientCredentials')
      return { sub: token.clientId, claims: claimsWithin(client?.claims ?? [], scope ?? 'read') }
    const { accountId, aud } = token as { accountId: string; aud?: string }
    // Services read the person's claims in it: whoever was allowed to do nothing there gets none.
    if (aud !== undefined && scope === undefined) throw nothingToDo()
    const account = await accounts.find(accountId, client)
    if (!account || (aud === undefined && !token.scopes.has('profile'))) return undefined
    const { preferred_username: username, context } = await account.claims('userinfo', '', {}, [])
    if (aud === undefined) return { username } as never
    // What is granted at one service alone is told to that one, whoever asked for the token.
    const service = aud === issuer ? client?.service : await serviceAt(aud)
    const held = await accounts.held(accountId, service ?? '', context as number)
    return { username, context, claims: claimsWithin(held, scope) } as never
  }
