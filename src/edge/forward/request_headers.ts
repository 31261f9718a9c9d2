import type { RoutePlan } from '../../routes/route_table.ts'
import { listedIn } from '../../wire/header_list.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import { withoutOwnCookies } from '../../wire/cookies.ts'
import type { Pass } from './pass.ts'
import { addIdentity } from '../../identity/identity_headers.ts'
import { requestTreatmentOf } from '../../wire/request_treatment.ts'
import { hostOf } from '../../upstream/upstream.ts'

/** The headers of the forwarded request, Host first, without the framing of the body. */
export const requestHeaders = (
  rawHeaders: readonly string[],
  asked: EdgeRequest,
  plan: RoutePlan,
  pass: Pass,
  /** The prefix that was stripped from the path. */
  prefix: string | undefined,
): string[] => {
  const list = ['Host', plan.route.preserve_host ? asked.authority : hostOf(plan.upstreams[0]!)]
  let listed: string[] | undefined
  let cookies = ''
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (requestTreatmentOf(rawHeaders[i]!) === 'connection')
      listed = (listed ?? []).concat(listedIn(rawHeaders[i + 1]!))
  }
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    const value = rawHeaders[i + 1]!
    switch (requestTreatmentOf(name)) {
      case 'cookie': {
        const kept = withoutOwnCookies(value)
        if (kept !== undefined) cookies = cookies === '' ? kept : `${cookies}; ${kept}`
        break
      }
      case 'authorization':
        // Two Authorization headers count as none, also upstream: one of them may be a token of ours that we did not check.
        if (
          !pass.authorizationUsed &&
          asked.authorizations.length === 1 &&
          !listed?.includes('authorization')
        )
          list.push(name, value)
        break
      case 'signature':
        // Signatures for us end here. Otherwise the headers belong to the application and pass.
        if (pass.method !== 'signature' && !listed?.includes(name.toLowerCase())) list.push(name, value)
        break
      case 'keep':
        if (!listed?.includes(name.toLowerCase())) list.push(name, value)
        break
      default:
    }
  }
  if (cookies !== '') list.push('Cookie', cookies)
  list.push(
    'X-Forwarded-For',
    asked.forwardedFor,
    'X-Forwarded-Proto',
    asked.secure ? 'https' : 'http',
    'X-Forwarded-Host',
    asked.authority,
    'X-Request-Id',
    asked.requestId,
  )
  if (prefix !== undefined) list.push('X-Forwarded-Prefix', prefix)
  return addIdentity(list, pass)
}

/** The head of the forwarded request (RFC 9112 section 3). */
export const requestHead = (asked: EdgeRequest, target: string, list: readonly string[]): string => {
  let head = `${asked.method} ${target} HTTP/1.1\r\n`
  for (let i = 0; i < list.length; i += 2) head += `${list[i]}: ${list[i + 1]}\r\n`
  return head + framing(asked)
}

/** The end of a head: the framing of the body, and the empty line. */
export const framing = ({ method, body, length, expect }: EdgeRequest): string => {
  let end = ''
  if (body === 'chunked') end += 'Transfer-Encoding: chunked\r\n'
  if (body === 'length') end += `Content-Length: ${length}\r\n`
  // Methods that usually have a body must say that they have none (RFC 9110 section 8.6).
  if (body === undefined && (method === 'POST' || method === 'PUT' || method === 'PATCH'))
    end += 'Content-Length: 0\r\n'
  if (expect !== undefined) end += `Expect: ${expect}\r\n`
  return `${end}\r\n`
}

/** The trailers to forward: only headers that are safe to pass and that affect neither framing nor routing (RFC 9110 section 6.5.1). */
export const trailersFor = (rawTrailers: readonly string[]): string => {
  let text = ''
  for (let i = 0; i < rawTrailers.length; i += 2) {
    const name = rawTrailers[i]!
    if (
      requestTreatmentOf(name) === 'keep' &&
      !/^(content-|cache-control$|if-|range$|max-forwards$|pragma$|trailer$)/i.test(name)
    )
      text += `${name}: ${rawTrailers[i + 1]}\r\n`
  }
  return text
}
