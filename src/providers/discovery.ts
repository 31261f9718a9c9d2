import type * as Client from 'openid-client'
import { ProviderFault, type GuardedFetch } from './guarded_fetch.ts'
import { JwksCache } from './jwks_cache.ts'
import type { KnownProvider } from './provider.ts'

const metadataLifetimeSeconds = 3600
/** Send people to a provider only if it has answered within this many seconds. */
export const maxSilenceSeconds = 30

interface Held {
  /** The version of the provider's row to which the metadata belongs. */
  readonly version: number
  readonly requestedAt: number
  readonly metadata: Promise<Client.ServerMetadata>
  readonly keys: JwksCache
}

// Loaded at the first sign-in with a provider, because loading is slow.
let library: Promise<typeof Client> | undefined
export const loadOpenidClient = () => (library ??= import('openid-client'))

const now = () => Math.floor(Date.now() / 1000)

/** The metadata of providers (OpenID Connect Discovery section 4), cached for an hour. */
export class Discovery {
  readonly #fetchFor: (provider: KnownProvider) => GuardedFetch
  readonly #held = new Map<string, Held>()

  constructor(fetchFor: (provider: KnownProvider) => GuardedFetch) {
    this.#fetchFor = fetchFor
  }

  /** Returns the cached metadata of a provider if it is not older than `maxAgeSeconds`, or requests it. */
  of(provider: KnownProvider, maxAgeSeconds = metadataLifetimeSeconds): Held {
    const { id, updated_at: version } = provider
    const held = this.#held.get(id)
    const known = held?.version === version ? held : undefined
    if (known && known.requestedAt + maxAgeSeconds > now()) return known
    const fresh: Held = {
      version,
      requestedAt: now(),
      metadata: provider.kind === 'oidc' ? this.#discover(provider) : this.#reach(provider),
      keys: known?.keys ?? new JwksCache(),
    }
    this.#held.set(id, fresh)
    // All callers share one request. After a failure, the next caller tries again.
    fresh.metadata.catch(() => {
      if (this.#held.get(id) === fresh) this.#held.delete(id)
    })
    return fresh
  }

  async #discover(provider: KnownProvider): Promise<Client.ServerMetadata> {
    const client = await loadOpenidClient()
    const config = await client.discovery(
      new URL(provider.issuer!),
      provider.client,
      undefined,
      client.None(),
      {
        [client.customFetch]: this.#fetchFor(provider) as Client.CustomFetch,
        execute: usesPlainHttp(provider) ? [client.allowInsecureRequests] : [],
        timeout: 5,
      },
    )
    const metadata = config.serverMetadata()
    // The library accepts a wrong issuer from some providers. We accept none.
    if (new URL(metadata.issuer).href !== new URL(provider.issuer!).href)
      throw new ProviderFault('untrusted', `the configuration is for another issuer: ${metadata.issuer}`)
    if (metadata.authorization_endpoint === undefined || metadata.token_endpoint === undefined)
      throw new ProviderFault('nonsense', 'the configuration lacks its endpoints')
    refuseInsecureScheme(provider, metadata.authorization_endpoint)
    return { ...metadata } as Client.ServerMetadata
  }

  /** Checks only that the server answers, whatever the response. */
  async #reach(provider: KnownProvider): Promise<Client.ServerMetadata> {
    await this.#fetchFor(provider)(new URL(provider.token_endpoint!).origin)
    return staticMetadata(provider)
  }

  forget({ id }: Pick<KnownProvider, 'id'>): void {
    this.#held.delete(id)
  }
}

/** Whether plain HTTP is allowed: only for a provider whose own address is http, which `providers_may_be_local` permitted. */
export const usesPlainHttp = ({ issuer, token_endpoint }: KnownProvider): boolean =>
  (issuer ?? token_endpoint ?? '').startsWith('http:')

/** Refuses to send people to anything but an https page. */
export const refuseInsecureScheme = (provider: KnownProvider, address: string): void => {
  const { protocol } = new URL(address)
  if (protocol !== 'https:' && !(protocol === 'http:' && usesPlainHttp(provider)))
    throw new ProviderFault('nonsense', `we do not send people to ${address}`)
}

/** The metadata of a server without discovery, from its configured endpoints. Its issuer (RFC 9207) is the origin of its sign-in page. */
const staticMetadata = (provider: KnownProvider): Client.ServerMetadata =>
  ({
    issuer: new URL(provider.authorization_endpoint!).origin,
    authorization_endpoint: provider.authorization_endpoint!,
    token_endpoint: provider.token_endpoint!,
  }) as Client.ServerMetadata
