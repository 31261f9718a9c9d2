import { groupsAt } from './groups_claim.ts'
import type { KnownProvider } from './provider.ts'

type Claims = Readonly<Record<string, unknown>>

/** What a provider said about a person. */
export interface ReceivedClaims {
  /** Unix time in seconds. */
  readonly received_at: number
  readonly claims: Claims
}

const maxTextLength = 500
const maxBytes = 16_384

/** Claims that are about the token, not about the person. */
const technical: ReadonlySet<string> = new Set(
  'aud iss iat exp nbf nonce jti at_hash c_hash s_hash azp auth_time sid'.split(' '),
)

/** What an administrator may see of an ID token and userinfo, within bounds. Without its value, a long claim still has its name. */
export const shownClaims = (...sources: readonly Claims[]): Claims => {
  const entries = sources
    .flatMap((source) => Object.entries(source))
    .filter(([name]) => !technical.has(name) && name.length <= 255)
  const all = Object.fromEntries(entries)
  const short = JSON.parse(JSON.stringify(all), (_, value: unknown) =>
    typeof value === 'string' && value.length > maxTextLength ? `${value.slice(0, maxTextLength)}…` : value,
  ) as Claims
  return Buffer.byteLength(JSON.stringify(short)) <= maxBytes
    ? short
    : Object.fromEntries(
        Object.keys(short)
          .slice(0, 100)
          .map((name) => [name, '…']),
      )
}

/** What `providers.test` says about the last sign-in of a person: what arrived, and what we read from it now. */
export const explainReceived = (provider: KnownProvider, received: ReceivedClaims) => {
  const { groups_claim, groups } = provider
  const read = groups_claim === null ? [] : groupsAt(received.claims, groups_claim)
  const mapped = groups.filter(({ value }) => read.includes(value)).map(({ group }) => group)
  return {
    received_at: received.received_at,
    claims: received.claims,
    groups: [...read],
    mapped: [...new Set(mapped)],
  }
}

/** `acr` is a text and `amr` a list of texts (OpenID Connect Core section 2). Anything else says nothing. */
export const methodsIn = (claims: Claims | undefined): string[] => {
  const { acr, amr } = claims ?? {}
  return [acr, ...(Array.isArray(amr) ? (amr as unknown[]) : [])].filter((value) => typeof value === 'string')
}
