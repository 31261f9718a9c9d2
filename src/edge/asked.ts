import type { IncomingMessage } from 'node:http'
import type { Peers } from './peers.ts'

/** What a request asks for, read once; every decision and every forwarded byte comes from here. */
export interface Asked {
  /** Host name in lower case, without port and trailing dot: what routes are found by. */
  readonly host: string
  /** The same with the port that the client named. */
  readonly authority: string
  /** Path and query exactly as received and as forwarded. */
  readonly target: string
  /** The part of `target` before the query. */
  readonly path: string
  readonly secure: boolean
  /** The client's address: the peer's, or what trusted proxies say. */
  readonly address: string
  /** X-Forwarded-For as it is sent on. */
  readonly forwardedFor: string
  readonly requestId: string
  /** Our own origin as the browser sees it. */
  readonly origin: string
}

export interface Refusal {
  readonly status: number
  readonly message: string
}

const maxHeaders = 200
const authority = /^([a-zA-Z0-9](?:[a-zA-Z0-9._-]*[a-zA-Z0-9_-])?|\[[0-9a-fA-F:.]+\])\.?(?::([0-9]{1,5}))?$/
const printable = /^\/[\x21\x22\x24-\x5b\x5d-\x7e]*$/
const brokenEscape = /%(?![0-9a-fA-F]{2})|%00/

/** A segment that is `.` or `..` however it is written, also as `..;x`, or between encoded slashes or backslashes. */
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

const hostLines = (rawHeaders: readonly string[]): string[] => {
  const lines: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === 4 && name.toLowerCase() === 'host') lines.push(rawHeaders[i + 1]!)
  }
  return lines
}

/** Reads a request, or says why it is not one we could judge: then nothing of it is forwarded. */
export const readAsked = (request: IncomingMessage, peers: Peers): Asked | Refusal => {
  const { method, url = '', rawHeaders } = request
  if (method === 'TRACE' || method === 'CONNECT') return { status: 405, message: 'This method is not served' }
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0')
    return { status: 505, message: 'HTTP/1.1 is spoken here' }
  // RFC 9112 section 6.1: HTTP/1.0 knows no codings, and of all others only chunked is certain to be read alike by everybody.
  const coding = request.headers['transfer-encoding']
  if (coding !== undefined && (request.httpVersion === '1.0' || coding.toLowerCase() !== 'chunked'))
    return { status: 400, message: 'The only Transfer-Encoding here is chunked, and only in HTTP/1.1' }
  if (rawHeaders.length > maxHeaders * 2)
    return { status: 431, message: `A request has ${maxHeaders} headers at most` }
  const hosts = hostLines(rawHeaders)
  // RFC 9112 section 3.2: no Host, or more than one, is answered 400.
  if (hosts.length !== 1) return { status: 400, message: 'A request names exactly one Host' }
  const [, name, port] = authority.exec(hosts[0]!) ?? []
  if (name === undefined || Number(port ?? 0) > 65535)
    return { status: 400, message: 'The Host is not a host name' }
  // Only origin-form (RFC 9112 section 3.2.1): absolute-form could name another host than Host does.
  if (!printable.test(url)) return { status: 400, message: 'The request target is not a plain path' }
  const query = url.indexOf('?')
  const path = query < 0 ? url : url.slice(0, query)
  if (brokenEscape.test(path) || hasDotSegment(path)) return { status: 400, message: 'The path is ambiguous' }

  const host = name.toLowerCase()
  const named = port === undefined ? host : `${host}:${port}`
  const peer = peers.of(request)
  return {
    host,
    authority: named,
    target: url,
    path,
    secure: peer.secure,
    address: peer.address,
    forwardedFor: peer.forwardedFor,
    requestId: peer.requestId,
    origin: `${peer.secure ? 'https' : 'http'}://${named}`,
  }
}
