import type * as Client from 'openid-client'
import { ProviderFault, type guardedFetch } from './guarded_fetch.ts'
import { KeysOf } from './jwks_cache.ts'
import type { KnownProvider } from './provider.ts'

/** Seconds that what discovery told is believed. */
const believed = 3600
/** Seconds within which a provider must have answered for people to be sent there. */
export const lately = 30

interface Held {
  /** Of which version of the provider. */
  readonly version: number
  readonly learned: number
  readonly metadata: Promise<Client.ServerMetadata>
  readonly keys: KeysOf
}

// Loaded when somebody first signs in with a provider: it takes a while.
let library: Promise<typeof Client> | undefined
export const load = () => (library ??= import('openid-client'))

const now = () => Math.floor(Date.now() / 1000)

/** What providers say of themselves (OpenID Connect Discovery section 4), kept for an hour. */
export class Discovery {
  readonly #fetch: ReturnType<typeof guardedFetch>
  readonly #held = new Map<string, Held>()

  constructor(fetch: ReturnType<typeof guardedFetch>) {
    this.#fetch = fetch
  }

  /** What is known of a provider, no older than so many seconds, or is being asked. */
  of(provider: KnownProvider, age = believed): Held {
    const { id, updated_at: version } = provider
    const held = this.#held.get(id)
    const known = held?.version === version ? held : undefined
    if (known && known.learned + age > now()) return known
    const fresh: Held = {
      version,
      learned: now(),
      metadata: provider.kind === 'oidc' ? this.#discover(provider) : this.#reach(provider),
      keys: known?.keys ?? new KeysOf(),
    }
    this.#held.set(id, fresh)
    // What failed is tried again by whoever comes next; until it has, all wait for the one try.
    fresh.metadata.catch(() => {
      if (this.#held.get(id) === fresh) this.#held.delete(id)
    })
    return fresh
  }

  async #discover(provider: KnownProvider): Promise<Client.ServerMetadata> {
    const client = await load()
    const config = await client.discovery(
      new URL(provider.issuer!),
      provider.client,
      undefined,
      client.None(),
      {
        [client.customFetch]: this.#fetch as Client.CustomFetch,
        execute: plain(provider) ? [client.allowInsecureRequests] : [],
        timeout: 5,
      },
    )
    const metadata = config.serverMetadata()
    // The library excuses some issuers; we excuse none.
    if (new URL(metadata.issuer).href !== new URL(provider.issuer!).href)
      throw new ProviderFault('untrusted', `the configuration is of the issuer ${metadata.issuer}`)
    if (metadata.authorization_endpoint === undefined || metadata.token_endpoint === undefined)
      throw new ProviderFault('nonsense', 'the configuration lacks its endpoints')
    refuseOddScheme(provider, metadata.authorization_endpoint)
    return { ...metadata } as Client.ServerMetadata
  }

  /** Any answer will do: there is nothing to be learned from it but that somebody is there. */
  async #reach(provider: KnownProvider): Promise<Client.ServerMetadata> {
    await this.#fetch(new URL(provider.token_endpoint!).origin)
    return written(provider)
  }

  forget({ id }: Pick<KnownProvider, 'id'>): void {
    this.#held.delete(id)
  }
}

/** Of somebody else's issuer only over TLS: what `providers_may_be_local` allowed is the one exception. */
export const plain = ({ issuer, token_endpoint }: KnownProvider): boolean =>
  (issuer ?? token_endpoint ?? '').startsWith('http:')

/** Where people are sent is a page, and over TLS. */
export const refuseOddScheme = (provider: KnownProvider, address: string): void => {
  const { protocol } = new URL(address)
  if (protocol !== 'https:' && !(protocol === 'http:' && plain(provider)))
    throw new ProviderFault('nonsense', `people are not sent to ${address}`)
}

/** A server without discovery: its endpoints are written down, and its issuer (RFC 9207) is where people are sent. */
const written = (provider: KnownProvider): Client.ServerMetadata =>
  ({
    issuer: new URL(provider.authorization_endpoint!).origin,
    authorization_endpoint: provider.authorization_endpoint!,
    token_endpoint: provider.token_endpoint!,
  }) as Client.ServerMetadata
