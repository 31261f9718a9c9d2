import type * as Client from 'openid-client'
import { ProviderFault, type GuardedFetch } from './guarded_fetch.ts'
import { fitsTemplate } from './issuer_template.ts'
import { lenientMetadata } from './lenient_responses.ts'
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
    const address = `${provider.issuer!.replace(/\/$/, '')}/.well-known/openid-configuration`
    const answer = await this.#fetchFor(provider)(address, { headers: { accept: 'application/json' } })
    if (answer.status !== 200) throw new ProviderFault('nonsense', `${address} answered ${answer.status}`)
    const found: unknown = await answer.json().catch(() => undefined)
    if (typeof found !== 'object' || found === null || Array.isArray(found))
      throw new ProviderFault('nonsense', `${address} did not return a JSON object`)
    const metadata = lenientMetadata(found)
    const { issuer } = metadata
    if (typeof issuer !== 'string' || !URL.canParse(issuer))
      throw new ProviderFault('nonsense', `${address} has no issuer`)
    if (new URL(issuer).href !== new URL(provider.issuer!).href && !fitsTemplate(issuer, provider.issuer!))
      throw new ProviderFault('untrusted', `the configuration is for another issuer: ${issuer}`)
    if (metadata.authorization_endpoint === undefined || metadata.token_endpoint === undefined)
      throw new ProviderFault('nonsense', 'the configuration lacks its endpoints')
    refuseInsecureScheme(provider, metadata.authorization_endpoint)
    return metadata
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

/** Whether the library may call plain http: our own `fetch` allows it for exactly the addresses that an administrator entered. */
export const callsPlainHttp = (provider: KnownProvider): boolean =>
  usesPlainHttp(provider) || provider.internal_urls.some(({ internal }) => internal.startsWith('http:'))

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
