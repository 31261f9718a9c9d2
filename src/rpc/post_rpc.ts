import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { authorizationOf, type Callers } from '../identity/callers.ts'
import { bearerToken, type Identification } from '../identity/identify.ts'
import { markHeader, type SessionMarks } from '../identity/session_marks.ts'
import { valuesOf } from '../wire/header_list.ts'
import { readBody } from '../wire/request_body.ts'
import { operator, type Caller } from '../contract/caller.ts'
import { AppError } from '../contract/errors.ts'
import { isJson } from '../wire/media_type.ts'
import { ownHeaders, send } from '../wire/responses.ts'
import type { ShowRefusal } from '../html/show_refusal.ts'
import type { Home } from '../contract/home.ts'
import { originOf, type EdgeRequest } from '../wire/request.ts'

interface Parts {
  /** Answers a JSON-RPC message, as on the socket. */
  readonly receive: (
    body: Buffer,
    identify: (member: string | undefined) => Promise<Caller>,
  ) => string | undefined | Promise<string | undefined>
  readonly identification: Identification
  readonly callers: Callers
  readonly operatorToken: string | undefined
  readonly home: Home
  readonly marks: SessionMarks
  readonly tell: ShowRefusal
}

const digest = (text: string) => hash('sha256', text, 'buffer')

/**
 * `POST /rpc` at the edge, with the operator token, the token of a user or our cookie. Without one, only public methods. At the host of
 * a service, every caller is there on behalf of the service, and the operator token does not count.
 */
export class PostRpc {
  readonly #parts: Parts
  readonly #operatorToken: Buffer | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#operatorToken = parts.operatorToken === undefined ? undefined : digest(parts.operatorToken)
  }

  readonly post = async (
    request: IncomingMessage,
    response: ServerResponse,
    asked: EdgeRequest,
  ): Promise<void> => {
    // A form of another site cannot send this type without a CORS preflight, and we allow no other site.
    if (!isJson(request.headers['content-type'])) {
      return this.#parts.tell(request, response, asked, {
        status: 415,
        reason: 'not_json_rpc',
        code: 'unsupported_media_type',
      })
    }
    const body = await readBody(request, response)
    if (body === undefined) return
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const answer = await this.#parts.receive(body, (member) =>
      this.#identify(request, asked, gone.signal, member),
    )
    if (answer === undefined) response.writeHead(204, ownHeaders(asked)).end()
    else send(response, 200, 'application/json', answer, ownHeaders(asked))
  }

  async #identify(
    request: IncomingMessage,
    asked: EdgeRequest,
    gone: AbortSignal,
    member: string | undefined,
  ): Promise<Caller> {
    const { identification, callers } = this.#parts
    const from = {
      via: 'edge',
      address: asked.address,
      user_agent: request.headers['user-agent'] ?? '',
      gone,
      atService: !this.#parts.home.is(asked.host),
    } as const
    const authorization = authorizationOf(asked.authorizations, member)
    if (authorization !== undefined) {
      const token = bearerToken(authorization)
      if (token !== undefined && !from.atService && this.#isOperator(token)) return operator(from)
      return callers.ofAuthorization(authorization, from)
    }
    if (asked.origin !== originOf(asked) && (await identification.showsCookie(asked))) {
      throw new AppError(
        'unauthenticated',
        'A request with a cookie needs an Origin header that equals the origin of this host',
      )
    }
    const caller = await callers.ofCookie(asked, from)
    if (!from.atService) this.#refuseOtherSession(request, caller?.session_id)
    return caller ?? callers.guest(asked, from)
  }

  /** A page that was made for another session changes nothing. Only pages of home are made for one. */
  #refuseOtherSession({ rawHeaders }: IncomingMessage, sessionId: string | undefined): void {
    const marks = valuesOf(rawHeaders, markHeader)
    // A program that shows a cookie is no page, and names no site.
    if (marks.length === 0 && !valuesOf(rawHeaders, 'sec-fetch-site').includes('same-origin')) return
    if (marks.length === 0 && sessionId === undefined) return
    const [mark, ...more] = marks
    const fits =
      mark !== undefined &&
      more.length === 0 &&
      sessionId !== undefined &&
      this.#parts.marks.isOf(mark, sessionId)
    if (!fits) throw new AppError('session_changed')
  }

  #isOperator(token: string): boolean {
    return this.#operatorToken !== undefined && timingSafeEqual(digest(token), this.#operatorToken)
  }
}
