import type Provider from 'oidc-provider'
import type { KnownClient } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'

/** What says that a token is good (RFC 7662 section 2.2). */
export type Introspected = Readonly<Record<string, unknown>> & { readonly active: true }

/** Whether a client may be told that a token is good. */
export type MayTell = (client: { clientId: string }, token: object) => Promise<boolean>

interface Parts {
  readonly issuer: string
  readonly provider: Provider
  readonly clients: Clients
  /** Whether this is the secret of a client, and none was wrong lately. */
  readonly isRightAway: (client: KnownClient, secret: string) => boolean
  /** The engine's own policy of who is told what. */
  readonly mayTell: MayTell
}

/** Only what can be read in one way: no escapes, nothing twice, nothing more. */
const basic = /^Basic ([A-Za-z0-9+/]+={0,2})$/i
const plainPair = /^([A-Za-z0-9._-]{1,128}):([A-Za-z0-9._-]{1,128})$/
const plainForm = /^token=(at~[A-Za-z0-9_-]{43})(&token_type_hint=access_token)?$/

type AccessToken = InstanceType<Provider['AccessToken']> & {
  readonly isValid: boolean
  readonly sid?: string
  readonly tokenType: string
}

/**
 * The commonest question at the introspection endpoint, answered without the engine's twenty steps on the way: a client with a
 * secret asks, in the plainest form, about an access token of its own. It is answered when it is good, by the engine's own models
 * and checks; undefined for everything else, which the engine hears and answers as ever.
 */
export const introspectPlainly = async (
  { issuer, provider, clients, isRightAway, mayTell }: Parts,
  authorization: string,
  form: string,
): Promise<Introspected | undefined> => {
  const [, id, secret] = plainPair.exec(decoded(authorization)) ?? []
  // The mark of the token, as forms write it.
  const [, value] = plainForm.exec(form.replace('%7E', '~')) ?? []
  if (id === undefined || secret === undefined || value === undefined) return undefined
  const client = await clients.find(id)
  if (!client || client.public || client.jwks || !isRightAway(client, secret)) return undefined
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
    iss: issuer,
    aud: token.aud,
    scope: token.scope || undefined,
    token_type: token.tokenType,
  }
}

const decoded = (authorization: string): string =>
  Buffer.from(basic.exec(authorization)?.[1] ?? '', 'base64').toString('latin1')
