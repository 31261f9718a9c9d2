import { randomBytes } from 'node:crypto'
import { errors, Provider, interactionPolicy, type Configuration } from 'oidc-provider'
import { personScopes, type KnownClient } from '../../clients/client.ts'
import type { SigningKey } from '../../keys/keys.ts'
import { now } from '../../storage/ids.ts'
import { scopeClaims } from '../accounts.ts'
import { withinScopes } from '../requested_claims.ts'
import { loadGrant } from './load_grant.ts'
import type { MayTell } from '../direct_endpoints.ts'
import { toMetadata } from './client_metadata.ts'
import { MetadataDocuments } from '../metadata_documents.ts'
import { adaptModels } from './models.ts'
import { claimsOfToken, resourceIndicators } from '../resource_indicators.ts'
import { routes } from './endpoint_paths.ts'
import { engineKeys } from './keys.ts'
import type { Engine, EngineParts, EngineSettings } from './types.ts'

/** Dynamic client registration (RFC 7591): ours, not the engine's. */
const registrationPath = '/oauth/register'

const hour = 3600
const day = 24 * hour
/** `oidc-provider` over our rooms. It takes its keys at birth: a change of keys or settings makes another. */
// oxlint-disable-next-line max-lines-per-function -- it is one configuration object
export const createEngine = (
  {
    issuer,
    records,
    clients,
    accounts,
    consents,
    pages,
    provesItself,
    findByUserCode,
    serviceAt,
  }: EngineParts,
  keys: readonly SigningKey[],
  { refreshLifetime, registration, documents }: EngineSettings,
): Engine => {
  const secure = issuer.startsWith('https:')
  const prefix = secure ? '__Host-' : ''
  const known = new WeakMap<object, KnownClient>()
  const knownClient = (client: object | undefined) => client && known.get(client)
  // Some secret the engine must see; which ones are right, it asks us.
  const placeholder = randomBytes(32).toString('base64url')
  const metadataDocuments = new MetadataDocuments(documents, (client) => consents.isLetIn(client))
  const usedUp = (kind: string) => new errors.InvalidGrant(`${kind} was used already`)
  const inPath = secure ? '__Secure-' : ''

  /** Its own tokens, while whoever they are about may still be signed in. */
  const mayTell: MayTell = async (client, token) => {
    const { accountId, clientId } = token as { accountId?: string; clientId?: string }
    if (clientId !== client.clientId) return false
    return accountId === undefined || (await accounts.find(accountId, undefined)) !== undefined
  }

  const configuration: Configuration = {
    adapter: (kind: string) =>
      kind === 'Client'
        ? {
            ...records.adapter(kind, usedUp),
            find: async (id) => {
              const client = await clients.find(id)
              return client && toMetadata(client, placeholder)
            },
            upsert: async () => {},
            destroy: async () => {},
          }
        : records.adapter(kind, usedUp),
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    clientBasedCORS: (ctx, origin, client) =>
      (ctx.oidc.route === 'token' || ctx.oidc.route === 'userinfo') &&
      // A page without an origin is nobody's, least of all that of an application with a scheme of its own.
      origin !== 'null' &&
      (client.redirectUris ?? []).some((uri) => new URL(uri).origin === origin),
    assertJwtClientAuthClaimsAndHeader: async (_, { exp, iat = now() }) => {
      const at = now()
      // One is kept until its end, so that it counts once.
      if (Number(exp) > at + hour || Number(iat) > at + 60)
        throw new errors.InvalidClientAuth('an assertion is of now, and lives an hour at most')
    },
    claims: { ...scopeClaims, acr: null, sid: null, auth_time: null, iss: null } as never,
    // Many applications look into the ID token only.
    conformIdTokenClaims: false,
    cookies: {
      names: {
        session: `${prefix}hero_proxy_openid`,
        interaction: `${inPath}hero_proxy_consent`,
        resume: `${inPath}hero_proxy_resume`,
      },
      long: { httpOnly: true, sameSite: 'lax', secure, signed: false, path: '/' },
      short: { httpOnly: true, sameSite: 'lax', secure, signed: false },
      keys: [],
    },
    allowOmittingSingleRegisteredRedirectUri: false,
    // The endpoint is ours.
    discovery: { registration_endpoint: registration ? `${issuer}${registrationPath}` : undefined },
    enabledJWA: {
      clientAuthSigningAlgValues: ['RS256', 'ES256'],
      idTokenSigningAlgValues: ['RS256'],
    },
    expiresWithSession: (_, token) => !token.scopes.has('offline_access'),
    extraParams: ['offline_asked'],
    extraTokenClaims: claimsOfToken(issuer, accounts, serviceAt, knownClient),
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      clientIdMetadataDocument: metadataDocuments.feature,
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      claimsParameter: {
        enabled: true,
        assertClaimsParameter: (ctx, claims, { scope }) => {
          ctx.oidc.params!.claims = JSON.stringify(withinScopes(claims, scope?.split(' ') ?? personScopes))
        },
      },
      clientCredentials: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: (_, client, token) => mayTell(client, token),
      },
      revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
      // Ours goes out by a queue; this makes it known in discovery and in the metadata of clients.
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: pages.logout,
        postLogoutSuccessSource: pages.loggedOut,
      },
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '****-****',
        deviceInfo: (ctx) => ({ ip: ctx.ip, userAgent: ctx.get('user-agent') }),
        userCodeInputSource: pages.device,
        userCodeConfirmSource: pages.deviceConfirm,
        successSource: pages.deviceDone,
      },
      pushedAuthorizationRequests: { enabled: true },
      resourceIndicators: resourceIndicators(issuer, serviceAt, knownClient),
    },
    fetch: metadataDocuments.fetch as never,
    findAccount: async (ctx, sub, token) => {
      const account = await accounts.find(sub, knownClient(token?.client ?? ctx.oidc.client))
      // Whose session outlives what they may: the application is told, in place of an internal error.
      if (!account && !token) throw new errors.AccessDenied(undefined, 'the account may not be signed in')
      return account
    },
    interactions: {
      url: (_, { uid }) => `${issuer}/auth/consent/${uid}`,
      policy: interactionPolicy.base(),
    },
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    jwks: { keys: engineKeys(keys) },
    loadExistingGrant: loadGrant(consents, knownClient),
    pkce: { required: (_, client) => knownClient(client)?.pkce ?? true },
    renderError: pages.error,
    responseTypes: ['code'],
    rotateRefreshToken: true,
    routes,
    scopes: [...personScopes],
    sectorIdentifierUriValidate: () => false,
    subjectTypes: ['public'],
    ttl: {
      // A number here would count for JWTs too, whatever their resource says.
      AccessToken: (_, token) => token.resourceServer?.accessTokenTTL ?? hour,
      AuthorizationCode: 60,
      ClientCredentials: hour,
      DeviceCode: 600,
      Grant: refreshLifetime + day,
      IdToken: hour,
      Interaction: hour,
      // Counted from the sign-in, however often it is renewed.
      RefreshToken: (_, token) => Math.max((token.iiat ?? now()) + refreshLifetime - now(), 1),
      Session: hour,
    },
  }
  const provider = new Provider(issuer, configuration)
  provider.proxy = true

  adaptModels(provider, {
    clients,
    known,
    knownClient,
    provesItself,
    findByUserCode,
    trust: (address, anywhere) => metadataDocuments.trust(address, anywhere),
  })
  return { provider, mayTell, knownClient }
}
