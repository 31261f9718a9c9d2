import { randomBytes } from 'node:crypto'
import { errors, Provider, type Configuration } from 'oidc-provider'
import { userScopes, type ClientWithCredentials } from '../../clients/client.ts'
import type { SigningKey } from '../../keys/keys.ts'
import { now } from '../../storage/ids.ts'
import { withinScopes } from '../requested_claims.ts'
import { acrOf, nothingProved } from '../../contract/proofs.ts'
import { signInNeeded } from '../../identity/judge.ts'
import { askedProof, declinedBy, ruleOf } from '../asked_proof.ts'
import { extraParams } from './extra_params.ts'
import { withDocument } from '../told_client.ts'
import { recordedBy, type IssuedToken } from '../recorded_proof.ts'
import { loadGrant } from './load_grant.ts'
import type { MayIntrospect } from '../direct_endpoints.ts'
import { toMetadata } from './client_metadata.ts'
import { MetadataDocuments } from '../metadata_documents.ts'
import { adaptModels } from './models.ts'
import { claimsOfToken, resourceIndicators } from '../resource_indicators.ts'
import { routes } from './endpoint_paths.ts'
import { engineKeys } from './keys.ts'
import { policy, promptValues, type JudgeRequest } from './policy.ts'
import { reportProof, signedInOf } from './session.ts'
import type { Engine, EngineParts, EngineSettings } from './types.ts'

/** Dynamic client registration (RFC 7591), which we implement ourselves. */
const registrationPath = '/oauth/register'

const hourSeconds = 3600
const daySeconds = 24 * hourSeconds
interface TokenOfClient {
  readonly kind: string
  readonly accountId?: string
  readonly clientId?: string
  readonly aud?: string
}

/** Configures `oidc-provider`. It reads its keys only once, so a change of keys or settings needs a new engine. */
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
    rules,
    liveSessions,
    tell,
    grantLost,
  }: EngineParts,
  keys: readonly SigningKey[],
  { refreshLifetime, registration, documents, scopeClaims }: EngineSettings,
): Engine => {
  const secure = issuer.startsWith('https:')
  const prefix = secure ? '__Host-' : ''
  const known = new WeakMap<object, ClientWithCredentials>()
  const knownClient = (client: object | undefined) => client && known.get(client)
  // The engine needs some secret in the metadata, but our own check decides which secret is right.
  const placeholder = randomBytes(32).toString('base64url')
  const metadataDocuments = new MetadataDocuments(documents, (client) => consents.hasAnyConsent(client))
  const usedUp = (kind: string) => new errors.InvalidGrant(`${kind} was already used`)
  const inPath = secure ? '__Secure-' : ''

  /**
   * A client may introspect its own tokens, and those of others for the audiences in its list, as long as their user may be signed in.
   * A token without an audience is for us.
   */
  const mayTell: MayIntrospect = async (client, token) => {
    const { kind, accountId, clientId, aud = issuer } = token as TokenOfClient
    const audiences = kind === 'AccessToken' ? ((await clients.find(client.clientId))?.introspects ?? []) : []
    if (clientId !== client.clientId && !audiences.includes(aud)) return false
    if (accountId === undefined) return true
    const account = await accounts.find(accountId, undefined, nothingProved)
    if (!account) return false
    // By the rule of the client that the token was issued to, not of the one that asks.
    const holder = clientId === undefined ? undefined : await clients.find(clientId)
    return rules.admits({ user_id: accountId, context: account.context }, holder, recordedBy(token))
  }

  const judgeRequest: JudgeRequest = async ({ oidc: { session, client, params, result } }) => {
    const live = await liveSessions.byId(session!.uid)
    if (!live) return signInNeeded
    const asked = askedProof(params ?? {}, declinedBy(result, live.user_id))
    if (asked === 'unmet')
      throw new errors.UnmetAuthenticationRequirements('none of the requested ACRs could be obtained')
    return rules.enter(live, knownClient(client), ruleOf(asked))
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
      // The opaque origin `null` proves nothing, and the redirect URI of a native app also has the origin `null`.
      origin !== 'null' &&
      (client.redirectUris ?? []).some((uri) => new URL(uri).origin === origin),
    assertJwtClientAuthClaimsAndHeader: async (_, { exp, iat = now() }) => {
      const at = now()
      // We remember each assertion until it expires, so that it works once. That needs a limit.
      if (Number(exp) > at + hourSeconds || Number(iat) > at + 60)
        throw new errors.InvalidClientAuth(
          'iat must not be in the future, and exp must be at most an hour ahead',
        )
    },
    claims: { ...scopeClaims, acr: null, sid: null, auth_time: null, iss: null } as never,
    // Many applications read the ID token only.
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
    acrValues: Object.values(acrOf),
    allowOmittingSingleRegisteredRedirectUri: false,
    // The engine does not know our registration endpoint, nor the metadata of Initiating User Registration 1.0 section 4.
    discovery: {
      registration_endpoint: registration ? `${issuer}${registrationPath}` : undefined,
      prompt_values_supported: [...promptValues],
    },
    enabledJWA: {
      clientAuthSigningAlgValues: ['RS256', 'ES256'],
      idTokenSigningAlgValues: ['RS256'],
    },
    // What an application gets by a session that another device opened ends with that session.
    expiresWithSession: (ctx, token) =>
      !token.scopes.has('offline_access') || signedInOf(ctx.oidc.session)?.by_another_device === true,
    extraParams,
    extraTokenClaims: claimsOfToken(issuer, accounts, serviceAt, knownClient),
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      clientIdMetadataDocument: metadataDocuments.feature,
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      claimsParameter: {
        enabled: true,
        assertClaimsParameter: (ctx, claims, { scope }) => {
          ctx.oidc.params!.claims = JSON.stringify(
            withinScopes(claims, scope?.split(' ') ?? userScopes, scopeClaims),
          )
        },
      },
      clientCredentials: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: (_, client, token) => mayTell(client, token),
      },
      revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
      // Our own queue sends the notices. This only announces the feature in discovery and allows it in client metadata.
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
      resourceIndicators: resourceIndicators(issuer, serviceAt, knownClient, accounts),
    },
    fetch: metadataDocuments.fetch as never,
    findAccount: async (ctx, sub, token) => {
      const proved = recordedBy(token)
      const account = await accounts.find(sub, knownClient(token?.client ?? ctx.oidc.client), proved.proofs)
      // The session of a deactivated user may still exist. Without this, the application would get an internal error.
      if (!account && !token) throw new errors.AccessDenied(undefined, 'the account may not be signed in')
      // A request for authorization leads to a page; what was issued before ends.
      if (!account || !token) return account
      const { grantId, kind, clientId = '' } = token as IssuedToken
      const { context } = account
      const client = knownClient(token.client ?? ctx.oidc.client)
      if (await rules.admits({ user_id: sub, context }, client, proved)) return account
      const told = client ?? withDocument(clientId)
      if (kind === 'RefreshToken' && grantId !== undefined)
        await (told ? grantLost(sub, told, grantId) : records.removeGrant(grantId))
      return undefined
    },
    interactions: {
      url: (_, { uid }) => `${issuer}/auth/consent/${uid}`,
      policy: policy(judgeRequest),
    },
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    jwks: { keys: engineKeys(keys) },
    loadExistingGrant: loadGrant(consents, knownClient, scopeClaims, judgeRequest),
    pkce: { required: (_, client) => knownClient(client)?.pkce ?? true },
    renderError: pages.error,
    responseTypes: ['code'],
    rotateRefreshToken: true,
    routes,
    scopes: [...userScopes],
    sectorIdentifierUriValidate: () => false,
    subjectTypes: ['public'],
    ttl: {
      // A plain number would override the lifetime that the resource sets for JWTs.
      AccessToken: (_, token) => token.resourceServer?.accessTokenTTL ?? hourSeconds,
      AuthorizationCode: 60,
      ClientCredentials: hourSeconds,
      DeviceCode: 600,
      Grant: refreshLifetime + daySeconds,
      IdToken: hourSeconds,
      Interaction: hourSeconds,
      // Counted from the sign-in, so that renewals do not extend it.
      RefreshToken: (_, token) => Math.max((token.iiat ?? now()) + refreshLifetime - now(), 1),
      Session: hourSeconds,
    },
  }
  const provider = new Provider(issuer, configuration)
  provider.proxy = true
  provider.on('authorization.accepted', (ctx) => void reportProof(ctx, knownClient(ctx.oidc.client)))

  adaptModels(provider, {
    clients,
    known,
    knownClient,
    provesItself,
    findByUserCode,
    tell,
    trust: (address, anywhere) => metadataDocuments.trust(address, anywhere),
  })
  const trustDocumentAddress = (address: string) => metadataDocuments.trustAsDocument(address)
  return { provider, mayTell, knownClient, trustDocumentAddress }
}
