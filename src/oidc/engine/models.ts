import { errors, Provider, type KoaContextWithOIDC } from 'oidc-provider'
import type { ClientWithCredentials } from '../../clients/client.ts'
import type { Clients } from '../../clients/clients.ts'
import { isPrivateHttp } from '../../clients/redirect_uris.ts'
import { AppError } from '../../contract/errors.ts'
import { newId } from '../../storage/ids.ts'
import { mapped } from '../accounts.ts'
import { findMaskedJwt, type TellToken } from '../jwt_introspection.ts'
import { MinuteLimit } from '../rate_limit.ts'
import { tokenPrefixes } from './records.ts'

/** Checks of secrets that an attacker could guess. Each throws rate_limited after too many wrong guesses. */
export interface GuardedChecks {
  /** Whether a client knows its secret. */
  readonly provesItself: (client: ClientWithCredentials, secret: string, address: string) => Promise<boolean>
  /** Calls `find` for a code that somebody typed (RFC 8628 section 5.1). `user` is the id of the signed-in user. */
  readonly findByUserCode: <T>(
    find: () => Promise<T | undefined>,
    user: string | undefined,
    address: string,
  ) => Promise<T | undefined>
}

/** How many records strangers of one network may create in a minute. Each lives for about an hour. */
const maxRecordsPerMinute = 300

interface Parts extends GuardedChecks {
  readonly clients: Clients
  readonly tell: TellToken
  /** The client as we know it, by the engine's object for it. */
  readonly known: WeakMap<object, ClientWithCredentials>
  readonly knownClient: (client: object | undefined) => ClientWithCredentials | undefined
  /** Lets the engine call an address: `anywhere` if it may be in a private network. */
  readonly trust: (address: string, anywhere: boolean) => void
}

/** Replaces methods of the engine's models with our own. */
export const adaptModels = (provider: Provider, parts: Parts): void => {
  findOurClients(provider, parts)
  takePrivateHttp(provider)
  findJwts(provider, parts)
  guardGuesses(provider, parts)
  limitStrangers(provider, parts)
  markTokens(provider)
  keepMapped(provider)
  sayHowProved(provider)
}

const findOurClients = ({ Client }: Provider, { clients, known, trust }: Parts): void => {
  const find = Client.find.bind(Client)
  /** The engine's client object by our own object, which every change to a client replaces. */
  const engineClients = new WeakMap<ClientWithCredentials, InstanceType<typeof Client>>()
  Client.find = async (id) => {
    const knownClient = await clients.find(id)
    if (!knownClient) return find(id)
    const client = engineClients.get(knownClient) ?? (await find(id))
    if (!client) return undefined
    engineClients.set(knownClient, client)
    known.set(client, knownClient)
    const { backchannel_logout_uri: uri, dynamic } = knownClient
    if (uri !== null) trust(new URL(uri).href, !dynamic)
    return client
  }
}

/** The introspection endpoint reads our JWTs too, which the engine does not store. */
const findJwts = ({ AccessToken }: Provider, { tell }: Parts): void => {
  const find = AccessToken.find.bind(AccessToken)
  AccessToken.find = async (value: string, options?: object) => {
    const jwt = Provider.ctx?.oidc.route === 'introspection' ? await findMaskedJwt(value, tell) : undefined
    return (jwt ?? find(value, options)) as never
  }
}

/** The engine takes no http address of a native client but loopback. An administrator may enter one in a private network, and nobody else. */
const takePrivateHttp = ({ Client }: Provider): void => {
  const { prototype } = (Client as unknown as { readonly Schema: { readonly prototype: ClientSchema } })
    .Schema
  const { redirectUris } = prototype
  prototype.redirectUris = function (this: ClientSchema, uris = this.redirect_uris, label) {
    const isNative = this.application_type === 'native'
    redirectUris.call(this, isNative ? uris.filter((uri) => !isPrivateHttp(uri)) : uris, label)
  }
}

interface ClientSchema {
  readonly application_type?: string
  readonly redirect_uris: readonly string[]
  redirectUris(this: ClientSchema, uris?: readonly string[], label?: string): void
}

const guardGuesses = ({ Client, DeviceCode }: Provider, parts: Parts): void => {
  const { knownClient, provesItself, findByUserCode } = parts
  Client.prototype.compareClientSecret = async function (this: object, secret: string) {
    const client = knownClient(this)
    return client !== undefined && (await asTooMany(provesItself(client, secret, Provider.ctx!.ip)))
  } as never
  const find = DeviceCode.findByUserCode.bind(DeviceCode)
  DeviceCode.findByUserCode = async (code, options) => {
    const { ip, oidc } = Provider.ctx!
    return asTooMany(findByUserCode(() => find(code, options), oidc.session?.accountId, ip))
  }
}

/**
 * Limits how many sign-ins and forms unauthenticated callers may begin, because each is a row until it expires. A client that
 * registered itself counts as unauthenticated, because anybody can register.
 */
const limitStrangers = (provider: Provider, { knownClient }: Parts): void => {
  const limit = new MinuteLimit(maxRecordsPerMinute)
  const { Interaction, DeviceCode, PushedAuthorizationRequest, Session } = provider
  const isProven = (Model: unknown, { session, client }: KoaContextWithOIDC['oidc']): boolean =>
    Model === Interaction || Model === Session
      ? session?.accountId !== undefined
      : client?.clientAuthMethod !== 'none' && !knownClient(client)?.dynamic
  for (const Model of [Interaction, DeviceCode, PushedAuthorizationRequest, Session]) {
    const model = Model.prototype as unknown as StoredModel
    const { save } = model
    model.save = async function (this: StoredModel, ttl) {
      const { oidc, ip } = Provider.ctx ?? {}
      const isNew = this.exp === undefined
      if (isNew && oidc && !isProven(Model, oidc) && !limit.count(ip))
        throw tooMany('Too many sign-ins were started from this network', 60)
      return save.call(this, ttl)
    }
  }
}

interface StoredModel {
  readonly exp?: number
  save(ttl?: number): Promise<string>
}

/** Every ID token says how strongly the person proved who they are, how, and when, whether or not the request asks for it. */
const sayHowProved = ({ IdToken }: Provider): void => {
  const model = IdToken.prototype as unknown as ProvedToken
  const { payload } = model
  model.payload = async function (this: ProvedToken) {
    const { acr, amr, auth_time } = this.available
    return { ...(acr !== undefined && { acr, amr, auth_time }), ...(await payload.call(this)) }
  }
}

interface ProvedToken {
  readonly available: { readonly acr?: string; readonly amr?: readonly string[]; readonly auth_time?: number }
  payload(): Promise<object>
}

const asTooMany = async <T>(guess: Promise<T>): Promise<T> => {
  try {
    return await guess
  } catch (error) {
    if (!(error instanceof AppError) || error.error !== 'rate_limited') throw error
    throw tooMany(error.message, error.data.retry_after as number)
  }
}

/** RFC 6749 has no error code for this, so the status carries the meaning (RFC 6585 section 4). */
const tooMany = (message: string, retry_after: number): Error => {
  Provider.ctx!.response.set('retry-after', String(retry_after))
  const refusal = new errors.CustomOIDCProviderError('temporarily_unavailable', message)
  return Object.assign(refusal, { status: 429, statusCode: 429, retry_after })
}

const markTokens = ({ ClientCredentials, AccessToken, RefreshToken }: Provider): void => {
  for (const Model of [ClientCredentials, AccessToken, RefreshToken]) {
    const model = Model.prototype as unknown as { generateTokenId(): string; resourceServer?: object }
    const generate = model.generateTokenId
    const mark = tokenPrefixes[Model.name]!
    model.generateTokenId = function (this: typeof model) {
      // Always call it, because it also sets the token's format.
      const id = generate.call(this)
      // JWTs keep a plain id, because a revocation names it.
      return Model !== RefreshToken && this.resourceServer ? newId() : `${mark}${id}`
    }
  }
}

/** The engine knows only claims that a scope grants; those of a client's map come on top. */
const keepMapped = (provider: Provider): void => {
  const { prototype } = (provider as unknown as { readonly Claims: { readonly prototype: MaskedClaims } })
    .Claims
  const { result } = prototype
  prototype.result = async function (this: MaskedClaims) {
    return { ...(await result.call(this)), ...this.available[mapped] }
  }
}

interface MaskedClaims {
  readonly available: { readonly [mapped]?: object }
  result(this: MaskedClaims): Promise<object>
}
