import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Asked } from './asked.ts'
import { noticePage } from './pages/notice.ts'

/** What the browser may do on pages of ours: show them, with our stylesheet, and post forms back to us. */
const policy =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

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

/** Whether a person is looking: a browser that goes to a page, not a script that fetches. */
export const isNavigation = ({ method, headers }: IncomingMessage): boolean => {
  if (method !== 'GET' && method !== 'HEAD') return false
  if (headers.upgrade !== undefined || headers['x-requested-with'] !== undefined) return false
  const mode = headers['sec-fetch-mode']
  if (mode !== undefined) return mode === 'navigate'
  return /(^|,)\s*(text\/html|application\/xhtml\+xml)\s*(;|,|$)/i.test(String(headers.accept ?? ''))
}

/** Whether the answer is read by a person: as above, or a form that was posted. */
export const wantsPage = (request: IncomingMessage): boolean =>
  isNavigation(request) ||
  (request.method === 'POST' && /(^|,)\s*text\/html/i.test(String(request.headers.accept ?? '')))

/** RFC 9457 problem details. */
export const problem = ({ status, title, text, code }: Told): string =>
  JSON.stringify({ type: 'about:blank', title, status, detail: text, code })

export const send = (
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers: Readonly<Record<string, string | readonly string[]>>,
): void => {
  if (response.headersSent || response.destroyed) return void response.destroy()
  response.writeHead(status, {
    ...(headers as Record<string, string | string[]>),
    'content-type': type,
    'content-length': Buffer.byteLength(body),
  })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

/** Answers with a page for people and problem details for programs. */
export const tell = (request: IncomingMessage, response: ServerResponse, asked: Asked, told: Told): void => {
  const headers = { ...ownHeaders(asked), ...told.headers }
  if (!wantsPage(request))
    return send(response, told.status, 'application/problem+json', problem(told), headers)
  const body = noticePage({
    place: asked.host,
    title: told.title,
    text: told.text,
    status: told.status,
    requestId: asked.requestId,
    ...(told.link && { link: told.link }),
  })
  send(response, told.status, 'text/html; charset=utf-8', body, headers)
}

export const redirect = (
  response: ServerResponse,
  asked: Asked,
  status: 302 | 303,
  location: string,
  cookies: readonly string[] = [],
): void => {
  response.writeHead(status, {
    ...ownHeaders(asked),
    location,
    'content-length': 0,
    ...(cookies.length > 0 && { 'set-cookie': [...cookies] }),
  })
  response.end()
}

export const notHere: Told = {
  status: 404,
  title: 'Nothing here',
  text: 'There is no page at this address.',
  code: 'not_found',
}
