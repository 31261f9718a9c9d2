import type * as Client from 'openid-client'
import { secretBy, type SecretBy } from './client_authentication.ts'
import type { GuardedFetch } from './guarded_fetch.ts'
import { issuerOf, isTemplate } from './issuer_template.ts'
import type { KnownProvider } from './provider.ts'
import { asFault } from './provider_errors.ts'

/** What differs from the usual configuration of a provider. */
export interface Variation {
  readonly issuer?: string
  readonly wrap?: (fetch: GuardedFetch) => GuardedFetch
}

type Tokens = Client.TokenEndpointResponse & Client.TokenEndpointResponseHelpers
type Request = (config: Client.Configuration) => Promise<Tokens>
interface Granted {
  readonly tokens: Tokens
  readonly config: Client.Configuration
}

/** Requests to token endpoints, whatever way of authentication and whatever issuer the response turns out to need. */
export class TokenGrants {
  readonly #metadata: TokenMetadata
  readonly #configure: Configure
  /** The providers that took the secret in the form only, by id, with the version of their row. */
  readonly #takesForm = new Map<string, number>()

  constructor(metadata: TokenMetadata, configure: Configure) {
    this.#metadata = metadata
    this.#configure = configure
  }

  /** Makes a request. Rejects with what the library throws. */
  async request(provider: KnownProvider, request: Request): Promise<Granted> {
    const chosen = secretBy(provider, await this.#metadata(provider))
    const isGuess = provider.client_auth === 'auto' && chosen === 'client_secret_basic'
    if (!isGuess) return this.#asTenant(provider, chosen, request)
    if (this.#takesForm.get(provider.id) === provider.updated_at)
      return this.#asTenant(provider, 'client_secret_post', request)
    try {
      return await this.#asTenant(provider, chosen, request)
    } catch (error) {
      // A provider that does not know us has not looked at the code yet.
      if (asFault(error).fault !== 'client') throw error
      const granted = await this.#asTenant(provider, 'client_secret_post', request)
      this.#takesForm.set(provider.id, provider.updated_at)
      return granted
    }
  }

  /** The issuer of a template is known only once the response is there, which is then checked with that issuer. */
  async #asTenant(provider: KnownProvider, by: SecretBy, request: Request): Promise<Granted> {
    const { issuer: template, token_endpoint } = await this.#metadata(provider)
    if (!isTemplate(template)) {
      const config = await this.#configure(provider, by)
      return { tokens: await request(config), config }
    }
    let received: { readonly text: string; readonly answer: Response } | undefined
    const keeping =
      (fetch: GuardedFetch): GuardedFetch =>
      async (url, init) => {
        const answer = await fetch(url, init)
        if (String(url) !== token_endpoint) return answer
        const text = await answer.text()
        received = { text, answer }
        return new Response(text, answer)
      }
    const first = await this.#configure(provider, by, { wrap: keeping })
    const failure: unknown = await request(first).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (received?.answer.status !== 200) throw failure
    const { text, answer } = received
    const issuer = issuerOf(template, tenantIn(text))
    const again =
      (fetch: GuardedFetch): GuardedFetch =>
      (url, init) =>
        String(url) === token_endpoint ? Promise.resolve(new Response(text, answer)) : fetch(url, init)
    const config = await this.#configure(provider, by, { issuer, wrap: again })
    return { tokens: await request(config), config }
  }
}

type TokenMetadata = (provider: KnownProvider) => Promise<Client.ServerMetadata>
type Configure = (
  provider: KnownProvider,
  by: SecretBy,
  variation?: Variation,
) => Promise<Client.Configuration>

/** The tenant that an ID token names, before it is verified. */
const tenantIn = (text: string): unknown => {
  try {
    const { id_token } = JSON.parse(text) as { id_token?: unknown }
    const payload = Buffer.from(String(id_token).split('.')[1] ?? '', 'base64url').toString()
    return (JSON.parse(payload) as { tid?: unknown }).tid
  } catch {
    return undefined
  }
}
