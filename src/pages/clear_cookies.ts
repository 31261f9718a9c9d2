import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Home } from '../contract/home.ts'
import type { Destinations } from '../handover/destination.ts'
import { clearCookie, cookieNames, isOwnCookie } from '../wire/cookies.ts'
import { isForm } from '../wire/media_type.ts'
import { cookiesPath, type EdgeRequest } from '../wire/request.ts'
import type { OwnPath } from '../wire/own_path.ts'
import { readBody } from '../wire/request_body.ts'
import { redirect } from '../wire/responses.ts'
import { foreignForm, notAForm } from './page_refusals.ts'
import { PageRequest } from './page_request.ts'
import type { PageRequestParts } from './page_request_parts.ts'
import { returnPath } from './return_path.ts'

const maxFormBytes = 256 * 1024
/** Browsers refuse a response whose head is larger than 256 KiB. */
const maxClearingBytes = 160 * 1024

interface Parts {
  readonly pageParts: PageRequestParts
  readonly home: Home
  readonly destinations: Pick<Destinations, 'at'>
}

/** The host itself and the names above it, for which it may set cookies too. */
const domainsOf = (host: string): readonly string[] => {
  if (!/[a-z]/.test(host) || !host.includes('.')) return []
  const labels = host.split('.')
  return labels.slice(0, -1).map((_, i) => labels.slice(i).join('.'))
}

/** The paths for which a page may have got cookies: `/`, and each folder above it. */
const pathsOf = (target: string): readonly string[] => {
  const segments = target
    .replace(/[?#].*/s, '')
    .split('/')
    .slice(1)
  const folders = segments.map((_, i) => `/${segments.slice(0, i + 1).join('/')}`)
  return ['/', ...folders.filter((path) => /^\/[\x21-\x3a\x3c-\x7e]+$/.test(path))].slice(0, 4)
}

/** Clears each name for every path and domain that it may have been set for, as far as they fit into one response. */
const clearing = (names: readonly string[], { host, secure }: EdgeRequest, target: string): string[] => {
  const cookies: string[] = []
  let bytes = 0
  for (const path of pathsOf(target))
    for (const domain of [undefined, ...domainsOf(host)])
      for (const name of names) {
        const cookie = clearCookie(name, secure, path, domain)
        if (cookie === undefined) continue
        bytes += cookie.length + 'Set-Cookie: \r\n'.length
        if (bytes > maxClearingBytes) return cookies
        cookies.push(cookie)
      }
  return cookies
}

/**
 * POST `/.hero_proxy/cookies`, the form of the page that says that there are too many cookies. Clears ours by name, or all that this
 * host can clear. At home the session ends with its cookie, and everything that it opened.
 */
const clearCookies =
  ({ pageParts, home, destinations }: Parts) =>
  async (request: IncomingMessage, response: ServerResponse, asked: EdgeRequest): Promise<void> => {
    const page = new PageRequest(pageParts, request, response, asked)
    if (!pageParts.forms.surelySameOrigin(request, asked)) return page.tell(foreignForm)
    if (!isForm(request.headers['content-type'])) return page.tell(notAForm)
    const body = await readBody(request, response, maxFormBytes)
    if (body === undefined) return
    const form = new URLSearchParams(body.toString('utf8'))
    const shown = [...cookieNames(asked.cookies), ...(form.get('names') ?? '').split(' ')]
    const names = [...new Set(shown)].filter((name) => form.get('which') === 'all' || isOwnCookie(name))
    if (home.is(asked.host)) {
      const caller = await page.caller()
      if (caller?.session_id !== undefined) await page.call('auth.logout', {}, caller)
    }
    const path = returnPath(form.get('path'))
    const { origin } = (await destinations.at(asked.host, '/')) ?? { origin: home.originOf(asked.host) }
    redirect(response, asked, 303, origin + path, clearing(names, asked, path))
  }

/** The one form of ours at the hosts of services. */
export const cookiesForm = (parts: Parts): OwnPath => ({
  path: cookiesPath,
  methods: ['POST'],
  takes: 'form',
  at: ['home', 'routed'],
  handler: clearCookies(parts),
})
