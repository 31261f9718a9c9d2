import type { RoutePlan } from '../routes/table.ts'
import { detached } from '../wire/detached.ts'
import { fold, longestKept, methodOverrides, hopByHop, listedIn } from '../wire/header_list.ts'
import type { Asked } from './asked.ts'
import { withoutOurs } from './cookies.ts'
import { hostOf } from './onward.ts'
import { signatureHeaders } from './signature.ts'
import type { Pass } from './forward/pass.ts'

/** Who goes upstream: the identity headers are made from this and from nothing else. */
export interface Identity {
  /** Not sent, but for what is signed. */
  readonly session_id: string
  readonly username: string
  readonly context: number
  /** As sent: comma separated, no spaces. */
  readonly claims: string
  readonly email: string | null
  /** The administrator who acts as this user. */
  readonly impersonator: string | undefined
  /** The same identity, signed. */
  readonly assertion: string | undefined
  /** What a provider gave of the person, where the route passes it on. */
  readonly provider_token?: string | undefined
}

export type AuthMethod = 'none' | 'network' | 'bearer' | 'oauth' | 'local' | 'signature'
/** Names that tell an upstream who or what the request is: only we say that. */
const claimed: ReadonlySet<string> = new Set([
  ...methodOverrides,
  'forwarded',
  'x-real-ip',
  'x-client-ip',
  'x-forwarded',
  'x-original-uri',
  'x-original-host',
  'x-original-forwarded-for',
  // CGI turns it into HTTP_PROXY, which many programs obey (CVE-2016-5385).
  'proxy',
  'x-cluster-client-ip',
  'true-client-ip',
  'client-ip',
  'x-original-url',
  'x-rewrite-url',
  'x-request-id',
])

const simple = /^[a-zA-Z0-9-]+$/

const isReserved = (folded: string): boolean =>
  folded.startsWith('x-hero-') ||
  folded.startsWith('x-proxy-') ||
  folded.startsWith('x-forwarded-') ||
  claimed.has(folded)

/** How a header of the client is treated, by its name as received. Names repeat: the answer is kept. */
export type Treatment = 'drop' | 'connection' | 'cookie' | 'authorization' | 'signature' | 'keep'
const treatments = new Map<string, Treatment>()

const treat = (name: string): Treatment => {
  const lower = name.toLowerCase()
  const folded = simple.test(name) ? lower : fold(name)
  if (isReserved(folded)) return 'drop'
  // A twin of a name that borders messages (`Content_Length`) is read as that name by uWSGI and its kin: a smuggled body.
  if (folded !== lower && (hopByHop.has(folded) || folded === 'content-length')) return 'drop'
  if (lower === 'connection') return 'connection'
  if (lower === 'cookie') return 'cookie'
  if (lower === 'authorization') return 'authorization'
  if (signatureHeaders.has(folded)) return 'signature'
  if (hopByHop.has(lower) || lower === 'host' || lower === 'expect' || lower === 'content-length')
    return 'drop'
  return 'keep'
}

export const treatmentOf = (name: string): Treatment => {
  let treatment = treatments.get(name)
  if (treatment === undefined) {
    treatment = treat(name)
    // Bounded: clients choose the names.
    if (treatments.size < 2000 && name.length <= longestKept) treatments.set(detached(name), treatment)
  }
  return treatment
}
/** What a value of ours may hold: a stray line break in the database must not become a header of its own. */
const sendable = /^[\t\u0020-\u007e\u0080-\u00ff]*$/
const ours = (value: string): string => {
  if (!sendable.test(value)) throw new TypeError('an identity header cannot hold this value')
  return value
}

/** The headers of the forwarded request, as a flat list: Host, the client's own, then ours. Built from nothing, never patched. */
export const requestHeaders = (
  rawHeaders: readonly string[],
  asked: Asked,
  plan: RoutePlan,
  pass: Pass,
  /** What was taken off the path. */
  prefix: string | undefined,
): string[] => {
  const list = ['Host', plan.route.preserve_host ? asked.authority : hostOf(plan.upstreams[0]!)]
  let listed: string[] | undefined
  let cookies = ''
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (treatmentOf(rawHeaders[i]!) === 'connection')
      listed = (listed ?? []).concat(listedIn(rawHeaders[i + 1]!))
  }
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    const value = rawHeaders[i + 1]!
    switch (treatmentOf(name)) {
      case 'cookie': {
        const kept = withoutOurs(value)
        if (kept !== undefined) cookies = cookies === '' ? kept : `${cookies}; ${kept}`
        break
      }
      case 'authorization':
        // Two count as none, here and there: one of them may be a token of ours that was not looked at.
        if (
          !pass.authorizationUsed &&
          asked.authorizations.length === 1 &&
          !listed?.includes('authorization')
        )
          list.push(name, value)
        break
      case 'signature':
        // Used up where they are ours; anywhere else an application's own headers of these names pass.
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

/** The headers that tell a service who is asking. */
export const identityHeaders = (pass: Pass): string[] => addIdentity([], pass)

/** RFC 6750 section 2.1, and what else some providers put into a token; anything else goes nowhere. */
const plainToken = /^[\x21-\x7e]{1,8192}$/

const addIdentity = (list: string[], { identity, method, pubkey }: Pass): string[] => {
  list.push('X-Proxy-Auth-Method', method)
  if (identity) {
    list.push(
      'X-Hero-User',
      ours(identity.username),
      'X-Hero-Context',
      String(identity.context),
      'X-Hero-Claims',
      ours(identity.claims),
    )
    if (identity.email !== null) list.push('X-Proxy-User-Email', ours(identity.email))
    if (pubkey !== undefined) list.push('X-Proxy-User-Pubkey', pubkey)
    if (identity.impersonator !== undefined) list.push('X-Hero-Impersonator', ours(identity.impersonator))
    if (identity.assertion !== undefined) list.push('X-Hero-Assertion', identity.assertion)
    if (identity.provider_token !== undefined && plainToken.test(identity.provider_token))
      list.push('X-Proxy-Provider-Token', identity.provider_token)
  }
  return list
}

/** The head of the forwarded request as it is sent (RFC 9112 section 3). */
export const requestHead = (asked: Asked, target: string, list: readonly string[]): string => {
  let head = `${asked.method} ${target} HTTP/1.1\r\n`
  for (let i = 0; i < list.length; i += 2) head += `${list[i]}: ${list[i + 1]}\r\n`
  return head + framing(asked)
}

/** The end of a head: what says where the body ends, and the empty line. */
export const framing = ({ method, body, length, expect }: Asked): string => {
  let end = ''
  if (body === 'chunked') end += 'Transfer-Encoding: chunked\r\n'
  if (body === 'length') end += `Content-Length: ${length}\r\n`
  // Without a body, methods that usually have one say so (RFC 9110 section 8.6).
  if (body === undefined && (method === 'POST' || method === 'PUT' || method === 'PATCH'))
    end += 'Content-Length: 0\r\n'
  if (expect !== undefined) end += `Expect: ${expect}\r\n`
  return `${end}\r\n`
}

/** The trailers of a request as they go on: what may stand in a head, and nothing that decides there (RFC 9110 section 6.5.1). */
export const trailersFor = (rawTrailers: readonly string[]): string => {
  let text = ''
  for (let i = 0; i < rawTrailers.length; i += 2) {
    const name = rawTrailers[i]!
    if (
      treatmentOf(name) === 'keep' &&
      !/^(content-|cache-control$|if-|range$|max-forwards$|pragma$|trailer$)/i.test(name)
    )
      text += `${name}: ${rawTrailers[i + 1]}\r\n`
  }
  return text
}
