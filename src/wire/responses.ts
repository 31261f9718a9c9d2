import { http } from '../node/http.ts'
import * as english from '../strings/en/refusals.ts'
import type { Recipient, Sent } from './client_response.ts'
import { valuesOf } from './header_list.ts'
import { wordsOf, type Told } from './refusal.ts'
import type { Asked } from './request.ts'

/** What the browser may do on pages of ours: show them, with our stylesheet, and post forms back to us. */
const policy =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** The same with our one script: where passkeys are. */
export const policyWithScript = `${policy}; script-src 'self'`

/** Headers of everything that we answer ourselves. */
export const ownHeaders = (asked: Pick<Asked, 'secure'>): Record<string, string> => ({
  'cache-control': 'no-store',
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  vary: 'Cookie',
  ...(asked.secure && { 'strict-transport-security': 'max-age=63072000' }),
})

const accepts = ({ rawHeaders }: Sent, types: string): boolean =>
  new RegExp(`(^|,)\\s*(${types})\\s*(;|,|$)`, 'i').test(valuesOf(rawHeaders, 'accept').join())

/** Whether a person is looking: a browser that goes to a page, not a script that fetches. */
export const isNavigation = (sent: Sent): boolean => {
  const { method, rawHeaders } = sent
  if (method !== 'GET' && method !== 'HEAD') return false
  if (valuesOf(rawHeaders, 'upgrade').length > 0 || valuesOf(rawHeaders, 'x-requested-with').length > 0)
    return false
  const modes = valuesOf(rawHeaders, 'sec-fetch-mode')
  if (modes.length > 0) return modes.join() === 'navigate'
  return accepts(sent, 'text/html|application/xhtml\\+xml')
}

/** Whether the answer is read by a person: as above, or a form that was posted. */
export const wantsPage = (sent: Sent): boolean =>
  isNavigation(sent) || (sent.method === 'POST' && accepts(sent, 'text/html'))

/** RFC 9457 problem details: for programs, and therefore in English. */
export const problem = (told: Told): string => {
  const { title, text } = wordsOf(english, told)
  return JSON.stringify({ type: 'about:blank', title, status: told.status, detail: text, code: told.code })
}

type Headers = Readonly<Record<string, string | number | readonly string[]>>

const flat = (headers: Headers): string[] =>
  Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'object' ? value.flatMap((one) => [name, one]) : [name, String(value)],
  )

export const send = (to: Recipient, status: number, type: string, body: string, headers: Headers): void => {
  if (to.headersSent || to.destroyed) return void to.destroy()
  const all = { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(body) }
  to.writeHead(status, http.STATUS_CODES[status] ?? '', flat(all))
  to.end(body)
}

export const redirect = (
  to: Recipient,
  asked: Asked,
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
