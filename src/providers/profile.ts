import { ProviderFault } from './guarded_fetch.ts'
import type { KnownProvider } from './provider.ts'

/** Who somebody is at a provider, read so that two people can never look alike. */
export interface Profile {
  /** The key, together with the provider. */
  readonly subject: string
  readonly login: string
  readonly name: string
  /** Plain, in lower case, and verified by the provider; null for any other. */
  readonly email: string | null
  /** Whether there is one that does not count as it is not verified or not plain. */
  readonly email_doubtful: boolean
  readonly avatar_url: string
  readonly groups: readonly string[]
}

type Told = Readonly<Record<string, unknown>>

/** One address that everybody reads alike: as `Email` of our own methods. */
const plainEmail =
  /^[a-z0-9][a-z0-9.!#$%&'*+/=?^_`{|}~-]{0,63}@[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/

const text = (value: unknown, most: number): string =>
  typeof value === 'string'
    ? [...value.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ').trim()].slice(0, most).join('')
    : ''

const first = (told: Told, names: readonly string[], most: number): string =>
  names.map((name) => text(told[name], most)).find((found) => found !== '') ?? ''

/** Lower-cased only where it is ASCII to begin with: a letter that merely looks like another makes no other address. */
const readEmail = (address: unknown, verified: unknown): Pick<Profile, 'email' | 'email_doubtful'> => {
  if (typeof address !== 'string' || address === '') return { email: null, email_doubtful: false }
  const ascii = /^[\x21-\x7e]{1,254}$/.test(address)
  const plain = ascii && plainEmail.test(address.toLowerCase())
  const counts = plain && verified === true
  return { email: counts ? address.toLowerCase() : null, email_doubtful: !counts }
}

const pictureOf = (value: string): string =>
  URL.canParse(value) && new URL(value).protocol === 'https:' ? value : ''

const groupsOf = (claim: unknown): readonly string[] =>
  (Array.isArray(claim) ? claim : [claim]).filter(
    (group): group is string => typeof group === 'string' && group !== '',
  )

/** Whether this can name a person or a session of a provider's. Databases write all lone surrogates alike: two would be one. */
export const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.isWellFormed() && /^[^\u0000-\u001f\u007f]{1,255}$/.test(value)

/** An account's number counts as its text; anything else is nobody. */
const subjectOf = (value: unknown): string => {
  const subject = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  if (!isName(subject)) throw new ProviderFault('untrusted', 'the provider names no subject')
  return subject
}

const common = (told: Told, { groups_claim }: KnownProvider) => ({
  login: first(told, ['preferred_username', 'login', 'username', 'nickname'], 100),
  name: first(told, ['name', 'full_name', 'display_name'], 200),
  avatar_url: pictureOf(first(told, ['picture', 'avatar_url'], 1000)),
  groups: groups_claim === null ? [] : groupsOf(told[groups_claim]),
})

/** From an ID token, and from what the userinfo endpoint says of the same subject. */
export const fromClaims = (provider: KnownProvider, idToken: Told, userinfo: Told): Profile => {
  // An address and whether it is verified are believed from one mouth only.
  const source = idToken.email !== undefined && idToken.email_verified !== undefined ? idToken : userinfo
  return {
    subject: subjectOf(idToken.sub),
    ...common({ ...userinfo, ...idToken }, provider),
    ...readEmail(source.email, source.email_verified),
  }
}

/** From an account as plain OAuth 2.0 servers tell it, and the list of its addresses where there is one. */
export const fromAccount = (provider: KnownProvider, account: Told, emails: unknown): Profile => {
  const listed = Array.isArray(emails)
    ? (emails as Told[]).filter((entry) => typeof entry === 'object' && entry !== null)
    : []
  const primary = listed.find(({ primary, verified }) => primary === true && verified === true)
  return {
    subject: subjectOf(account.sub ?? account.id),
    ...common(account, provider),
    ...(Array.isArray(emails)
      ? primary
        ? readEmail(primary.email, true)
        : { email: null, email_doubtful: listed.length > 0 }
      : readEmail(account.email, account.email_verified ?? account.verified_email)),
  }
}
