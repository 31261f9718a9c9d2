import type { IncomingMessage, ServerResponse } from 'node:http'
import type { OpenId } from '../../oidc/openid_provider.ts'
import type { Registrations } from '../../oidc/registration.ts'
import { readBody } from '../../wire/request_body.ts'
import { isForm, isJson } from '../../wire/media_type.ts'
import { ownHeaders, policyWithScript, redirect, send } from '../../wire/responses.ts'
import { notFoundRefusal } from '../../wire/refusal.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import { consentPage, continuePage, switchPage } from './openid_views.ts'
import type { PageRequest } from '../page_request.ts'

// What people see between an application and its answer. It decides nothing: the steps are the provider's.

/** An address of the engine's. */
export const engine = async (
  openId: OpenId,
  visit: PageRequest,
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
): Promise<void> => {
  const headers = { ...ownHeaders(asked), 'content-security-policy': policyWithScript }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  // Its pages name the request as all of ours do, and never by a number that the visitor brought along.
  request.headers['x-request-id'] = asked.requestId
  // Programs have no cookie, and ask far oftener than people.
  const caller = asked.cookies.length > 0 ? await visit.caller() : undefined
  await openId.handle(request, response, caller ?? visit.guest())
}

/** Longest form of the plainest questions. */
const plainForm = 120

/** An endpoint that programs ask. What is not asked in the plainest way, and every no, is the engine's. */
export const plainly =
  (question: 'introspect' | 'token'): typeof engine =>
  async (openId, visit, request, response, asked) => {
    const { authorizations, origin, body, length } = asked
    const isPlain =
      authorizations.length === 1 &&
      origin === undefined &&
      body === 'length' &&
      length <= plainForm &&
      visit.query.size === 0 &&
      /^application\/x-www-form-urlencoded(; ?charset=utf-8)?$/i.test(request.headers['content-type'] ?? '')
    if (!isPlain) return engine(openId, visit, request, response, asked)
    const form = await readBody(request, response, plainForm)
    if (form === undefined) return
    const told = await openId.direct[question](authorizations[0]!, form.toString('latin1'), asked.address)
    if (told) return send(response, 200, 'application/json', JSON.stringify(told), ownHeaders(asked))
    await engine(openId, visit, readOnceMore(request, form), response, asked)
  }

/** A request whose body was read, as if it had not been; or with another body. */
const readOnceMore = (request: IncomingMessage, body: Buffer): IncomingMessage => {
  if (request.headers['content-length'] !== undefined) request.headers['content-length'] = String(body.length)
  return Object.defineProperties(request, {
    readable: { value: true },
    iterator: {
      value: async function* () {
        yield body
      },
    },
  })
}

/** Whoever asks for offline_access asks for consent, as OpenID Connect Core section 11 wants it. */
const askForOffline = (query: URLSearchParams): void => {
  query.delete('offline_asked')
  const prompts = query.get('prompt')?.split(' ') ?? []
  const offline = query.get('scope')?.split(' ').includes('offline_access')
  if (!offline || prompts.includes('none') || prompts.includes('consent')) return
  query.set('prompt', [...prompts, 'consent'].join(' '))
  query.set('offline_asked', 'yes')
}

/**
 * A form of another site (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 2), which comes again as a link: with the
 * form browsers send no cookie of ours.
 */
export const asLink: typeof engine = async (_, visit, request, response, asked) => {
  const body = await readBody(request, response, 56 * 1024)
  if (body === undefined) return
  const query = new URLSearchParams([...visit.query, ...new URLSearchParams(body.toString('utf8'))])
  redirect(response, asked, 303, `${asked.path}?${query}`)
}

/** The authorization endpoint. */
export const authorize = async (
  openId: OpenId,
  visit: PageRequest,
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
): Promise<void> => {
  if (request.method === 'POST') return asLink(openId, visit, request, response, asked)
  const query = new URLSearchParams(visit.query)
  askForOffline(query)
  request.url = `/authorize?${query}`
  await engine(openId, visit, request, response, asked)
}

/** The same request, pushed beforehand (RFC 9126). */
export const push: typeof engine = async (openId, visit, request, response, asked) => {
  if (!isForm(request.headers['content-type'])) return engine(openId, visit, request, response, asked)
  const body = await readBody(request, response, 56 * 1024)
  if (body === undefined) return
  const query = new URLSearchParams(body.toString('utf8'))
  askForOffline(query)
  await engine(openId, visit, readOnceMore(request, Buffer.from(String(query))), response, asked)
}

/** The registration endpoint (RFC 7591 section 3). Our cookie means nothing here, and no page of others may ask. */
export const register = async (
  registrations: Registrations,
  visit: PageRequest,
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
): Promise<void> => {
  if (!isJson(request.headers['content-type'])) {
    return visit.tell({
      status: 415,
      reason: 'not_client_metadata',
      code: 'unsupported_media_type',
    })
  }
  const body = await readBody(request, response, 32 * 1024)
  if (body === undefined) return
  const [authorization = ''] = asked.authorizations.length === 1 ? asked.authorizations : []
  const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1]
  const answer = await registrations.register(body.toString('utf8'), token, visit.guest())
  if (!answer) return visit.tell(notFoundRefusal)
  const headers = { ...ownHeaders(asked), ...answer.headers }
  send(response, answer.status, 'application/json', JSON.stringify(answer.body), headers)
}

const gone = (visit: PageRequest): void =>
  visit.tell({ status: 400, reason: 'interaction_over', code: 'invalid_request' })

export const consent = async (
  openId: OpenId,
  visit: PageRequest,
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
): Promise<void> => {
  const caller = await visit.caller()
  if (caller?.on_behalf !== undefined) {
    return visit.tell({
      status: 409,
      reason: 'impersonating',
      values: { user: caller.on_behalf },
      code: 'conflict',
      link: { href: '/auth/me', name: 'your_account' },
    })
  }
  const step = await openId.interactions.step(request, response, caller)
  const here = encodeURIComponent(asked.path)
  const action = asked.path
  const place = asked.host
  if (step.act === 'gone') return gone(visit)
  if (step.act === 'sign in') {
    const hint = step.hint === '' ? '' : `&login_hint=${encodeURIComponent(step.hint)}`
    return visit.go(302, `/auth/login?return_to=${here}${hint}`)
  }
  if (step.act === 'prove') return visit.go(302, `/auth/prove?return_to=${here}`)
  if (step.act === 'go on') return visit.page(200, (_, words) => continuePage(words, place, step.to))
  const user = caller!.name
  if (step.act === 'switch')
    return visit.page(200, (token, words) =>
      switchPage(words, { place, token, action, name: step.name, user }),
    )
  await visit.page(200, (token, words) => consentPage(words, { place, token, action, user, ...step.asking }))
}

export const postConsent = async (
  openId: OpenId,
  visit: PageRequest,
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
): Promise<void> => {
  const form = await visit.form()
  if (!form) return
  const caller = await visit.caller()
  if (!caller || caller.on_behalf !== undefined) return visit.go(303, asked.path)
  const answer = form.get('answer')
  if (answer === 'switch') {
    if (!(await openId.interactions.switchPerson(request, response))) return gone(visit)
    await visit.call('auth.logout', {}, caller)
    return visit.goWithSession(`/auth/login?return_to=${encodeURIComponent(asked.path)}`, '', 0)
  }
  const to =
    answer === 'allow'
      ? await openId.interactions.approve(request, response, caller)
      : await openId.interactions.refuse(request, response, caller)
  if (to === undefined) return gone(visit)
  await visit.page(200, (_, words) => continuePage(words, asked.host, to))
}
