import { isName } from '../contract/names.ts'
import { setTimeout } from 'node:timers/promises'
import { errors, type ClientMetadata, type KoaContextWithOIDC } from 'oidc-provider'
import { checkRedirectUris, isLoopback, looksNative } from '../clients/redirect_uris.ts'
import { AppError } from '../contract/errors.ts'
import { boundedMap } from '../storage/bounded_map.ts'
import { isAnyJson } from '../wire/media_type.ts'
import { sendPublicly } from '../wire/outgoing_request.ts'
import { MinuteLimit } from './rate_limit.ts'

/** `public` allows documents at public addresses only, `anywhere` also in our own network and on this machine. */
export type DocumentMode = 'off' | 'public' | 'anywhere'

const maxClientIdLength = 500
/** How many documents we fetch in a minute on behalf of one network, and in total. */
const maxPerMinuteOfNetwork = 20
const maxPerMinute = 120
const maxRememberedUrls = 1000
const maxResponseBytes = 65_536
/** How long a fetch may take, and how long each failed one takes: below the limit of the engine. */
const fetchMs = 2000

/**
 * Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document): the client_id is an https URL, and the document there
 * describes the client. The engine fetches and reads documents. This class decides what it may fetch, how often, and which clients
 * it accepts. Apart from documents, the engine only calls addresses that an administrator entered or a registered client named.
 */
export class MetadataDocuments {
  readonly #mode: DocumentMode
  readonly #allowedUrls = boundedMap<true>(maxRememberedUrls)
  readonly #requests = new WeakSet<object>()
  readonly #trusted = new Map<string, boolean>()
  readonly #hasConsent: (client: string) => Promise<boolean>
  /** Strangers choose these addresses, so we limit how often they make us call other servers. */
  readonly #strangers = new MinuteLimit(maxPerMinuteOfNetwork, maxPerMinute)
  /** A separate budget for clients that a user has consented to, so that strangers cannot block them. */
  readonly #consented = new MinuteLimit(maxPerMinuteOfNetwork)

  /** `isLetIn` returns whether any user has given this client consent. */
  constructor(mode: DocumentMode, isLetIn: (client: string) => Promise<boolean>) {
    this.#mode = mode
    this.#hasConsent = isLetIn
  }

  /** Allows POST calls to an address: `anywhere` if an administrator entered it, otherwise at public addresses only. */
  trust(address: string, anywhere: boolean): void {
    this.#trusted.set(address, anywhere)
  }

  /** The same for an address that a metadata document names. A stranger chose it, so it never widens what another client may. */
  trustAsDocument(address: string): void {
    if (!this.#trusted.has(address)) this.#trusted.set(address, this.#mode === 'anywhere')
  }

  get feature() {
    return {
      // The engine's name for the draft that it implements.
      ack: 'draft-02',
      enabled: this.#mode !== 'off',
      cacheDuration: { min: 300, max: 86_400 },
      allowFetch: async (ctx: KoaContextWithOIDC | undefined, id: string) => {
        // When the document was not found, the engine tries again to find out where to report the error.
        if (ctx && this.#requests.has(ctx)) return false
        if (ctx) this.#requests.add(ctx)
        if (id.length > maxClientIdLength) return false
        const withinLimit = this.#strangers.count(ctx?.ip)
        if (!withinLimit && !(this.#consented.count(ctx?.ip) && (await this.#hasConsent(id)))) return false
        this.#allowedUrls.set(new URL(id).href, true)
        return true
      },
      allowClient: (_: unknown, client: object) => {
        check((client as { metadata(): ClientMetadata }).metadata())
        return true
      },
    }
  }

  /** `fetch` for the engine. A failed fetch of a document always takes the same time, so that nobody can scan ports by it. */
  readonly fetch = async (url: string | URL, options: RequestInit): Promise<Response> => {
    const address = new URL(url)
    // We POST to trusted addresses only, and GET metadata documents only.
    const trusted = options.method === 'POST' ? this.#trusted.get(address.href) : undefined
    const isDocument =
      trusted === undefined && this.#allowedUrls.has(address.href) && options.method === 'GET'
    if (trusted === undefined && !isDocument) throw new TypeError('not an address that we may call')
    const anywhere = trusted ?? this.#mode === 'anywhere'
    if (!isDocument) return send(address, options, anywhere)
    const pause = setTimeout(fetchMs, undefined, { ref: false })
    try {
      const answer = await send(address, options, anywhere)
      if (answer.status !== 200) throw new TypeError(`the status is ${answer.status}`)
      if (!isAnyJson(answer.headers.get('content-type'))) throw new TypeError('not JSON')
      return new Response(withApplicationType(await answer.text()), answer)
    } catch (error) {
      await pause
      throw error
    }
  }
}

/** As in registration, the redirect URIs of a document show a native app that does not declare itself. Other text stays as it is. */
const withApplicationType = (text: string): string => {
  const document = readObject(text)
  const { application_type, redirect_uris } = document ?? {}
  const uris = Array.isArray(redirect_uris) ? redirect_uris.filter((uri) => typeof uri === 'string') : []
  const isSilent = (application_type ?? undefined) === undefined
  return document && isSilent && looksNative(uris)
    ? JSON.stringify({ ...document, application_type: 'native' })
    : text
}

const readObject = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

const send = (url: URL, { method, headers, body }: RequestInit, anywhere: boolean): Promise<Response> =>
  sendPublicly(url, { method, headers, body, timeoutMs: fetchMs, maxResponseBytes, anywhere })

/** Accepts only clients that sign people in with their consent. A stranger may do nothing else. */
const check = (client: ClientMetadata): void => {
  const must = (holds: boolean, problem: string) => {
    if (!holds) throw new errors.InvalidClientMetadata(problem)
  }
  const { redirect_uris = [], post_logout_redirect_uris = [], grant_types = [], jwks, jwks_uri } = client
  const native = client.application_type === 'native'
  try {
    checkRedirectUris('redirect_uris', redirect_uris, { native })
    checkRedirectUris('post_logout_redirect_uris', post_logout_redirect_uris as string[], { native })
  } catch (error) {
    if (error instanceof AppError) throw new errors.InvalidClientMetadata(error.message)
    throw error
  }
  const { client_name } = client
  must(
    client_name === undefined || isName(client_name),
    'client_name must be one line of 1 to 80 visible characters, with a letter or digit',
  )
  must(redirect_uris.length > 0, 'redirect_uris must name at least one address')
  for (const uri of [...redirect_uris, ...(post_logout_redirect_uris as string[])])
    must(!/^http:/i.test(uri) || isLoopback(uri), 'addresses must be https, or http at a loopback address')
  const may = ['authorization_code', 'refresh_token']
  must(
    grant_types.every((grant) => may.includes(grant)),
    `grant_types must be of ${may.join(', ')}`,
  )
  const logout = client.backchannel_logout_uri as string | undefined
  must(logout === undefined || logout.startsWith('https://'), 'backchannel_logout_uri must be https')
  must(jwks_uri === undefined, 'jwks_uri is not supported: use jwks')
  must(client.token_endpoint_auth_method === 'none' || jwks !== undefined, 'jwks must be given')
}
