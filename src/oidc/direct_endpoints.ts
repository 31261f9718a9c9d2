import type Provider from 'oidc-provider'
import { programScopes, type ClientWithCredentials } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'
import type { AccessTokens } from '../token/access_tokens.ts'
import { claimsWithin, widestScope } from '../contract/token_scopes.ts'

/** Whether introspection allowed tell a client that a token is active: the same policy that the engine uses. */
export type MayIntrospect = (client: { clientId: string }, token: object) => Promise<boolean>

/** A successful response. */
export type DirectResponse = Readonly<Record<string, unknown>>

interface Parts {
  readonly issuer: string
  readonly clients: Clients
  readonly access: AccessTokens
  /** Whether a cached check already proves the client's secret and no recent guess was wrong. False only means that we must check. */
  readonly isRightAway: (client: ClientWithCredentials, secret: string, address: string) => boolean
  /** Records that a client got a token. */
  readonly noteUse: (client: ClientWithCredentials | undefined) => void
}

type Engine = () =>
  { provider: Provider; mayTell: MayIntrospect } | Promise<{ provider: Provider; mayTell: MayIntrospect }>

/** These patterns accept unambiguous requests only: no escapes, no repeated parameters, no additional ones. */
const basic = /^Basic ([A-Za-z0-9+/]+={0,2})$/i
const plainPair = /^([A-Za-z0-9._-]{1,128}):([A-Za-z0-9._-]{1,128})$/
const tokenForm = /^token=(at~[A-Za-z0-9_-]{43})(&token_type_hint=access_token)?$/
const grantForm =
  /^grant_type=client_credentials(?:&scope=((?:read|write|admin)(?:(?:\+|%20)(?:read|write|admin)){0,2}))?$/

type AccessToken = InstanceType<Provider['AccessToken']> & {
  readonly isValid: boolean
  readonly sid?: string
  readonly tokenType: string
}

/**
 * Fast paths for the most common requests of programs: a client with a secret introspects its own access token, or gets a token by
 * client credentials. They use the engine's models, rules and keys but skip its middleware. They answer successful requests only
 * and return undefined for all others, which the engine then answers.
 */
export class DirectEndpoints {
  readonly #parts: Parts
  readonly #engine: Engine

  constructor(parts: Parts, engine: Engine) {
    this.#parts = parts
    this.#engine = engine
  }

  /** Introspection (RFC 7662 section 2.2). */
  readonly introspect = async (
    authorization: string,
    form: string,
    address: string,
  ): Promise<DirectResponse | undefined> => {
    // Forms allowed percent-encode the ~ of the token's prefix.
    const [, value] = tokenForm.exec(form.replace('%7E', '~')) ?? []
    const client = value === undefined ? undefined : await this.#client(authorization, address)
    if (value === undefined || !client) return undefined
    const { provider, mayTell } = await this.#engine()
    const token = (await provider.AccessToken.find(value)) as AccessToken | undefined
    if (!token?.isValid || token.isSenderConstrained()) return undefined
    const grant = token.grantId === undefined ? undefined : await provider.Grant.find(token.grantId)
    if (!grant || grant.clientId !== token.clientId || grant.accountId !== token.accountId) return undefined
    if (!(await mayTell({ clientId: client.client }, token))) return undefined
    return {
      sub: token.accountId,
      ...token.extra,
      active: true,
      client_id: token.clientId,
      exp: token.exp,
      iat: token.iat,
      sid: token.sid,
      iss: this.#parts.issuer,
      aud: token.aud,
      scope: token.scope || undefined,
      token_type: token.tokenType,
    }
  }

  /** Issues an access token by client credentials (RFC 6749 section 4.4, RFC 9068), as `token.create` does. */
  readonly token = async (
    authorization: string,
    form: string,
    address: string,
  ): Promise<DirectResponse | undefined> => {
    const found = grantForm.exec(form)
    const client = found ? await this.#client(authorization, address) : undefined
    if (!client?.grants.includes('client_credentials')) return undefined
    const allowed = programScopes.filter((scope) => client.scopes.includes(scope))
    const asked = found![1]?.replaceAll(/\+|%20/g, ' ').split(' ') ?? allowed
    const beyond = asked.some((scope) => !(allowed as readonly string[]).includes(scope))
    // Leave repeated and empty scopes to the engine.
    if (beyond || asked.length === 0 || new Set(asked).size < asked.length) return undefined
    const { access, noteUse } = this.#parts
    const { client: id } = client
    const scope = asked.join(' ')
    const claims = claimsWithin(client.claims, widestScope(asked))
    const { access_token, expires_in } = await access.issue({ sub: id, client_id: id, scope, claims })
    noteUse(client)
    return { access_token, expires_in, scope, token_type: 'Bearer' }
  }

  /** Returns the client that these credentials prove, or undefined if the engine must decide. */
  async #client(authorization: string, address: string): Promise<ClientWithCredentials | undefined> {
    const [, id, secret] = plainPair.exec(decoded(authorization)) ?? []
    if (id === undefined || secret === undefined) return undefined
    const client = await this.#parts.clients.find(id)
    if (!client || client.public || client.jwks) return undefined
    return this.#parts.isRightAway(client, secret, address) ? client : undefined
  }
}

const decoded = (authorization: string): string =>
  Buffer.from(basic.exec(authorization)?.[1] ?? '', 'base64').toString('latin1')
