import type * as Client from 'openid-client'
import { loadOpenidClient } from './discovery.ts'
import { ProviderFault } from './guarded_fetch.ts'
import { fromAccount, fromClaims, type Profile } from './profile.ts'
import { shownClaims, type ReceivedClaims } from './received.ts'
import type { KnownProvider } from './provider.ts'

/** A profile, and what it was read from. */
interface Read {
  readonly profile: Profile
  readonly received: ReceivedClaims['claims']
  /** All of it. */
  readonly said: ReceivedClaims['claims']
}

/** Returns the profile from an ID token, and from the userinfo endpoint if there is one (OpenID Connect Core section 5.3). */
export const profileOf = async (
  provider: KnownProvider,
  config: Client.Configuration,
  accessToken: string,
  claims: Client.IDToken,
): Promise<Read> => {
  const { fetchUserInfo } = await loadOpenidClient()
  const hasUserinfo = config.serverMetadata().userinfo_endpoint !== undefined
  const userinfo = hasUserinfo ? await fetchUserInfo(config, accessToken, claims.sub) : {}
  return {
    profile: fromClaims(provider, claims, userinfo),
    received: shownClaims(userinfo, claims),
    said: { ...userinfo, ...claims },
  }
}

/** Returns the profile from the endpoints of a server without OpenID Connect. */
export const accountOf = async (
  provider: KnownProvider,
  config: Client.Configuration,
  accessToken: string,
): Promise<Read> => {
  const { fetchProtectedResource } = await loadOpenidClient()
  const read = async (address: string): Promise<unknown> => {
    const headers = new Headers({ accept: 'application/json' })
    const answer = await fetchProtectedResource(
      config,
      accessToken,
      new URL(address),
      'GET',
      undefined,
      headers,
    )
    if (answer.status !== 200) throw new ProviderFault('nonsense', `${address} answered ${answer.status}`)
    return answer.json().catch(() => {
      throw new ProviderFault('nonsense', `${address} did not return JSON`)
    })
  }
  const account = await read(provider.userinfo_endpoint!)
  if (typeof account !== 'object' || account === null || Array.isArray(account))
    throw new ProviderFault('nonsense', `${provider.userinfo_endpoint} did not return an object`)
  const emails = provider.emails_endpoint === null ? undefined : await read(provider.emails_endpoint)
  if (emails !== undefined && !Array.isArray(emails))
    throw new ProviderFault('nonsense', `${provider.emails_endpoint} did not return a list`)
  const fields = account as Record<string, unknown>
  return {
    profile: fromAccount(provider, fields, emails),
    received: shownClaims(fields, { emails }),
    said: fields,
  }
}
