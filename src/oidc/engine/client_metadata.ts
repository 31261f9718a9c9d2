import type { ClientMetadata } from 'oidc-provider'
import { userScopes, type ClientWithCredentials } from '../../clients/client.ts'

const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code'

/** A client as the engine reads it (RFC 7591 section 2). */
export const toMetadata = (client: ClientWithCredentials, secret: string): ClientMetadata => {
  const signsIn = client.grants.includes('authorization_code')
  const refreshes =
    client.scopes.includes('offline_access') && (signsIn || client.grants.includes('device_code'))
  const grants = client.grants.map((grant) => (grant === 'device_code' ? deviceCode : grant))
  const scopes = userScopes.filter((scope) => client.scopes.includes(scope))
  const method = client.public ? 'none' : client.jwks ? 'private_key_jwt' : 'client_secret_basic'
  return {
    client_id: client.client,
    client_name: client.name,
    application_type: client.native ? 'native' : 'web',
    redirect_uris: [...client.redirect_uris],
    post_logout_redirect_uris: [...client.post_logout_redirect_uris],
    grant_types: refreshes ? [...grants, 'refresh_token'] : grants,
    response_types: signsIn ? ['code'] : [],
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    token_endpoint_auth_method: method,
    ...(method === 'client_secret_basic' && { client_secret: secret }),
    ...(client.jwks && { jwks: client.jwks as ClientMetadata['jwks'] }),
    ...(client.backchannel_logout_uri !== null && {
      backchannel_logout_uri: client.backchannel_logout_uri,
      backchannel_logout_session_required: true,
    }),
  } as ClientMetadata
}
