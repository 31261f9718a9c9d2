import type { IncomingMessage, ServerResponse } from 'node:http'
import { bearerToken } from '../identity/identify.ts'
import type { HeroAuth, OldAnswer } from './hero_auth.ts'
import { readBody } from '../wire/request_body.ts'
import { guest, type Caller } from '../contract/caller.ts'
import { isJson } from '../wire/media_type.ts'
import { ownHeaders, send } from '../wire/responses.ts'
import type { EdgeRequest } from '../wire/request.ts'
import type { ShowRefusal } from '../html/show_refusal.ts'
import type { OwnPath, OwnPathHandler } from '../wire/own_path.ts'

type Fields = Readonly<Record<string, unknown>>
type Old = (fields: Fields, caller: Caller) => Promise<OldAnswer>

const readFields = (body: Buffer): Fields | undefined => {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined
  } catch {
    return undefined
  }
}

/** A path of the old service, with JSON in both directions. */
const asOld =
  (call: Old, tell: ShowRefusal): OwnPathHandler =>
  async (request: IncomingMessage, response: ServerResponse, asked: EdgeRequest) => {
    if (!isJson(request.headers['content-type']))
      return tell(request, response, asked, {
        status: 415,
        reason: 'not_json_object',
        code: 'unsupported_media_type',
      })
    const body = await readBody(request, response, 64 * 1024)
    if (body === undefined) return
    const fields = readFields(body)
    const user_agent = request.headers['user-agent'] ?? ''
    const caller = guest({ via: 'edge', address: asked.address, user_agent })
    const answer: OldAnswer = fields
      ? await call(fields, caller)
      : {
          status: 400,
          body: { error: 'invalid_request', error_description: 'The body must be a JSON object' },
        }
    send(response, answer.status, 'application/json', JSON.stringify(answer.body), {
      ...ownHeaders(asked),
      ...(answer.retryAfter !== undefined && { 'retry-after': answer.retryAfter }),
    })
  }

/** The paths of the old hero_auth. What is not posted to /register and /validate may be a page of a service. */
export const restPaths = (old: HeroAuth, tell: ShowRefusal): readonly OwnPath[] => {
  const call = { methods: ['POST'], takes: 'json', at: ['home'] } as const
  return [
    { ...call, path: '/token', handler: asOld(old.token, tell) },
    { ...call, path: '/login', handler: asOld(old.login, tell) },
    { ...call, path: '/register', otherMethods: 'route', handler: asOld(old.register, tell) },
    { ...call, path: '/validate', otherMethods: 'route', handler: validate(old, tell) },
  ]
}

/** The token may also come as Authorization. */
const validate =
  (old: HeroAuth, tell: ShowRefusal): OwnPathHandler =>
  (request, response, asked) => {
    const [authorization] = asked.authorizations
    const shown = asked.authorizations.length === 1 ? bearerToken(authorization!) : undefined
    return asOld(
      (fields, caller) =>
        old.validate(shown === undefined || 'token' in fields ? fields : { token: shown }, caller),
      tell,
    )(request, response, asked)
  }
