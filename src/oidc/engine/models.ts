import { errors, Provider, type KoaContextWithOIDC } from 'oidc-provider'
import type { KnownClient } from '../../clients/client.ts'
import type { Clients } from '../../clients/clients.ts'
import { AppError } from '../../contract/errors.ts'
import { newId } from '../../storage/ids.ts'
import { PerMinute } from '../rate_limit.ts'
import { tokenMarks } from './records.ts'

/** What can be guessed. Each throws rate_limited after too many wrong guesses. */
export interface Guarded {
  /** Whether a client knows its secret. */
  readonly provesItself: (client: KnownClient, secret: string, address: string) => Promise<boolean>
  /** What `find` finds for a code that somebody typed (RFC 8628 section 5.1); `user` is the id of who is signed in. */
  readonly findByUserCode: <T>(
    find: () => Promise<T | undefined>,
    user: string | undefined,
    address: string,
  ) => Promise<T | undefined>
}

/** What strangers of one network have us keep in a minute, for an hour or so each. */
const mostKept = 300

interface Parts extends Guarded {
  readonly clients: Clients
  /** The client as we know it, by the engine's object for it. */
  readonly known: WeakMap<object, KnownClient>
  readonly knownClient: (client: object | undefined) => KnownClient | undefined
  /** Lets the engine call an address: `anywhere` if it may be near. */
  readonly trust: (address: string, anywhere: boolean) => void
}

/** Has the engine's models ask us where the answer is ours. */
export const adaptModels = (provider: Provider, parts: Parts): void => {
  findOurClients(provider, parts)
  guardGuesses(provider, parts)
  limitStrangers(provider, parts)
  markTokens(provider)
}

const findOurClients = ({ Client }: Provider, { clients, known, trust }: Parts): void => {
  const find = Client.find.bind(Client)
  /** The engine's object for what we know: made once, until a change makes another of it. */
  const made = new WeakMap<KnownClient, InstanceType<typeof Client>>()
  Client.find = async (id) => {
    const ours = await clients.find(id)
    if (!ours) return find(id)
    const client = made.get(ours) ?? (await find(id))
    if (!client) return undefined
    made.set(ours, client)
    known.set(client, ours)
    const { backchannel_logout_uri: uri, dynamic } = ours
    if (uri !== null) trust(new URL(uri).href, !dynamic)
    return client
  }
}

const guardGuesses = ({ Client, DeviceCode }: Provider, parts: Parts): void => {
  const { knownClient, provesItself, findByUserCode } = parts
  Client.prototype.compareClientSecret = async function (this: object, secret: string) {
    const client = knownClient(this)
    return client !== undefined && (await limited(provesItself(client, secret, Provider.ctx!.ip)))
  } as never
  const find = DeviceCode.findByUserCode.bind(DeviceCode)
  DeviceCode.findByUserCode = async (code, options) => {
    const { ip, oidc } = Provider.ctx!
    return limited(findByUserCode(() => find(code, options), oidc.session?.accountId, ip))
  }
}

/**
 * Whoever is not signed in, and proves nothing, begins only so many sign-ins and opens only so many forms: each is a row until it
 * has ended. What a client proves that registered itself is nothing: anybody does.
 */
const limitStrangers = (provider: Provider, { knownClient }: Parts): void => {
  const often = new PerMinute(mostKept)
  const { Interaction, DeviceCode, PushedAuthorizationRequest, Session } = provider
  const isProven = (Model: unknown, { session, client }: KoaContextWithOIDC['oidc']): boolean =>
    Model === Interaction || Model === Session
      ? session?.accountId !== undefined
      : client?.clientAuthMethod !== 'none' && !knownClient(client)?.dynamic
  for (const Model of [Interaction, DeviceCode, PushedAuthorizationRequest, Session]) {
    const model = Model.prototype as unknown as Saved
    const { save } = model
    model.save = async function (this: Saved, ttl) {
      const { oidc, ip } = Provider.ctx ?? {}
      const isNew = this.exp === undefined
      if (isNew && oidc && !isProven(Model, oidc) && !often.allows(ip))
        throw tooMany('Too many sign-ins were begun from here', 60)
      return save.call(this, ttl)
    }
  }
}

interface Saved {
  readonly exp?: number
  save(ttl?: number): Promise<string>
}

const limited = async <T>(guess: Promise<T>): Promise<T> => {
  try {
    return await guess
  } catch (error) {
    if (!(error instanceof AppError) || error.error !== 'rate_limited') throw error
    throw tooMany(error.message, error.data.retry_after as number)
  }
}

/** RFC 6749 has no word for it; the status says it (RFC 6585 section 4). */
const tooMany = (message: string, retry_after: number): Error => {
  Provider.ctx!.response.set('retry-after', String(retry_after))
  const refusal = new errors.CustomOIDCProviderError('temporarily_unavailable', message)
  return Object.assign(refusal, { status: 429, statusCode: 429, retry_after })
}

const markTokens = ({ ClientCredentials, AccessToken, RefreshToken }: Provider): void => {
  for (const Model of [ClientCredentials, AccessToken, RefreshToken]) {
    const model = Model.prototype as unknown as { generateTokenId(): string; resourceServer?: object }
    const generate = model.generateTokenId
    const mark = tokenMarks[Model.name]!
    model.generateTokenId = function (this: typeof model) {
      // It also settles the format.
      const id = generate.call(this)
      // A revocation names a JWT by its id.
      return Model !== RefreshToken && this.resourceServer ? newId() : `${mark}${id}`
    }
  }
}
