import type * as Client from 'openid-client'
import { guardedFetch, ProviderFault } from './guarded_fetch.ts'
import { Discovery, lately, load, plain, refuseOddScheme } from './discovery.ts'
import { fromAccount, fromClaims, isName, type Profile } from './profile.ts'
import type { KnownProvider } from './provider.ts'
import { toFault } from './provider_errors.ts'
import { now } from '../storage/ids.ts'
import { toTokens, type Tokens } from './token_response.ts'

/** What a sign-in on its way is bound by. */
export interface Checks {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** What came of a code. */
export interface Redeemed {
  readonly profile: Profile
  readonly tokens: Tokens
  readonly id_token: string
  /** The provider's session; empty where it has no name. */
  readonly sid: string
  /** When the person last proved themselves there, in Unix seconds; null where that is not told. */
  readonly auth_time: number | null
}

/** We, in front of providers: sends people there and judges what they come back with (OpenID Connect Core, RFC 6749, RFC 9700). */
export class RelyingParty {
  readonly fetch: ReturnType<typeof guardedFetch>
  readonly #discovery: Discovery

  constructor(mayBeLocal: () => Promise<boolean>) {
    this.fetch = guardedFetch(mayBeLocal)
    this.#discovery = new Discovery(this.fetch)
  }

  /**
   * Where the browser is sent. `anew` asks the provider to let the person prove themselves once more, whoever is signed in there, and
   * to tell when they did (OpenID Connect Core section 3.1.2.1).
   */
  async authorizationUrl(
    provider: KnownProvider,
    { state, nonce, verifier }: Checks,
    anew: boolean,
  ): Promise<URL> {
    return toFault(async () => {
      const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await load()
      const config = await this.#configuration(provider)
      const offline = offlineAccess(provider, config.serverMetadata())
      const proves = anew && provider.kind === 'oidc'
      const prompt = [...(proves ? ['login'] : []), ...(offline.consent ? ['consent'] : [])].join(' ')
      return buildAuthorizationUrl(config, {
        redirect_uri: provider.redirect_uri,
        scope: [...provider.scopes, ...(offline.scope ?? [])].join(' '),
        state,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(provider.kind === 'oidc' && { nonce }),
        ...(proves && { max_age: '0' }),
        ...offline.params,
        ...(prompt !== '' && { prompt }),
      })
    })
  }

  /** Redeems the code of an answer. Rejects with ProviderFault for anything that is not beyond doubt. */
  async redeem(provider: KnownProvider, answer: URLSearchParams, checks: Checks): Promise<Redeemed> {
    return toFault(async () => {
      const { authorizationCodeGrant } = await load()
      const config = await this.#configuration(provider)
      const oidc = provider.kind === 'oidc'
      // Where it comes it has to be right, whether it was promised or not (RFC 9207); the library takes an empty one for none.
      const issuers = answer.getAll('iss')
      if (oidc && issuers.some((issuer) => issuer !== config.serverMetadata().issuer))
        throw new ProviderFault('untrusted', 'the answer is of another issuer')
      // A server without discovery has told nobody what its issuer is called.
      if (!oidc) answer.delete('iss')
      const tokens = await authorizationCodeGrant(config, new URL(`${provider.redirect_uri}?${answer}`), {
        expectedState: checks.state,
        pkceCodeVerifier: checks.verifier,
        ...(oidc && { expectedNonce: checks.nonce, idTokenExpected: true }),
      })
      const claims = oidc ? tokens.claims()! : undefined
      if (claims) judgeClaims(claims, provider)
      return {
        profile: claims
          ? await this.#profile(provider, config, tokens.access_token, claims)
          : await this.#account(provider, config, tokens.access_token),
        tokens: toTokens(tokens),
        id_token: tokens.id_token ?? '',
        sid: isName(claims?.sid) ? claims.sid : '',
        auth_time: typeof claims?.auth_time === 'number' ? claims.auth_time : null,
      }
    })
  }

  /** Renews tokens; an ID token that comes along must be of the same issuer and subject (OpenID Connect Core section 12.2). */
  async refresh(provider: KnownProvider, refreshToken: string, subject: string): Promise<Tokens> {
    return toFault(async () => {
      const { refreshTokenGrant } = await load()
      const config = await this.#configuration(provider)
      const tokens = await refreshTokenGrant(config, refreshToken)
      const claims = tokens.claims()
      if (claims) {
        judgeClaims(claims, provider)
        if (claims.sub !== subject)
          throw new ProviderFault('untrusted', 'the renewed ID token is about somebody else')
      }
      const renewed = toTokens(tokens)
      return { ...renewed, refresh_token: renewed.refresh_token ?? refreshToken }
    })
  }

  /** Where the browser is sent to be signed out there too (OpenID Connect RP-Initiated Logout); undefined where there is no such place. */
  async endSessionUrl(provider: KnownProvider, idToken: string, back: string): Promise<string | undefined> {
    if (provider.kind !== 'oidc') return undefined
    return toFault(async () => {
      const { buildEndSessionUrl } = await load()
      const config = await this.#configuration(provider)
      const end = config.serverMetadata().end_session_endpoint
      if (end === undefined) return undefined
      refuseOddScheme(provider, end)
      const hint: Record<string, string> = idToken === '' ? {} : { id_token_hint: idToken }
      return buildEndSessionUrl(config, { post_logout_redirect_uri: back, ...hint }).href
    })
  }

  /** What the provider's discovery document says. */
  async metadata(provider: KnownProvider): Promise<Client.ServerMetadata> {
    return toFault(() => this.#discovery.of(provider).metadata)
  }

  /** Resolves for a provider that has answered within the last half minute, or does now: people are not sent to one that is gone. */
  async isThere(provider: KnownProvider): Promise<void> {
    await toFault(() => this.#discovery.of(provider, lately).metadata)
  }

  /** The provider's keys, asked for once more where this one is not among them. */
  async jwks(provider: KnownProvider, kid: string | undefined): Promise<Client.JWKS & { keys: object[] }> {
    return toFault(async () => {
      const { keys, metadata } = this.#discovery.of(provider)
      const { jwks_uri } = await metadata
      if (jwks_uri === undefined) throw new ProviderFault('nonsense', 'the configuration has no jwks_uri')
      return keys.holding(this.fetch, jwks_uri, kid)
    })
  }

  /** Forgets what was learned: the next sign-in asks anew. */
  forget(provider: KnownProvider): void {
    this.#discovery.forget(provider)
  }

  /** Our own proof at the token endpoint, as the provider wants it. */
  async #configuration(provider: KnownProvider): Promise<Client.Configuration> {
    const client = await load()
    const { metadata: learning, keys } = this.#discovery.of(provider)
    const metadata = await learning
    const auth = {
      client_secret_basic: () => client.ClientSecretBasic(provider.secret),
      client_secret_post: () => client.ClientSecretPost(provider.secret),
      none: () => client.None(),
    }[provider.client_auth]()
    const config = new client.Configuration(metadata, provider.client, undefined, auth)
    config[client.customFetch] = keys.watching(this.fetch, metadata.jwks_uri) as Client.CustomFetch
    config.timeout = 5
    if (plain(provider)) client.allowInsecureRequests(config)
    if (provider.kind === 'oidc') client.enableNonRepudiationChecks(config)
    const cached = keys.cached()
    if (cached) client.setJwksCache(config, cached)
    return config
  }

  async #profile(
    provider: KnownProvider,
    config: Client.Configuration,
    accessToken: string,
    claims: Client.IDToken,
  ): Promise<Profile> {
    if (config.serverMetadata().userinfo_endpoint === undefined) return fromClaims(provider, claims, {})
    const { fetchUserInfo } = await load()
    return fromClaims(provider, claims, await fetchUserInfo(config, accessToken, claims.sub))
  }

  async #account(
    provider: KnownProvider,
    config: Client.Configuration,
    accessToken: string,
  ): Promise<Profile> {
    const { fetchProtectedResource } = await load()
    const read = async (address: string): Promise<unknown> => {
      const headers = new Headers({ accept: 'application/json' })
      const answer = await fetchProtectedResource(
        config,
        accessToken,
        new URL(address),
        'GET',
        undefined,
        headers,
      )
      if (answer.status !== 200) throw new ProviderFault('nonsense', `${address} answered ${answer.status}`)
      return answer.json().catch(() => {
        throw new ProviderFault('nonsense', `${address} answered no JSON`)
      })
    }
    const account = await read(provider.userinfo_endpoint!)
    if (typeof account !== 'object' || account === null || Array.isArray(account))
      throw new ProviderFault('nonsense', `${provider.userinfo_endpoint} answered no object`)
    const emails = provider.emails_endpoint === null ? undefined : await read(provider.emails_endpoint)
    if (emails !== undefined && !Array.isArray(emails))
      throw new ProviderFault('nonsense', `${provider.emails_endpoint} answered no list`)
    return fromAccount(provider, account as Record<string, unknown>, emails)
  }
}

/** What the library leaves to us (OpenID Connect Core section 3.1.3.7, points 5 and 10). */
const judgeClaims = ({ azp, iat }: Client.IDToken, { client }: KnownProvider): void => {
  if (azp !== undefined && azp !== client)
    throw new ProviderFault('untrusted', 'the ID token was made for another client')
  if (iat > now() + 60) throw new ProviderFault('untrusted', 'the ID token is of the future')
}

/** What makes a provider give a token that outlasts the first hour, where we keep it. */
const offlineAccess = (
  { keep_tokens, preset, scopes, kind }: KnownProvider,
  { scopes_supported }: Client.ServerMetadata,
): { scope?: readonly string[]; params?: Record<string, string>; consent?: true } => {
  if (!keep_tokens || kind !== 'oidc') return {}
  if (preset === 'google') return { params: { access_type: 'offline' }, consent: true }
  if (!scopes.includes('offline_access') && !scopes_supported?.includes('offline_access')) return {}
  return { scope: scopes.includes('offline_access') ? [] : ['offline_access'], consent: true }
}
