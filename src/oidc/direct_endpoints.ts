import type Provider from 'oidc-provider'
import { programScopes, type KnownClient } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'
import type { AccessTokens } from '../token/access_tokens.ts'
import { claimsWithin, widest } from '../contract/token_scopes.ts'

/** Whether a client may be told that a token is good: the engine's own policy. */
export type MayTell = (client: { clientId: string }, token: object) => Promise<boolean>

/** An answer that says yes. */
export type Plain = Readonly<Record<string, unknown>>

interface Parts {
  readonly issuer: string
  readonly clients: Clients
  readonly access: AccessTokens
  /** Whether this is the secret of a client, and none was wrong lately: false says nothing yet. */
  readonly isRightAway: (client: KnownClient, secret: string, address: string) => boolean
  /** A client got a token. */
  readonly noteUse: (client: KnownClient | undefined) => void
}

type Engine = () =>
  { provider: Provider; mayTell: MayTell } | Promise<{ provider: Provider; mayTell: MayTell }>

/** Only what can be read in one way: no escapes, nothing twice, nothing more. */
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
 * The commonest questions of programs, answered without the engine's twenty steps on the way: a client with a secret asks in the
 * plainest form about an access token of its own, or for one for itself. They are answered when the answer is yes, by the same models,
 * rules and keys; undefined for everything else, which the engine hears and answers as ever.
 */
export class PlainAnswers {
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
  ): Promise<Plain | undefined> => {
    // The mark of the token, as forms write it.
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

  /** A token of a program's own (RFC 6749 section 4.4, RFC 9068), as `token.create` issues it. */
  readonly token = async (
    authorization: string,
    form: string,
    address: string,
  ): Promise<Plain | undefined> => {
    const found = grantForm.exec(form)
    const client = found ? await this.#client(authorization, address) : undefined
    if (!client?.grants.includes('client_credentials')) return undefined
    const may = programScopes.filter((scope) => client.scopes.includes(scope))
    const asked = found![1]?.replaceAll(/\+|%20/g, ' ').split(' ') ?? may
    const beyond = asked.some((scope) => !(may as readonly string[]).includes(scope))
    // Twice the same, and nothing at all, are the engine's to judge.
    if (beyond || asked.length === 0 || new Set(asked).size < asked.length) return undefined
    const { access, noteUse } = this.#parts
    const { client: id } = client
    const scope = asked.join(' ')
    const claims = claimsWithin(client.claims, widest(asked))
    const { access_token, expires_in } = await access.issue({ sub: id, client_id: id, scope, claims })
    noteUse(client)
    return { access_token, expires_in, scope, token_type: 'Bearer' }
  }

  /** The client that proves itself by its secret; undefined where there is anything to look at more closely. */
  async #client(authorization: string, address: string): Promise<KnownClient | undefined> {
    const [, id, secret] = plainPair.exec(decoded(authorization)) ?? []
    if (id === undefined || secret === undefined) return undefined
    const client = await this.#parts.clients.find(id)
    if (!client || client.public || client.jwks) return undefined
    return this.#parts.isRightAway(client, secret, address) ? client : undefined
  }
}

const decoded = (authorization: string): string =>
  Buffer.from(basic.exec(authorization)?.[1] ?? '', 'base64').toString('latin1')
