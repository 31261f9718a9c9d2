import { createPrivateKey } from 'node:crypto'
import type * as Client from 'openid-client'
import { invalidParams } from '../contract/errors.ts'
import { loadOpenidClient } from './discovery.ts'
import type { ClientKey, KnownProvider } from './provider.ts'

/** How long a secret that we sign counts. Apple allows half a year; each is made for one request. */
const signedSecretSeconds = 300

export type SecretBy = 'client_secret_basic' | 'client_secret_post' | 'none'

/** How we send our secret: as chosen, or as the provider's configuration says (OpenID Connect Discovery section 3). */
export const secretBy = (
  { client_auth, client_key }: KnownProvider,
  { token_endpoint_auth_methods_supported: methods }: Client.ServerMetadata,
): SecretBy => {
  if (client_auth !== 'auto') return client_auth
  // Secrets made from a key go into the form: Apple takes them nowhere else.
  if (client_key !== undefined) return 'client_secret_post'
  const takesFormOnly =
    Array.isArray(methods) &&
    !methods.includes('client_secret_basic') &&
    methods.includes('client_secret_post')
  return takesFormOnly ? 'client_secret_post' : 'client_secret_basic'
}

/** Authenticates us at the token endpoint. */
export const clientAuthentication = async (
  provider: KnownProvider,
  by: SecretBy,
): Promise<Client.ClientAuth> => {
  const client = await loadOpenidClient()
  if (by === 'none') return client.None()
  const secret = provider.client_key ? await signedSecret(provider, provider.client_key) : provider.secret
  return by === 'client_secret_post' ? client.ClientSecretPost(secret) : client.ClientSecretBasic(secret)
}

/** A client secret that is a JWT signed with our key at the provider, as Apple wants it. */
const signedSecret = async (
  { client, issuer, token_endpoint }: KnownProvider,
  { private_key, key_id, team_id }: ClientKey,
): Promise<string> => {
  const { SignJWT } = await import('jose')
  return new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid: key_id })
    .setIssuer(team_id)
    .setSubject(client)
    .setAudience(issuer ?? new URL(token_endpoint!).origin)
    .setIssuedAt()
    .setExpirationTime(`${signedSecretSeconds}s`)
    .sign(createPrivateKey(private_key))
}

/** Throws invalid_params unless we can sign with the key. */
export const checkClientKey = ({ private_key }: ClientKey): void => {
  let curve: string | undefined
  try {
    curve = createPrivateKey(private_key).asymmetricKeyDetails?.namedCurve
  } catch {
    curve = undefined
  }
  if (curve !== 'prime256v1')
    throw invalidParams('client_key.private_key', 'a private key of P-256 in PEM, without a passphrase')
}
