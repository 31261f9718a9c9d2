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
  /** Service-Worker-Allowed. */
  | 'worker scope'
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
  ['service-worker-allowed', 'worker scope'],
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

/**
 * Which caches may keep a response. `shared`: as the service says. `private`: at most the browser of one person, and
 * pages are asked about at each use. `never`: none.
 */
export type Caching = 'shared' | 'private' | 'never'

/** The directives that say otherwise. `private` and `no-cache` come anew, because a list of fields could narrow them. */
const dropped: ReadonlySet<string> = new Set(['public', 's-maxage', 'private'])

/** Results by what the service said, because that repeats. Bounded, because services choose it. */
const known = new Map<string, string>()

/**
 * The value of Cache-Control for a response that is not `shared`; undefined to send none. `said` holds the values that
 * the service sent, joined by commas. `page`: whether its type is that of a page; undefined without a type.
 */
export const cacheControl = (
  status: number,
  said: string,
  caching: Caching,
  page: boolean | undefined,
): string | undefined => {
  if (caching === 'never') return said === '' ? 'no-store' : remembered(said, caching, false)
  // It confirms a response that came through here, and does not say whether that is a page. What we said then still holds.
  if (status === 304 && page === undefined) return undefined
  const asPage = page ?? (status !== 204 && status !== 205)
  if (said === '') return asPage ? 'private, no-cache' : 'private'
  return remembered(said, caching, asPage)
}

const remembered = (said: string, caching: Caching, page: boolean): string => {
  const key = `${caching} ${page} ${said}`
  const found = known.get(key)
  if (found !== undefined) return found
  const value = rewritten(said, caching, page)
  if (known.size < 1000 && key.length <= 200) known.set(key, value)
  return value
}

const rewritten = (said: string, caching: Caching, page: boolean): string => {
  // Not every cache reads quotes alike, and no directive that is kept needs them.
  const parts = said
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && !part.includes('"'))
  const nameOf = (part: string) => part.split('=', 1)[0]!.trim().toLowerCase()
  if (caching === 'never')
    return ['no-store', ...parts.filter((part) => nameOf(part) === 'no-transform')].join(', ')
  const kept = parts.filter((part) => !dropped.has(nameOf(part)) && !(page && nameOf(part) === 'no-cache'))
  return ['private', ...(page ? ['no-cache'] : []), ...kept].join(', ')
}

/** Whether a browser shows a response of this type as a page. Without a usable type it looks at the content. */
export const isPageType = (type: string): boolean => {
  const lower = type.trim().toLowerCase()
  return lower.startsWith('text/html') || lower.startsWith('application/xhtml+xml') || !lower.includes('/')
}
