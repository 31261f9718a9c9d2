import { ProviderFault } from './guarded_fetch.ts'

// Entra signs in people of many tenants by one configuration. Its issuer is a template, `https://login.microsoftonline.com/{tenantid}/v2.0`,
// and each ID token names the tenant in `tid`.

const placeholder = '{tenantid}'
const tenant = /^[A-Za-z0-9-]{1,64}$/

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
    entered.startsWith(before) && entered.endsWith(after) && (segment === placeholder || tenant.test(segment))
  )
}

/** The issuer of an ID token of this tenant. Throws ProviderFault if the token names none. */
export const issuerOf = (template: string, tid: unknown): string => {
  if (!template.includes(placeholder)) return template
  if (typeof tid !== 'string' || !tenant.test(tid))
    throw new ProviderFault('untrusted', 'the ID token names no tenant')
  return template.replace(placeholder, tid)
}
