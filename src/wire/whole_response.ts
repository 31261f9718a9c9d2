import { HeaderNames, type HeaderName } from './header_names.ts'
import { httpDate } from './http_date.ts'
import { endsAt, head, inbox, isUsual, numberAt, parts, readChunkedBody, spans } from './parser.ts'
import { isOwnCookie } from './cookies.ts'
import {
  cacheControl,
  cookieNamed,
  isPageType,
  responseTreatmentOf,
  type Caching,
  type ResponseTreatment,
} from './response_treatment.ts'

type Treatment = ResponseTreatment | 'coding' | 'date' | 'odd'

const names = new HeaderNames<Treatment>((text, lower) => {
  if (lower === 'transfer-encoding') return 'coding'
  if (lower === 'date') return 'date'
  // `Connection: close` could list a header named Close.
  return lower === 'close' ? 'odd' : responseTreatmentOf(text)
})

/** Values of Connection that list no header. */
const plainConnection = /^(keep-alive|close)$/i
/** The position after `HTTP/1.1 200 `. */
const reasonAt = 13

/** Whether the reason phrase may be passed on as received (RFC 9112 section 4). */
const isPlainReason = (): boolean => {
  if (head.reasonStart !== reasonAt || head.reasonEnd === 0) return false
  for (let i = reasonAt; i < head.reasonEnd; i++) if (inbox[i]! < 0x20 || inbox[i] === 0x7f) return false
  return true
}

// Set while the headers of the response are read.
let size = -1
let isChunked = false
let isDated = false
let caching: Caching = 'shared'
/** The values of Cache-Control, joined by commas. */
let said = ''
let isPage: boolean | undefined

/** Starts a response. Returns false if its first line is not in the usual form. */
const begin = (allowed: Caching): boolean => {
  const { status, upgrade } = head
  size = -1
  isChunked = isDated = false
  caching = allowed
  said = ''
  isPage = undefined
  return status >= 200 && status <= 599 && !upgrade && isPlainReason()
}

/** Whether the header whose spans begin at `i` is passed on. Returns undefined if it makes the response more than a plain one. */
const passes = (i: number, name: HeaderName<Treatment>, text: string): boolean | undefined => {
  const start = spans[i + 2]!
  const end = spans[i + 3]!
  switch (name.treatment) {
    case 'keep':
      return true
    case 'type':
      if (caching === 'private') isPage = (isPage ?? false) || isPageType(text.slice(start, end))
      return true
    case 'cache':
      if (caching === 'shared') return true
      said = said === '' ? text.slice(start, end) : `${said},${text.slice(start, end)}`
      return false
    case 'shared cache':
      return caching === 'shared'
    case 'date':
      return (isDated = true)
    case 'length':
      size = numberAt(start, end)
      return size >= 0 || undefined
    case 'cookie': {
      const cookie = text.slice(start, end)
      return !/hero/i.test(cookie) || !isOwnCookie(cookieNamed(cookie))
    }
    case 'connection':
      return plainConnection.test(text.slice(start, end)) ? false : undefined
    case 'coding':
      if (isChunked || text.slice(start, end).toLowerCase() !== 'chunked') return undefined
      isChunked = true
      return false
    case 'site data':
    case 'worker scope':
    case 'odd':
      return undefined
    default:
      return false
  }
}

/**
 * The number of `parts` of a chunked body, 0 for another body, or undefined if the response does not end exactly at `length`. `next` is
 * the end of the last header.
 */
const partsOfBody = (length: number, next: number, isHead: boolean): number | undefined => {
  const { status, end } = head
  if (!endsAt(next)) return undefined
  const bodiless = isHead || status === 204 || status === 304
  if (isChunked) {
    // Without a body, the coding means nothing to the client.
    const found = bodiless ? -1 : readChunkedBody(length)
    return found < 0 ? undefined : found
  }
  return (bodiless ? length === end : size >= 0 && end + size === length) ? 0 : undefined
}

/** The Cache-Control that the response gets instead of its own. */
const ownCacheControl = (): string | undefined =>
  caching === 'shared' ? undefined : cacheControl(head.status, said, caching, isPage)

/** The body as text, with new chunk headers. */
const chunked = (count: number): string => {
  let text = ''
  for (let i = 0; i < count * 2; i += 2) {
    const [start, end] = [parts[i]!, parts[i + 1]!]
    text += `${(end - start).toString(16)}\r\n${inbox.latin1Slice(start, end)}\r\n`
  }
  return `${text}0\r\n\r\n`
}

/**
 * The response in the inbox, whose `head` was just read, as latin1 text for the client. Returns undefined unless it is plain: complete,
 * with nothing after it and every header in the usual form. The result equals that of `responseHeaders` and `responseHead`.
 */
export const wholeResponse = (
  length: number,
  isHead: boolean,
  ends: boolean,
  allowed: Caching,
): string | undefined => {
  if (!begin(allowed)) return undefined
  const text = inbox.latin1Slice(0, length)
  let out = ''
  /** Start of the lines that are passed on but not yet in `out`. */
  let from = 0
  let next = head.reasonEnd + 2
  for (let i = 0; i < head.count * 4; i += 4) {
    if (!isUsual(i, next)) return undefined
    const start = next
    next = spans[i + 3]! + 2
    const pass = passes(i, names.at(start, spans[i + 1]!), text)
    if (pass === undefined) return undefined
    if (pass) continue
    out += text.slice(from, start)
    from = next
  }
  const count = partsOfBody(length, next, isHead)
  if (count === undefined) return undefined
  out += text.slice(from, next)
  const control = ownCacheControl()
  if (control !== undefined) out += `Cache-Control: ${control}\r\n`
  if (!isDated) out += `Date: ${httpDate()}\r\n`
  if (ends) out += 'Connection: close\r\n'
  return isChunked ? `${out}Transfer-Encoding: chunked\r\n\r\n${chunked(count)}` : out + text.slice(next)
}

/** A complete response for HTTP/2. */
export interface WholeFields {
  /** A flat list with names in lower case; `:status` comes first. */
  readonly fields: string[]
  /** In latin1. */
  readonly body: string
}

/** The same for HTTP/2, under the same conditions. */
export const wholeFields = (length: number, isHead: boolean, allowed: Caching): WholeFields | undefined => {
  // The content of a 205 cannot be sent (RFC 9110 section 15.3.6).
  if (!begin(allowed) || head.status === 205) return undefined
  const text = inbox.latin1Slice(0, head.end)
  const fields = [':status', String(head.status)]
  let next = head.reasonEnd + 2
  for (let i = 0; i < head.count * 4; i += 4) {
    if (!isUsual(i, next)) return undefined
    const start = next
    next = spans[i + 3]! + 2
    const name = names.at(start, spans[i + 1]!)
    const pass = passes(i, name, text)
    if (pass === undefined) return undefined
    if (pass) fields.push(name.lower, text.slice(spans[i + 2], spans[i + 3]))
  }
  const count = partsOfBody(length, next, isHead)
  if (count === undefined) return undefined
  const control = ownCacheControl()
  if (control !== undefined) fields.push('cache-control', control)
  if (!isDated) fields.push('date', httpDate())
  if (!isChunked) return { fields, body: inbox.latin1Slice(head.end, length) }
  let body = ''
  for (let i = 0; i < count * 2; i += 2) body += inbox.latin1Slice(parts[i]!, parts[i + 1]!)
  return { fields, body }
}
