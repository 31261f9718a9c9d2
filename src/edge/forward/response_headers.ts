import { isOwnCookie } from '../../wire/cookies.ts'
import type { Head } from '../../wire/http_parser.ts'
import { listedIn } from '../../wire/header_list.ts'
import type { Forwarded } from './forwarded.ts'
import {
  cacheControl,
  cookieNamed,
  isPageType,
  responseTreatmentOf,
  siteData,
  type Caching,
} from '../../wire/response_treatment.ts'

/**
 * The response headers for the client: no hop-by-hop headers, no identity headers, no cookie with our name, nothing that
 * clears it, and no leave to caches that may not keep the response. The headers that we add go with them. A service that shares
 * home's host keeps its service workers below its prefix: beyond it, they would see every page and form of home.
 */
export const responseHeaders = (
  { status, rawHeaders }: Pick<Head, 'status' | 'rawHeaders'>,
  { answerHeaders: extra, pass, plan: { sharesHome } }: Pick<Forwarded, 'answerHeaders' | 'pass' | 'plan'>,
  caching: Caching = pass.caching,
): string[] => {
  const list: string[] = [...extra]
  const listed = listedHeaders(rawHeaders)
  let said = ''
  let page: boolean | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    const value = rawHeaders[i + 1]!
    const treatment = responseTreatmentOf(name)
    if (treatment === 'drop' || treatment === 'connection') continue
    if (listed !== undefined && treatment !== 'length' && listed.includes(name.toLowerCase())) continue
    switch (treatment) {
      case 'cache':
      case 'shared cache':
        // A cacheable response with a cookie of ours could give the cookie to other people (CVE-2023-30861).
        if (extra.length > 0) continue
        if (caching === 'shared') break
        if (treatment === 'cache') said += said === '' ? value : `,${value}`
        continue
      case 'type':
        page = (page ?? false) || isPageType(value)
        break
      case 'site data': {
        const rest = siteData(value)
        if (rest !== undefined) list.push(name, rest)
        continue
      }
      case 'cookie':
        if (isOwnCookie(cookieNamed(value))) continue
        break
      case 'worker scope':
        if (sharesHome) continue
        break
      default:
    }
    list.push(name, value)
  }
  if (caching === 'shared' || extra.length > 0) return list
  const value = cacheControl(status, said, caching, page)
  if (value !== undefined) list.push('Cache-Control', value)
  return list
}

/** The trailers for the client. Caching, cookies and types are no matter of trailers (RFC 9110 section 6.5.1). */
export const responseTrailers = (rawTrailers: readonly string[]): string[] => {
  const listed = listedHeaders(rawTrailers)
  const list: string[] = []
  for (let i = 0; i < rawTrailers.length; i += 2) {
    const name = rawTrailers[i]!
    if (responseTreatmentOf(name) === 'keep' && listed?.includes(name.toLowerCase()) !== true)
      list.push(name, rawTrailers[i + 1]!)
  }
  return list
}

const listedHeaders = (rawHeaders: readonly string[]): string[] | undefined => {
  let listed: string[] | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (responseTreatmentOf(rawHeaders[i]!) === 'connection')
      listed = (listed ?? []).concat(listedIn(rawHeaders[i + 1]!))
  }
  return listed
}
