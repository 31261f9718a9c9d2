import type { IncomingMessage, ServerResponse } from 'node:http'
import type { OpenId, SignedOut } from '../../oidc/openid_provider.ts'
import { maskJwt } from '../../oidc/jwt_introspection.ts'
import type { Registrations } from '../../oidc/registration.ts'
import { readBody } from '../../wire/request_body.ts'
import { isForm, isJson } from '../../wire/media_type.ts'
import { ownHeaders, policyWithScript, redirect, send } from '../../wire/responses.ts'
import { notFoundRefusal } from '../../wire/refusal.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import { moveAsked } from '../../oidc/asked_proof.ts'
import type { PageRequest } from '../page_request.ts'

/** Passes a request on to oidc-provider. */
export const engine = async (
  openId: OpenId,
  page: PageRequest,
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
  signedOut?: SignedOut,
): Promise<void> => {
  const headers = { ...ownHeaders(asked), 'content-security-policy': policyWithScript }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  // Like all our pages, these show our own request id, never one that the client sent.
  request.headers['x-request-id'] = asked.requestId
  // Programs send no cookie, and call far more often than people.
  const caller = asked.cookies.length > 0 ? await page.caller() : undefined
  await openId.handle(request, response, caller ?? page.guest(), signedOut)
}

/** Maximum length in bytes of a form that we answer without oidc-provider. */
const maxPlainForm = 120

/** Answers programs directly if their request has the plainest form. oidc-provider answers everything else, and makes every refusal. */
export const plainly =
  (question: 'introspect' | 'token'): typeof engine =>
  async (openId, page, request, response, asked) => {
    const { authorizations, origin, body, length } = asked
    const isPlain =
      authorizations.length === 1 &&
      origin === undefined &&
      body === 'length' &&
      length <= maxPlainForm &&
      page.query.size === 0 &&
      /^application\/x-www-form-urlencoded(; ?charset=utf-8)?$/i.test(request.headers['content-type'] ?? '')
    if (!isPlain) return engine(openId, page, request, response, asked)
    const form = await readBody(request, response, maxPlainForm)
    if (form === undefined) return
    const answer = await openId.direct[question](authorizations[0]!, form.toString('latin1'), asked.address)
    if (answer) return send(response, 200, 'application/json', JSON.stringify(answer), ownHeaders(asked))
    await engine(openId, page, readOnceMore(request, form), response, asked)
  }

/** Makes the body of a request readable again, with the same or another content. */
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

/** A request without a scope gets the one that every application has (RFC 6749 section 3.3). */
const addDefaultScope = (query: URLSearchParams): void => {
  if ((query.get('scope') ?? '') === '' && !query.has('request_uri')) query.set('scope', 'openid')
}

/** Adds `prompt=consent` to a request for offline_access, as OpenID Connect Core section 11 requires. */
const askForOffline = (query: URLSearchParams): void => {
  query.delete('offline_asked')
  const prompts = query.get('prompt')?.split(' ') ?? []
  const offline = query.get('scope')?.split(' ').includes('offline_access')
  if (!offline || prompts.includes('none') || prompts.includes('consent')) return
  query.set('prompt', [...prompts, 'consent'].join(' '))
  query.set('offline_asked', 'yes')
}

/**
 * Redirects a form that another site posts (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 2) to the same request as
 * a link, because browsers do not send our cookie with such a form.
 */
export const asLink: typeof engine = async (_, page, request, response, asked) => {
  const body = await readBody(request, response, 56 * 1024)
  if (body === undefined) return
  const query = new URLSearchParams([...page.query, ...new URLSearchParams(body.toString('utf8'))])
  redirect(response, asked, 303, `${asked.path}?${query}`)
}

/** The authorization endpoint. */
export const authorize = async (
  openId: OpenId,
  page: PageRequest,
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
): Promise<void> => {
  if (request.method === 'POST') return asLink(openId, page, request, response, asked)
  const query = new URLSearchParams(page.query)
  addDefaultScope(query)
  askForOffline(query)
  moveAsked(query, 'without prompt')
  request.url = `/authorize?${query}`
  await engine(openId, page, request, response, asked)
}

/** Passes a form on to oidc-provider after `change`. */
const changedForm =
  (change: (form: URLSearchParams) => void): typeof engine =>
  async (openId, page, request, response, asked) => {
    if (!isForm(request.headers['content-type'])) return engine(openId, page, request, response, asked)
    const body = await readBody(request, response, 56 * 1024)
    if (body === undefined) return
    const form = new URLSearchParams(body.toString('utf8'))
    change(form)
    await engine(openId, page, readOnceMore(request, Buffer.from(String(form))), response, asked)
  }

/** The endpoint for pushed authorization requests (RFC 9126). */
export const push = changedForm((form) => {
  addDefaultScope(form)
  askForOffline(form)
  moveAsked(form, 'without prompt')
})

/** The introspection endpoint (RFC 7662). */
export const introspect: typeof engine = (openId, page, request, response, asked) =>
  asked.length > maxPlainForm
    ? maskedForm(openId, page, request, response, asked)
    : plainly('introspect')(openId, page, request, response, asked)

const maskedForm = changedForm(maskJwt)

/** The endpoint where a device begins (RFC 8628 section 3.1). */
export const device = changedForm((form) => {
  addDefaultScope(form)
  moveAsked(form, 'with prompt')
})

/** The registration endpoint (RFC 7591 section 3). It ignores our cookie, and pages of other origins cannot call it. */
export const register = async (
  registrations: Registrations,
  page: PageRequest,
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
): Promise<void> => {
  if (!isJson(request.headers['content-type'])) {
    return page.tell({
      status: 415,
      reason: 'not_client_metadata',
      code: 'unsupported_media_type',
    })
  }
  const body = await readBody(request, response, 32 * 1024)
  if (body === undefined) return
  const [authorization = ''] = asked.authorizations.length === 1 ? asked.authorizations : []
  const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1]
  const answer = await registrations.register(body.toString('utf8'), token, page.guest())
  if (!answer) return page.tell(notFoundRefusal)
  const headers = { ...ownHeaders(asked), ...answer.headers }
  send(response, answer.status, 'application/json', JSON.stringify(answer.body), headers)
}
