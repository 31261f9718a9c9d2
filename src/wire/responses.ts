import { http } from '../node/http.ts'
import * as english from '../strings/en/refusals.ts'
import type { ClientResponse, ReceivedRequest } from './client_response.ts'
import { valuesOf } from './header_list.ts'
import { wordsOf, type Refusal } from './refusal.ts'
import type { EdgeRequest } from './request.ts'

/** What our pages may do: load our stylesheet and our images, and post forms to us. */
const policy =
  "default-src 'none'; style-src 'self'; img-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** The same for the one page that any page may show in a frame. It only links out. */
export const policyForFrames = policy.replace("frame-ancestors 'none'", 'frame-ancestors *')

/** The same for a page with pictures from these origins. */
export const policyWithImages = (origins: readonly string[]): string =>
  policy.replace("img-src 'self'", `img-src 'self' ${origins.join(' ')}`)

/** The same with our own scripts, for what we show once and for pages with passkeys, which renew the challenge. */
export const policyWithScript = `${policy}; script-src 'self'; connect-src 'self'`

/** The headers of every response that we make ourselves. */
export const ownHeaders = (asked: Pick<EdgeRequest, 'secure'>): Record<string, string> => ({
  'cache-control': 'no-store',
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  // No page of another origin gets our answers as a picture, a script or a style sheet.
  'cross-origin-resource-policy': 'same-origin',
  vary: 'Cookie',
  ...(asked.secure && { 'strict-transport-security': 'max-age=63072000' }),
})

const accepts = ({ rawHeaders }: ReceivedRequest, types: string): boolean =>
  new RegExp(`(^|,)\\s*(${types})\\s*(;|,|$)`, 'i').test(valuesOf(rawHeaders, 'accept').join())

/** Whether a browser navigates to a page, in contrast to a script that fetches. */
export const isNavigation = (sent: ReceivedRequest): boolean => {
  const { method, rawHeaders } = sent
  if (method !== 'GET' && method !== 'HEAD') return false
  if (valuesOf(rawHeaders, 'upgrade').length > 0 || valuesOf(rawHeaders, 'x-requested-with').length > 0)
    return false
  const modes = valuesOf(rawHeaders, 'sec-fetch-mode')
  if (modes.length > 0) return modes.join() === 'navigate'
  return accepts(sent, 'text/html|application/xhtml\\+xml')
}

/**
 * What asks for a page of ours. `page`: a browser shows it in a tab of its own. `frame`: another page shows it. `other`: a script, a
 * prefetch, a preflight or a program, which gets the same answer whether or not it is signed in. HEAD counts as `other`.
 */
export const journeyOf = (sent: ReceivedRequest): 'page' | 'frame' | 'other' => {
  const { method, rawHeaders } = sent
  if (method !== 'GET' || !isNavigation(sent)) return 'other'
  if (['sec-purpose', 'purpose', 'service-worker'].some((name) => valuesOf(rawHeaders, name).length > 0))
    return 'other'
  const destinations = valuesOf(rawHeaders, 'sec-fetch-dest')
  if (destinations.length === 0 || destinations.join() === 'document') return 'page'
  return framed.test(destinations.join()) ? 'frame' : 'other'
}

const framed = /^(iframe|frame|object|embed|fencedframe)$/

/** Whether a person reads the response: a navigation, or a posted form. */
export const wantsPage = (sent: ReceivedRequest): boolean =>
  isNavigation(sent) || (sent.method === 'POST' && accepts(sent, 'text/html'))

/** Problem details (RFC 9457). They are for programs, and therefore in English. */
export const problem = (refusal: Refusal): string => {
  const { title, text } = wordsOf(english, refusal)
  return JSON.stringify({
    type: 'about:blank',
    title,
    status: refusal.status,
    detail: text,
    code: refusal.code,
    ...refusal.members,
  })
}

type Headers = Readonly<Record<string, string | number | readonly string[]>>

const flat = (headers: Headers): string[] =>
  Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'object' ? value.flatMap((item) => [name, item]) : [name, String(value)],
  )

export const send = (
  to: ClientResponse,
  status: number,
  type: string,
  body: string | Buffer,
  headers: Headers,
): void => {
  if (to.headersSent || to.destroyed) return void to.destroy()
  const allHeaders = { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(body) }
  to.writeHead(status, http.STATUS_CODES[status] ?? '', flat(allHeaders))
  to.end(body)
}

/** Sends a refusal to a program, as problem details. */
export const sendProblem = (to: ClientResponse, asked: Pick<EdgeRequest, 'secure'>, refusal: Refusal): void =>
  send(to, refusal.status, 'application/problem+json', problem(refusal), {
    ...ownHeaders(asked),
    ...refusal.headers,
  })

export const redirect = (
  to: ClientResponse,
  asked: EdgeRequest,
  status: 302 | 303,
  location: string,
  cookies: readonly string[] = [],
): void => {
  const headers = {
    ...ownHeaders(asked),
    location,
    'content-length': 0,
    ...(cookies.length > 0 && { 'set-cookie': cookies }),
  }
  to.writeHead(status, http.STATUS_CODES[status]!, flat(headers))
  to.end()
}
