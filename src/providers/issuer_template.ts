import { ProviderFault } from './guarded_fetch.ts'

// Entra signs in people of many tenants by one configuration. Its issuer is a template, `https://login.microsoftonline.com/{tenantid}/v2.0`,
// and each ID token names the tenant in `tid`.

const placeholder = '{tenantid}'
const isTenant = (tid: unknown): tid is string => typeof tid === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(tid)

/** Whether this is the issuer of one configuration for many tenants. */
export const isTemplate = (issuer: string): boolean =>
  issuer.includes(placeholder) ||
  /^https:\/\/login\.microsoftonline\.com\/(common|organizations|consumers)\//.test(issuer)

/** Whether a template belongs to the issuer that an administrator entered: the same address but for one segment. */
export const fitsTemplate = (template: string, entered: string): boolean => {
  const [before, after, ...more] = template.split(placeholder)
  if (before === undefined || after === undefined || more.length > 0) return false
  // The tenant is a segment of the path, never a part of the host.
  if (!before.endsWith('/') || !/^(\/|$)/.test(after) || !/^https?:\/\/[^/]+\//.test(before)) return false
  const segment = entered.slice(before.length, entered.length - after.length)
  return (
    entered.startsWith(before) && entered.endsWith(after) && (segment === placeholder || isTenant(segment))
  )
}

/** The issuer of an ID token of this tenant. Throws ProviderFault if the token names none. */
export const issuerOf = (template: string, tid: unknown): string => {
  if (!template.includes(placeholder)) return template
  if (!isTenant(tid)) throw new ProviderFault('untrusted', 'the ID token names no tenant')
  return template.replace(placeholder, tid)
}

/** What a token says about its issuer, before it is verified. */
interface Claimed {
  readonly iss?: string | undefined
  readonly tid?: unknown
}

/** Whether a token has the issuer that a provider's configuration names; with a template, that of the tenant in the token. */
export const isFrom = (issuer: string, { iss, tid }: Claimed): boolean =>
  iss !== undefined && (isTenant(tid) || !issuer.includes(placeholder)) && issuerOf(issuer, tid) === iss

/** Whether a token can be of a tenant of the issuer that an administrator entered. The provider's configuration says whether it is. */
export const mayBeOfTenant = (entered: string, { iss = '', tid }: Claimed): boolean =>
  isTenant(tid) && fitsTemplate(iss.replace(`/${tid}`, `/${placeholder}`), entered)
