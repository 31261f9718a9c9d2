import { errors, type ClientMetadata, type KoaContextWithOIDC } from 'oidc-provider'
import { checkRedirectUris, isLoopback } from '../clients/redirect_uris.ts'
import { AppError } from '../contract/errors.ts'
import { boundedMap } from '../storage/bounded_map.ts'
import { isAnyJson } from '../wire/media_type.ts'
import { PerMinute } from './rate_limit.ts'
import { isShowable } from './registration_request.ts'

/** `public` is at public addresses only; `anywhere` also in our own network and on this machine. */
export type DocumentMode = 'off' | 'public' | 'anywhere'

/** What the engine fetches with: its dispatcher breaks connections to addresses that are not public, whatever was resolved. */
type Options = RequestInit & { dispatcher?: unknown }

/** Longest client_id that is an address, and how many one network and all together have us ask for in a minute. */
const longest = 500
const mostOfNetwork = 20
const mostOfAll = 120
const mostAsked = 1000

/**
 * Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document): an https address is the client_id, and what is
 * there says what the client is. The engine fetches and reads them; here is what it may fetch, how often, and which clients are
 * let in. It fetches nothing else but what an administrator named.
 */
export class MetadataDocuments {
  readonly #mode: DocumentMode
  readonly #asked = boundedMap<true>(mostAsked)
  readonly #requests = new WeakSet<object>()
  readonly #trusted = new Map<string, boolean>()
  readonly #isLetIn: (client: string) => Promise<boolean>
  /** Whatever strangers name is asked of others by us: not often. */
  readonly #often = new PerMinute(mostOfNetwork, mostOfAll)
  /** Beyond that what somebody has let in already: strangers cannot have those wait who use it. */
  readonly #more = new PerMinute(mostOfNetwork)

  /** `isLetIn` tells whether anybody allowed this client something. */
  constructor(mode: DocumentMode, isLetIn: (client: string) => Promise<boolean>) {
    this.#mode = mode
    this.#isLetIn = isLetIn
  }

  /** An address that is called by us: `anywhere` if an administrator gave it, who knows that it may be near. */
  trust(address: string, anywhere: boolean): void {
    this.#trusted.set(address, anywhere)
  }

  get feature() {
    return {
      // The draft that the engine follows; a newer one may be called otherwise.
      ack: 'draft-02',
      enabled: this.#mode !== 'off',
      cacheDuration: { min: 300, max: 86_400 },
      allowFetch: async (ctx: KoaContextWithOIDC | undefined, id: string) => {
        // It looks once more for whom to tell of an error, which was that it found nothing.
        if (ctx && this.#requests.has(ctx)) return false
        if (ctx) this.#requests.add(ctx)
        if (id.length > longest) return false
        const few = this.#often.allows(ctx?.ip)
        if (!few && !(this.#more.allows(ctx?.ip) && (await this.#isLetIn(id)))) return false
        this.#asked.set(new URL(id).href, true)
        return true
      },
      allowClient: (_: unknown, client: object) => {
        check((client as { metadata(): ClientMetadata }).metadata())
        return true
      },
    }
  }

  readonly fetch = async (url: string | URL, options: Options): Promise<Response> => {
    const address = new URL(url).href
    // It is told there, which is a POST; what strangers have us GET is never named by anybody.
    const named = options.method === 'POST' ? this.#trusted.get(address) : undefined
    const isDocument = named === undefined && this.#asked.has(address) && options.method === 'GET'
    if (named === undefined && !isDocument) throw new TypeError('not an address that we ask')
    const anywhere = named ?? this.#mode === 'anywhere'
    if (!anywhere && !options.dispatcher) throw new TypeError('nothing guards addresses that are not public')
    const { dispatcher: _, ...free } = options
    const answer = await fetch(url, { ...(anywhere ? free : options), redirect: 'manual' } as RequestInit)
    if (!isDocument || answer.status !== 200 || isAnyJson(answer.headers.get('content-type'))) return answer
    await answer.body?.cancel()
    throw new TypeError('not JSON')
  }
}

/** A stranger signs people in, with their consent, and does nothing else. */
const check = (client: ClientMetadata): void => {
  const must = (holds: boolean, problem: string) => {
    if (!holds) throw new errors.InvalidClientMetadata(problem)
  }
  const { redirect_uris = [], post_logout_redirect_uris = [], grant_types = [], jwks, jwks_uri } = client
  const native = client.application_type === 'native'
  try {
    checkRedirectUris('redirect_uris', redirect_uris, native)
    checkRedirectUris('post_logout_redirect_uris', post_logout_redirect_uris as string[], native)
  } catch (error) {
    if (error instanceof AppError) throw new errors.InvalidClientMetadata(error.message)
    throw error
  }
  const { client_name } = client
  must(
    client_name === undefined || isShowable(client_name),
    'client_name must be one line of 1 to 100 visible characters',
  )
  must(redirect_uris.length > 0, 'redirect_uris must name at least one address')
  for (const uri of [...redirect_uris, ...(post_logout_redirect_uris as string[])])
    must(!/^http:/i.test(uri) || isLoopback(uri), 'addresses must be https, or http at a loopback address')
  const may = ['authorization_code', 'refresh_token']
  must(
    grant_types.every((grant) => may.includes(grant)),
    `grant_types must be of ${may.join(', ')}`,
  )
  must(jwks_uri === undefined, 'jwks_uri is not asked: give jwks')
  must(client.token_endpoint_auth_method === 'none' || jwks !== undefined, 'jwks must be given')
}
