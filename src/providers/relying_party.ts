import type * as Client from 'openid-client'
import { guardedFetch, ProviderFault, type GuardedFetch } from './guarded_fetch.ts'
import {
  Discovery,
  maxSilenceSeconds,
  loadOpenidClient,
  callsPlainHttp,
  refuseInsecureScheme,
} from './discovery.ts'
import { isName, type Profile } from './profile.ts'
import { accountOf, profileOf } from './profile_requests.ts'
import { clientAuthentication, type SecretBy } from './client_authentication.ts'
import { enteredHosts } from './endpoints.ts'
import { internally } from './internal_urls.ts'
import { fitsTemplate, isTemplate } from './issuer_template.ts'
import { leniently } from './lenient_responses.ts'
import type { KnownProvider } from './provider.ts'
import { withFaults } from './provider_errors.ts'
import { now } from '../storage/ids.ts'
import { methodsIn, type ReceivedClaims } from './received.ts'
import { TokenGrants, type Variation } from './token_grants.ts'
import { toTokens, type Tokens } from './token_response.ts'

/** The values that bind a callback to its sign-in. */
export interface Checks {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** The result of exchanging a code. */
export interface ExchangedCode {
  readonly profile: Profile
  /** What the profile was read from, within bounds. */
  readonly received: ReceivedClaims['claims']
  /** The same, all of it. */
  readonly said: ReceivedClaims['claims']
  readonly tokens: Tokens
  readonly id_token: string
  /** The id of the session at the provider; empty if it reports none. */
  readonly sid: string
  /** When the person last authenticated there, in Unix seconds; null if the provider does not report it. */
  readonly auth_time: number | null
  /** How they did, by the ID token alone: `acr` and the values of `amr`. */
  readonly methods: readonly string[]
}

/** Our side as a relying party: sends people to providers and verifies the responses (OpenID Connect Core, RFC 6749, RFC 9700). */
export class RelyingParty {
  readonly #mayBeLocal: () => Promise<boolean>
  readonly #discovery: Discovery
  readonly #grants: TokenGrants

  constructor(mayBeLocal: () => Promise<boolean>) {
    this.#mayBeLocal = mayBeLocal
    this.#discovery = new Discovery((provider) => this.fetchFor(provider))
    this.#grants = new TokenGrants(
      (provider) => this.#discovery.of(provider).metadata,
      (...about) => this.#configuration(...about),
    )
  }

  /** Returns `fetch` for the addresses of this provider. */
  fetchFor(provider: KnownProvider): GuardedFetch {
    const internal = provider.internal_urls.map((entry) => entry.internal)
    const fetch = guardedFetch(this.#mayBeLocal, enteredHosts(provider), internal)
    return internally(fetch, provider.internal_urls)
  }

  /**
   * Returns the URL that the browser opens. `anew` asks the provider to authenticate the person again, even if they are signed in
   * there, and to report when they did (OpenID Connect Core section 3.1.2.1).
   */
  async authorizationUrl(
    provider: KnownProvider,
    { state, nonce, verifier }: Checks,
    { anew, choose }: { readonly anew: boolean; readonly choose: boolean },
  ): Promise<URL> {
    return withFaults(async () => {
      const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await loadOpenidClient()
      const config = await this.#configuration(provider, 'none')
      const offline = offlineAccess(provider, config.serverMetadata())
      const proves = anew && provider.kind === 'oidc'
      const prompt = [
        ...(proves ? ['login'] : []),
        ...(choose ? ['select_account'] : []),
        ...(offline.consent ? ['consent'] : []),
      ].join(' ')
      return buildAuthorizationUrl(config, {
        redirect_uri: provider.redirect_uri,
        scope: [...provider.scopes, ...(offline.scope ?? [])].join(' '),
        state,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(provider.response_mode === 'form_post' && { response_mode: 'form_post' }),
        ...(provider.kind === 'oidc' && { nonce }),
        ...(proves && { max_age: '0' }),
        ...offline.params,
        ...(prompt !== '' && { prompt }),
      })
    })
  }

  /** Exchanges the code of a response. Rejects with ProviderFault unless every check passes. */
  async exchangeCode(
    provider: KnownProvider,
    answer: URLSearchParams,
    checks: Checks,
  ): Promise<ExchangedCode> {
    return withFaults(async () => {
      const { authorizationCodeGrant } = await loadOpenidClient()
      const { issuer } = await this.#discovery.of(provider).metadata
      const oidc = provider.kind === 'oidc'
      // If `iss` is present it must be right, even if the metadata does not announce it (RFC 9207). The library ignores an empty one.
      const issuers = answer.getAll('iss')
      if (oidc && issuers.some((one) => one !== issuer && !(isTemplate(issuer) && fitsTemplate(issuer, one))))
        throw new ProviderFault('untrusted', 'the response is from another issuer')
      // We do not know the issuer of a server without discovery, so we cannot check it; that of a template is compared below.
      if (!oidc || isTemplate(issuer)) answer.delete('iss')
      const { tokens, config } = await this.#grants.request(provider, (config) =>
        authorizationCodeGrant(config, new URL(`${provider.redirect_uri}?${answer}`), {
          expectedState: checks.state,
          pkceCodeVerifier: checks.verifier,
          ...(oidc && { expectedNonce: checks.nonce, idTokenExpected: true }),
        }),
      )
      const claims = oidc ? tokens.claims()! : undefined
      if (claims && isTemplate(issuer) && issuers.some((one) => one !== claims.iss))
        throw new ProviderFault('untrusted', 'the response is from another tenant')
      if (claims) judgeClaims(claims, provider)
      // Every tenant chooses the addresses of its people.
      const about = isTemplate(issuer) ? { ...provider, email_trusted: false } : provider
      const read = claims
        ? await profileOf(about, config, tokens.access_token, claims)
        : await accountOf(provider, config, tokens.access_token)
      return {
        ...read,
        tokens: toTokens(tokens),
        id_token: tokens.id_token ?? '',
        sid: isName(claims?.sid) ? claims.sid : '',
        auth_time: typeof claims?.auth_time === 'number' ? claims.auth_time : null,
        methods: methodsIn(claims),
      }
    })
  }

  /** Renews tokens. An ID token in the response must have the same issuer and subject (OpenID Connect Core section 12.2). */
  async refresh(provider: KnownProvider, refreshToken: string, subject: string): Promise<Tokens> {
    return withFaults(async () => {
      const { refreshTokenGrant } = await loadOpenidClient()
      const { tokens } = await this.#grants.request(provider, (config) =>
        refreshTokenGrant(config, refreshToken),
      )
      const claims = tokens.claims()
      if (claims) {
        judgeClaims(claims, provider)
        if (claims.sub !== subject)
          throw new ProviderFault('untrusted', 'the renewed ID token is about another person')
      }
      const renewed = toTokens(tokens)
      return { ...renewed, refresh_token: renewed.refresh_token ?? refreshToken }
    })
  }

  /** Returns the URL that signs the person out at the provider (OpenID Connect RP-Initiated Logout), or undefined if it has none. */
  async endSessionUrl(provider: KnownProvider, idToken: string, back: string): Promise<string | undefined> {
    if (provider.kind !== 'oidc') return undefined
    return withFaults(async () => {
      const { buildEndSessionUrl } = await loadOpenidClient()
      const config = await this.#configuration(provider, 'none')
      const end = config.serverMetadata().end_session_endpoint
      if (end === undefined) return undefined
      refuseInsecureScheme(provider, end)
      const hint: Record<string, string> = idToken === '' ? {} : { id_token_hint: idToken }
      return buildEndSessionUrl(config, { post_logout_redirect_uri: back, ...hint }).href
    })
  }

  /** Returns the provider's metadata. */
  async metadata(provider: KnownProvider): Promise<Client.ServerMetadata> {
    return withFaults(() => this.#discovery.of(provider).metadata)
  }

  /** Resolves if the provider has answered within the last half minute or answers now, so that nobody is sent to a dead provider. */
  async assertReachable(provider: KnownProvider): Promise<void> {
    await withFaults(() => this.#discovery.of(provider, maxSilenceSeconds).metadata)
  }

  /** Returns the provider's keys, fetched again if `kid` is not among them. */
  async jwks(provider: KnownProvider, kid: string | undefined): Promise<Client.JWKS & { keys: object[] }> {
    return withFaults(async () => {
      const { keys, metadata } = this.#discovery.of(provider)
      const { jwks_uri } = await metadata
      if (jwks_uri === undefined) throw new ProviderFault('nonsense', 'the configuration has no jwks_uri')
      return keys.jwks(this.fetchFor(provider), jwks_uri, kid)
    })
  }

  /** Clears the cached metadata, so that the next sign-in fetches it again. */
  forget(provider: KnownProvider): void {
    this.#discovery.forget(provider)
  }

  /** Configures the library, including how we authenticate at the token endpoint. */
  async #configuration(
    provider: KnownProvider,
    by: SecretBy,
    { issuer, wrap = (fetch) => fetch }: Variation = {},
  ): Promise<Client.Configuration> {
    const client = await loadOpenidClient()
    const { metadata: pendingMetadata, keys } = this.#discovery.of(provider)
    const metadata = await pendingMetadata
    const auth = await clientAuthentication(provider, by)
    const about = issuer === undefined ? metadata : { ...metadata, issuer }
    const config = new client.Configuration(about, provider.client, undefined, auth)
    const fetch = keys.wrap(this.fetchFor(provider), metadata.jwks_uri)
    config[client.customFetch] = wrap(
      leniently(fetch, metadata.token_endpoint, provider),
    ) as Client.CustomFetch
    config.timeout = 5
    if (callsPlainHttp(provider)) client.allowInsecureRequests(config)
    if (provider.kind === 'oidc') client.enableNonRepudiationChecks(config)
    const cached = keys.cached()
    if (cached) client.setJwksCache(config, cached)
    return config
  }
}

/** Checks that the library leaves to us (OpenID Connect Core section 3.1.3.7, points 5 and 10). */
const judgeClaims = ({ azp, iat }: Client.IDToken, { client }: KnownProvider): void => {
  if ((azp ?? '') !== '' && azp !== client)
    throw new ProviderFault('untrusted', 'the ID token was made for another client')
  if (iat > now() + 60) throw new ProviderFault('untrusted', 'the ID token was issued in the future')
}

/** The parameters that make a provider issue a refresh token, if we keep its tokens. */
const offlineAccess = (
  { keep_tokens, preset, scopes, kind }: KnownProvider,
  { scopes_supported }: Client.ServerMetadata,
): { scope?: readonly string[]; params?: Record<string, string>; consent?: true } => {
  if (!keep_tokens || kind !== 'oidc') return {}
  if (preset === 'google') return { params: { access_type: 'offline' }, consent: true }
  if (!scopes.includes('offline_access') && !scopes_supported?.includes('offline_access')) return {}
  return { scope: scopes.includes('offline_access') ? [] : ['offline_access'], consent: true }
}
