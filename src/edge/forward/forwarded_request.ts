import type { RoutePlan } from '../../routes/route_table.ts'
import type { Body, ReceivedRequest } from '../../wire/client_response.ts'
import { setCookie } from '../../wire/cookies.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import type { Forwarded } from './forwarded.ts'
import type { LoopDetection } from './loop_detection.ts'
import type { Pass } from './pass.ts'
import { requestHeaders } from './request_headers.ts'
import { withHeldBody } from './signed_bodies.ts'
import { upstreamTarget } from './upstream_target.ts'

const none: readonly string[] = []

/** The request to send upstream. It is built from the decision and the parsed request, never by editing what the client sent. */
export const forwardedRequest = (
  sent: ReceivedRequest,
  asked: EdgeRequest,
  plan: RoutePlan,
  pass: Pass,
  body: Body | undefined,
  loops: LoopDetection,
): Forwarded => {
  const { target, prefix } = upstreamTarget(asked, plan)
  const headers = requestHeaders(sent.rawHeaders, asked, plan, pass, prefix)
  // After the entries of the proxies before us: Via lists them in the order of the path.
  headers.push('Via', loops.entry(sent.httpVersion))
  const clearCookie =
    pass.staleCookie === undefined
      ? none
      : ['Set-Cookie', setCookie(pass.staleCookie, '', 0), 'Cache-Control', 'no-store']
  const whole = pass.body && withHeldBody(asked, pass.body)
  return {
    asked: whole?.asked ?? asked,
    pass,
    plan,
    target,
    headers,
    answerHeaders: clearCookie,
    body: whole ? whole.body : asked.body && body,
  }
}
