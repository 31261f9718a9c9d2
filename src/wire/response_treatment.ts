import { fold, maxCachedNameLength, hopByHop } from './header_list.ts'

/** How a response header is treated, by its name. */
export type ResponseTreatment =
  | 'drop'
  | 'connection'
  | 'length'
  /** Cache-Control. */
  | 'cache'
  /** What Cache-Control is for shared caches alone. */
  | 'shared cache'
  | 'type'
  | 'site data'
  | 'cookie'
  | 'keep'

/** Cached by the name as received, because names repeat. */
const treatments = new Map<string, ResponseTreatment>()

const byName: ReadonlyMap<string, ResponseTreatment> = new Map([
  ['content-length', 'length'],
  ['content-type', 'type'],
  ['cache-control', 'cache'],
  // Targeted fields, such as CDN-Cache-Control (RFC 9213), are found by their end.
  ['surrogate-control', 'shared cache'],
  ['edge-control', 'shared cache'],
  ['x-accel-expires', 'shared cache'],
  ['clear-site-data', 'site data'],
  // It would lead past us.
  ['alt-svc', 'drop'],
  ['set-cookie', 'cookie'],
])

const treatAnswer = (name: string): ResponseTreatment => {
  const lower = name.toLowerCase()
  if (lower === 'connection') return 'connection'
  if (hopByHop.has(lower) || /^x-(hero|proxy)-/.test(fold(name))) return 'drop'
  return byName.get(lower) ?? (lower.endsWith('-cache-control') ? 'shared cache' : 'keep')
}

export const responseTreatmentOf = (name: string): ResponseTreatment => {
  let treatment = treatments.get(name)
  if (treatment === undefined) {
    treatment = treatAnswer(name)
    if (treatments.size < 2000 && name.length <= maxCachedNameLength) treatments.set(name, treatment)
  }
  return treatment
}

/** A browser returns a cookie without a name as its bare value: `=ours=x` comes back as `ours=x`. */
export const cookieNamed = (setCookie: string): string => setCookie.replace(/^[\s=]+/, '')

/** What `"*"` clears besides cookies. */
const allButCookies = '"cache", "storage", "executionContexts"'

/**
 * Clear-Site-Data without cookies: they would go for all hosts of the domain, ours included. Undefined if nothing is
 * left.
 */
export const siteData = (value: string): string | undefined => {
  const members = value
    .split(',')
    .map((member) => member.trim())
    .map((member) => (member === '"*"' ? allButCookies : member))
    .filter((member) => member === allButCookies || (/^"[a-z]+"$/i.test(member) && !/cookies/i.test(member)))
  return members.length > 0 ? members.join(', ') : undefined
}
