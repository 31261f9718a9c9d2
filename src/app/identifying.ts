import type { BearerTokens } from '../identity/bearer_tokens.ts'
import { Callers } from '../identity/callers.ts'
import { Identification } from '../identity/identify.ts'
import { Signatures } from '../identity/signed_request.ts'
import { CachedKeys } from '../users/cached_keys.ts'
import { CachedNetworks } from '../users/cached_networks.ts'
import { CookiePolicy } from '../wire/cookie_policy.ts'
import type { Ground, Rooms } from './rooms.ts'

/** Builds what finds out who sent a request. */
export const createIdentifying = (
  { config, database }: Pick<Ground, 'config' | 'database'>,
  { settings, liveSessions, claims }: Pick<Rooms, 'settings' | 'liveSessions' | 'claims'>,
  tokens: BearerTokens,
) => {
  const cookies = new CookiePolicy(() => settings.current('insecure_cookies'))
  const networks = new CachedNetworks(database, () => settings.value('network_login'))
  const knownKeys = new CachedKeys(database)
  const identification = new Identification({
    sessions: liveSessions,
    tokens,
    cookies,
    networks,
    signatures: new Signatures(knownKeys),
    issuer: config.public_url,
    bearerToken: config.bearer_token,
  })
  const callers = new Callers({ database, identification, claims, issuer: config.public_url })
  return { cookies, networks, knownKeys, identification, callers }
}
