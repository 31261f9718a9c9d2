import { ClaimRequired, Unauthenticated } from './errors.ts'
import { identityFrom, requireClaim, type HeadersLike, type Identity } from './identity.ts'

/** What a guard requires: nothing (guests pass too), any identity (`true`), or a claim rule. */
export type Guard = undefined | true | string | readonly string[]

/** Makes the check of a guard. It returns the identity, or undefined for a permitted guest. It throws an error with `status` 401 or 403. */
const checkOf = (guard: Guard): ((headers: HeadersLike) => Identity | undefined) => {
  if (guard === undefined) return identityFrom
  if (guard !== true) return requireClaim(guard)
  return (headers) => {
    const identity = identityFrom(headers)
    if (!identity) throw new Unauthenticated('Not signed in', 'unauthenticated', -32001)
    return identity
  }
}

const refusal = (
  error: unknown,
): { status: 401 | 403; body: { title: string; status: number; code: string } } => {
  if (!(error instanceof Unauthenticated || error instanceof ClaimRequired)) throw error
  const { status, code, message } = error
  return { status, body: { title: message, status, code } }
}

type NodeHeaders = Readonly<Record<string, string | string[] | undefined>>

interface NodeResponse {
  writeHead(status: number, headers: Record<string, string>): { end(body: string): unknown }
}

const refuse = (response: NodeResponse, error: unknown): void => {
  const { status, body } = refusal(error)
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body))
}

/** node:http: `createServer(withIdentity('wiki.*', (request, response, who) => …))`. */
export const withIdentity = <Q extends { headers: NodeHeaders }, R extends NodeResponse, G extends Guard>(
  guard: G,
  handler: (request: Q, response: R, who: G extends undefined ? Identity | undefined : Identity) => unknown,
): ((request: Q, response: R) => void) => {
  const check = checkOf(guard)
  return (request, response) => {
    let who
    try {
      who = check(request.headers)
    } catch (error) {
      return refuse(response, error)
    }
    handler(request, response, who as never)
  }
}

interface ExpressRequest {
  headers: NodeHeaders
  hero?: Identity
}

/** Express: `app.use(heroExpress())` for all requests, or `app.get('/x', heroExpress('wiki.*'), …)` with a rule; then read `request.hero`. */
export const heroExpress = (guard?: Guard) => {
  const check = checkOf(guard)
  return (request: ExpressRequest, response: NodeResponse, next: () => void): void => {
    try {
      request.hero = check(request.headers)
    } catch (error) {
      return refuse(response, error)
    }
    next()
  }
}

interface FastifyReply {
  code(status: number): { type(type: string): { send(body: string): unknown } }
}

/** Fastify: `app.addHook('onRequest', heroFastify())`, or as `onRequest` of one route with a rule; then read `request.hero`. */
export const heroFastify = (guard?: Guard) => {
  const check = checkOf(guard)
  return async (
    request: { headers: NodeHeaders; hero?: Identity },
    reply: FastifyReply,
  ): Promise<unknown> => {
    try {
      request.hero = check(request.headers)
      return undefined
    } catch (error) {
      const { status, body } = refusal(error)
      return reply.code(status).type('application/problem+json').send(JSON.stringify(body))
    }
  }
}

interface HonoContext {
  req: { raw: { headers: { get(name: string): string | null } } }
  set(key: 'hero', value: Identity | undefined): void
}

/** Hono: `app.use(heroHono())`, or before one handler with a rule; then read `context.get('hero')`. */
export const heroHono = (guard?: Guard) => {
  const check = checkOf(guard)
  return async (context: HonoContext, next: () => Promise<void>): Promise<Response | undefined> => {
    try {
      context.set('hero', check(context.req.raw.headers))
    } catch (error) {
      const { status, body } = refusal(error)
      return new Response(JSON.stringify(body), {
        status,
        headers: { 'content-type': 'application/problem+json' },
      })
    }
    await next()
    return undefined
  }
}
