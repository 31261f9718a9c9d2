import { http } from '../http.ts'
import { valuesOf } from '../wire/header_list.ts'
import type { Asked } from './asked.ts'
import { noticePage } from './pages/notice.ts'
import type { Recipient, Sent } from './recipient.ts'

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

export interface Told {
  readonly status: number
  readonly title: string
  readonly text: string
  /** Name for programs, as in JSON-RPC's error.data.code. */
  readonly code: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly link?: { readonly href: string; readonly text: string }
}

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

/** RFC 9457 problem details. */
export const problem = ({ status, title, text, code }: Told): string =>
  JSON.stringify({ type: 'about:blank', title, status, detail: text, code })

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

/** Answers with a page for people and problem details for programs. */
export const tell = (sent: Sent, to: Recipient, asked: Asked, told: Told): void => {
  const headers = { ...ownHeaders(asked), ...told.headers }
  if (!wantsPage(sent)) return send(to, told.status, 'application/problem+json', problem(told), headers)
  const body = noticePage({
    place: asked.host,
    title: told.title,
    text: told.text,
    status: told.status,
    requestId: asked.requestId,
    ...(told.link && { link: told.link }),
  })
  send(to, told.status, 'text/html; charset=utf-8', body, headers)
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

export const notHere: Told = {
  status: 404,
  title: 'Nothing here',
  text: 'There is no page at this address.',
  code: 'not_found',
}
