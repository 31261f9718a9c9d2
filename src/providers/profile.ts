import { nameFrom } from '../contract/names.ts'
import { ProviderFault } from './guarded_fetch.ts'
import { groupsAt } from './groups_claim.ts'
import { withoutEmpty } from './lenient_responses.ts'
import type { KnownProvider } from './provider.ts'

/** A person's profile at a provider, normalised so that two people can never look alike. */
export interface Profile {
  /** Identifies the person, together with the provider. */
  readonly subject: string
  readonly login: string
  readonly name: string
  /** A plain address in lower case that the provider has verified; otherwise null. */
  readonly email: string | null
  /** Whether there is an address that we ignore because it is not verified or not plain. */
  readonly email_doubtful: boolean
  readonly avatar_url: string
  readonly groups: readonly string[]
}

type Fields = Readonly<Record<string, unknown>>

/** An unambiguous address, with the same rules as `Email` in our own methods. */
const plainEmail =
  /^[a-z0-9][a-z0-9.!#$%&'*+/=?^_`{|}~-]{0,63}@[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/

const text = (value: unknown, maxLength: number): string =>
  typeof value === 'string'
    ? [...value.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ').trim()].slice(0, maxLength).join('')
    : ''

const first = (fields: Fields, names: readonly string[], maxLength: number): string =>
  names.map((name) => text(fields[name], maxLength)).find((found) => found !== '') ?? ''

/** Some providers send `email_verified` as text or as a number. */
const isTrue = (value: unknown): boolean =>
  value === true || value === 1 || (typeof value === 'string' && /^(true|1)$/i.test(value))

/** Lower-cases ASCII addresses only, because lower-casing can turn a look-alike letter into an ASCII one. */
const readEmail = (
  address: unknown,
  verified: unknown,
  trusted: boolean,
): Pick<Profile, 'email' | 'email_doubtful'> => {
  if (typeof address !== 'string' || address === '') return { email: null, email_doubtful: false }
  const ascii = /^[\x21-\x7e]{1,254}$/.test(address)
  const plain = ascii && plainEmail.test(address.toLowerCase())
  // A provider that says no is believed, whatever the administrator trusts.
  const silent = verified === undefined || verified === null || verified === ''
  const counts = plain && (isTrue(verified) || (silent && trusted))
  return { email: counts ? address.toLowerCase() : null, email_doubtful: !counts }
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== ''

const pictureOf = (value: string): string =>
  URL.canParse(value) && new URL(value).protocol === 'https:' ? value : ''

/** Whether this can identify a person or a session of a provider. Databases store all lone surrogates alike, so two ids would collide. */
export const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.isWellFormed() && /^[^\u0000-\u001f\u007f]{1,255}$/.test(value)

/** Accepts numbers as their decimal text and throws for anything else. */
const subjectOf = (value: unknown): string => {
  const subject = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  if (!isName(subject)) throw new ProviderFault('untrusted', 'the provider returned no valid subject')
  return subject
}

const common = (fields: Fields, { groups_claim }: KnownProvider) => ({
  login: first(fields, ['preferred_username', 'login', 'username', 'nickname'], 100),
  name: nameFrom(first(fields, ['name', 'full_name', 'display_name'], 200)),
  avatar_url: pictureOf(first(fields, ['picture', 'avatar_url'], 1000)),
  groups: groups_claim === null ? [] : groupsAt(fields, groups_claim),
})

/** Builds a profile from an ID token and the userinfo response for the same subject. */
export const fromClaims = (provider: KnownProvider, idToken: Fields, userinfo: Fields): Profile => {
  // Take the address and `email_verified` from the same source, never one from each.
  const says = (fields: Fields) => isGiven(fields.email) && isGiven(fields.email_verified)
  const source = says(idToken) || (isGiven(idToken.email) && !isGiven(userinfo.email)) ? idToken : userinfo
  return {
    subject: subjectOf(idToken.sub),
    ...common({ ...withoutEmpty(userinfo), ...withoutEmpty(idToken) }, provider),
    ...readEmail(source.email, source.email_verified, provider.email_trusted),
  }
}

/** Builds a profile from the account of a plain OAuth 2.0 server and its list of addresses, if it has one. */
export const fromAccount = (provider: KnownProvider, account: Fields, emails: unknown): Profile => {
  const listed = Array.isArray(emails)
    ? (emails as Fields[]).filter((entry) => typeof entry === 'object' && entry !== null)
    : []
  const { email_trusted } = provider
  const primary = listed.find((entry) => isTrue(entry.primary) && isTrue(entry.verified))
  return {
    subject: subjectOf(account.sub ?? account.id),
    ...common(account, provider),
    ...(Array.isArray(emails)
      ? primary
        ? readEmail(primary.email, true, false)
        : { email: null, email_doubtful: listed.length > 0 }
      : readEmail(account.email, account.email_verified ?? account.verified_email, email_trusted)),
  }
}
