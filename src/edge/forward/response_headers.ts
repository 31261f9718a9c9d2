import { isOwnCookie } from '../../wire/cookies.ts'
import { listedIn } from '../../wire/header_list.ts'
import { responseTreatmentOf, cookieNamed } from '../../wire/response_treatment.ts'

/** The response headers for the client: no hop-by-hop headers, no identity headers, no cookie with our name. */
export const responseHeaders = (rawHeaders: readonly string[], extra: readonly string[]): string[] => {
  const list: string[] = [...extra]
  let listed: string[] | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (responseTreatmentOf(rawHeaders[i]!) === 'connection')
      listed = (listed ?? []).concat(listedIn(rawHeaders[i + 1]!))
  }
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    const value = rawHeaders[i + 1]!
    const treatment = responseTreatmentOf(name)
    if (treatment === 'drop' || treatment === 'connection') continue
    if (listed !== undefined && treatment !== 'length' && listed.includes(name.toLowerCase())) continue
    // A cacheable response with a cookie of ours could give the cookie to other people (CVE-2023-30861).
    if (treatment === 'cache' && extra.length > 0) continue
    if (treatment === 'cookie' && isOwnCookie(cookieNamed(value))) continue
    list.push(name, value)
  }
  return list
}
