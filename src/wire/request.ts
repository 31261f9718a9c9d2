import { detached } from './detached.ts'
import { DecidingHeaders } from './deciding_headers.ts'
import { peerOf, type ClientAddresses } from './client_address.ts'
import type { ReceivedRequest } from './client_response.ts'

/** A request, parsed once. Every decision and every forwarded byte is based on it. */
export interface EdgeRequest {
  readonly method: string
  /** The host name in lower case, without port and trailing dot. It selects the routes. Empty in HTTP/1.0 without Host. */
  readonly host: string
  /** The same with the port, if the client named one. */
  readonly authority: string
  /** Path and query exactly as received and as forwarded. */
  readonly target: string
  /** The part of `target` before the query. */
  readonly path: string
  readonly secure: boolean
  /** The address of the client: the peer, or what trusted proxies report. */
  readonly address: string
  /** False if a trusted proxy did not say it readably. Then `address` is the proxy's, which counts for limits and identifies nobody. */
  readonly addressKnown: boolean
  /** X-Forwarded-Port of a trusted proxy: the port at which the client came. */
  readonly forwardedPort: string | undefined
  /** X-Forwarded-For as it is forwarded. */
  readonly forwardedFor: string
  readonly requestId: string
  /** Whether a page asks by itself (header `Background`), so that the request does not count as use of the session. */
  readonly background: boolean
  /** The values of all Cookie headers. */
  readonly cookies: readonly string[]
  /** The values of all Authorization headers. More than one counts as none. */
  readonly authorizations: readonly string[]
  /** The Origin header: the site that sent the request, if the browser reveals it. */
  readonly origin: string | undefined
  /** The Upgrade header: the protocols to switch to. */
  readonly upgrade: string | undefined
  /** How the body is framed (RFC 9112 section 6.3); undefined without a body. */
  readonly body: 'chunked' | 'length' | undefined
  /** Content-Length in bytes; 0 if there is none. */
  readonly length: number
  /** The Expect header. */
  readonly expect: string | undefined
  /** The Via headers: the proxies that the request passed. */
  readonly via: string | undefined
}

export interface RequestError {
  readonly status: number
  readonly message: string
}

const maxHeaders = 200
const authority = /^([a-zA-Z0-9](?:[a-zA-Z0-9._-]*[a-zA-Z0-9_-])?|\[[0-9a-fA-F:.]+\])\.?(?::([0-9]{1,5}))?$/
const printable = /^\/[\x21\x22\x24-\x5b\x5d-\x7e]*$/
const brokenEscape = /%(?![0-9a-fA-F]{2})|%00/

/** A segment `.` or `..` in any spelling, also as `..;x`, or between encoded slashes or backslashes. */
const dotSegment = /(^|\/)\.{1,2}(;[^/]*)?(\/|$)/
const hasDotSegment = (path: string): boolean => {
  if (!path.includes('.') && !/%2e/i.test(path) && !path.includes('%25')) return false
  let text = path
  for (let i = 0; i < 3; i++) {
    if (dotSegment.test(text)) return true
    text = text.replaceAll(/%(2e|2f|5c|25|3b)/gi, (_, hex: string) => {
      const character = String.fromCharCode(Number.parseInt(hex, 16))
      return character === '\\' ? '/' : character
    })
  }
  return dotSegment.test(text)
}

/** Paths without a dot, an escape or anything else ambiguous. */
const plainTarget = /^\/[a-zA-Z0-9/_-]*$/

/** Parsed Host headers, because clients repeat them. Bounded, because clients choose them. */
const hosts = new Map<string, { host: string; authority: string }>()

/** Of a request without Host: no route has an empty host, so it matches none. */
const noHost = { host: '', authority: '' }

const readHost = (text: string | undefined): { host: string; authority: string } | undefined => {
  if (text === undefined) return noHost
  const known = hosts.get(text)
  if (known !== undefined) return known
  const [, name, port] = authority.exec(text) ?? []
  if (name === undefined || Number(port ?? 0) > 65535) return undefined
  const host = detached(name).toLowerCase()
  const read = { host, authority: port === undefined ? host : `${host}:${port}` }
  // No name is longer, port included (RFC 1035 section 2.3.4).
  if (hosts.size < 2000 && text.length <= 261) hosts.set(detached(text), read)
  return read
}

/** Where a request goes. Everything else relies on this one parse of host and target. */
interface Place {
  readonly host: string
  readonly authority: string
  readonly target: string
  readonly path: string
}

/**
 * Parses a Host header and a request target. Refuses what other software could read differently. Without a Host header the host
 * is empty.
 */
export const parseTarget = (hostText: string | undefined, target: string): Place | RequestError => {
  const read = readHost(hostText)
  if (!read) return { status: 400, message: 'The Host header is not a host name' }
  if (plainTarget.test(target)) return { ...read, target, path: target }
  // Only origin-form (RFC 9112 section 3.2.1): absolute-form could name a host other than the Host header.
  if (!printable.test(target)) return { status: 400, message: 'The request target is not a plain path' }
  const query = target.indexOf('?')
  const path = query < 0 ? target : target.slice(0, query)
  if (brokenEscape.test(path) || hasDotSegment(path)) return { status: 400, message: 'The path is ambiguous' }
  return { ...read, target, path }
}

export const isRequestError = (read: object): read is RequestError => 'message' in read

/** Parses a request, or returns why it is refused. Nothing of a refused request is forwarded. */
export const readRequest = (sent: ReceivedRequest, peers: ClientAddresses): EdgeRequest | RequestError => {
  const { method = '', url = '', rawHeaders, httpVersion } = sent
  if (method === 'TRACE' || method === 'CONNECT')
    return { status: 405, message: 'This method is not supported' }
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return { status: 505, message: 'Use HTTP/1.1' }
  if (rawHeaders.length > maxHeaders * 2)
    return { status: 431, message: `A request may have at most ${maxHeaders} headers` }
  const headers = new DecidingHeaders(rawHeaders)
  // HTTP/1.0 has no codings, and only chunked is read alike by all software (RFC 9112 section 6.1).
  const coding = headers.list('transfer-encoding')
  if (coding !== undefined && (httpVersion === '1.0' || coding.toLowerCase() !== 'chunked'))
    return { status: 400, message: 'The only supported Transfer-Encoding is chunked, in HTTP/1.1' }
  // RFC 9112 section 3.2. HTTP/1.0 has no Host: probes and old clients leave it out.
  const [host, ...more] = headers.all('host')
  if ((host === undefined && httpVersion !== '1.0') || more.length > 0)
    return { status: 400, message: 'A request must have exactly one Host header' }
  const place = parseTarget(host, url)
  if (isRequestError(place)) return place
  const { address, addressKnown, forwardedFor, secure, requestId } = peers.of(sent.socket, headers)
  const length = Number(headers.all('content-length')[0] ?? 0)
  return {
    method,
    host: place.host,
    authority: place.authority,
    target: place.target,
    path: place.path,
    secure,
    address,
    addressKnown,
    forwardedPort: peers.trusts(peerOf(sent)) ? headers.list('x-forwarded-port') : undefined,
    forwardedFor,
    requestId,
    background: headers.has('background'),
    cookies: headers.all('cookie'),
    authorizations: headers.all('authorization'),
    origin: headers.list('origin'),
    upgrade: headers.list('upgrade'),
    body: coding === undefined ? (length > 0 ? 'length' : undefined) : 'chunked',
    length,
    expect: headers.list('expect'),
    via: headers.list('via'),
  }
}

/** Our origin as the browser sees it (RFC 6454 section 6.2). */
export const originOf = ({ secure, authority }: Pick<EdgeRequest, 'secure' | 'authority'>): string =>
  `${secure ? 'https' : 'http'}://${authority}`

/** Bytes of a head that we read at all, in every version of HTTP. The setting max_head_bytes says how much of it is forwarded. */
export const readableHeadBytes = 128 * 1024

/** Reads a request whose head is larger than max_head_bytes, because it removes what made the head large. */
export const cookiesPath = '/.hero_proxy/cookies'

/** Bytes of the head of a request as HTTP/1.1 writes it (RFC 9112 section 2.1): each header is `Name: value`. */
export const headBytesOf = ({ method = '', url = '', rawHeaders }: ReceivedRequest): number => {
  let bytes = method.length + url.length + ' HTTP/1.1\r\n'.length + 1 + '\r\n'.length
  for (const text of rawHeaders) bytes += text.length + 2
  return bytes
}
