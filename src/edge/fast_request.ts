import type { Socket } from 'node:net'
import { HeaderNames, type HeaderName } from '../wire/header_names.ts'
import { endsAt, head, isUsual, methodNames, numberAt, spans } from '../wire/parser.ts'
import { asksAbout } from './asked_about.ts'
import { treatmentOf } from './headers.ts'
import type { Sent } from './recipient.ts'

/**
 * What a header of a request does to it. `special` makes it more than a head and a body of known length; `deciding` takes part in
 * decisions in ways that no kept decision covers; the named ones are read here; the rest passes or is dropped.
 */
type Treatment =
  | 'special'
  | 'deciding'
  | 'host'
  | 'cookie'
  | 'origin'
  | 'connection'
  | 'content-length'
  | 'x-forwarded-for'
  | 'x-forwarded-proto'
  | 'x-request-id'
  | 'drop'
  | 'keep'

const special: ReadonlySet<string> = new Set(['transfer-encoding', 'expect', 'upgrade', 'trailer', 'te'])
const named: ReadonlySet<string> = new Set<Treatment>([
  'host',
  'cookie',
  'origin',
  'connection',
  'content-length',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-request-id',
])

const names = new HeaderNames<Treatment>((text, lower) => {
  if (special.has(lower)) return 'special'
  if (named.has(lower)) return lower as Treatment
  // Via says whether the request has been here before. A header named Close could be what `Connection: close` lists.
  if (lower === 'via' || lower === 'close') return 'deciding'
  const treatment = treatmentOf(text)
  return treatment === 'keep' || treatment === 'drop' ? treatment : 'deciding'
})

/** Values of Connection that list no header. */
const plainConnection = /^(keep-alive|close)$/i

/** The names of the headers of the head that is being read. */
const found: HeaderName<Treatment>[] = []

/** A request in the usual form: a head in which every header stands as `Name: value`, and a body of known length or none. */
export class FastRequest implements Sent {
  readonly httpVersion = '1.1'
  readonly method: string
  readonly url: string
  readonly socket: Socket
  /** The head as latin1, as it came. */
  readonly text: string
  readonly keepAlive: boolean
  /** Whether a kept decision may count for it: one Host, at most one Cookie, and nothing else that decides. */
  ordinary = true
  host: string | undefined
  cookie: string | undefined
  origin: string | undefined
  forwardedFor: string | undefined
  forwardedProto: string | undefined
  requestId: string | undefined
  /** Content-Length, undefined where there is none. */
  length: number | undefined
  /** The lines that pass to the upstream as they came. */
  passed = ''
  #rawHeaders: readonly string[] | undefined

  constructor(method: string, text: string, socket: Socket) {
    this.method = method
    this.text = text
    this.url = text.slice(head.urlStart, head.urlEnd)
    this.socket = socket
    this.keepAlive = head.keepAlive
  }

  /** Every header as it came. A request that passes by a kept decision never needs them. */
  get rawHeaders(): readonly string[] {
    return (this.#rawHeaders ??= rawHeadersOf(this.text))
  }

  /** Takes the headers apart while their positions are known, with names that are strings already. */
  takeApart(): void {
    const list: string[] = []
    for (let i = 0; i < head.count; i++)
      list.push(found[i]!.text, this.text.slice(spans[i * 4 + 2], spans[i * 4 + 3]))
    this.#rawHeaders = list
  }

  /** Reads the header between these positions of the head. Returns false where it makes the request special. */
  read(treatment: Treatment, value: string): boolean {
    switch (treatment) {
      case 'host':
        this.ordinary &&= this.host === undefined
        this.host = value
        return true
      case 'cookie':
        this.ordinary &&= this.cookie === undefined
        this.cookie = value
        return true
      case 'origin':
        this.ordinary &&= this.origin === undefined
        this.origin = value
        return true
      case 'connection':
        this.ordinary &&= plainConnection.test(value)
        return true
      case 'x-forwarded-for':
        this.forwardedFor = joined(this.forwardedFor, value)
        return true
      case 'x-forwarded-proto':
        this.forwardedProto = joined(this.forwardedProto, value)
        return true
      case 'x-request-id':
        this.requestId = joined(this.requestId, value)
        return true
      case 'deciding':
        this.ordinary = false
        return true
      default:
        return treatment !== 'special'
    }
  }
}

/** Several headers of one name mean the same as one with a list (RFC 9110 section 5.3). */
const joined = (before: string | undefined, value: string): string =>
  before === undefined ? value : `${before},${value}`

/** The headers of a head in the usual form. */
const rawHeadersOf = (text: string): string[] => {
  const list: string[] = []
  let start = text.indexOf('\r\n') + 2
  for (let end = text.indexOf('\r\n', start); end > start; end = text.indexOf('\r\n', start)) {
    const colon = text.indexOf(': ', start)
    list.push(text.slice(start, colon), text.slice(colon + 2, end))
    start = end + 2
  }
  return list
}

const isBodiless = (method: string): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

/** The request whose head was just read into `head`, or undefined where node:http has to serve it. */
export const fastRequest = (text: string, socket: Socket): FastRequest | undefined => {
  const method = methodNames[head.method]
  if (method === undefined || head.upgrade) return undefined
  // Empty lines may come before a request (RFC 9112 section 2.2).
  if (head.urlStart !== method.length + 1) return undefined
  const request = new FastRequest(method, text, socket)
  /** Where the lines begin that pass but are not in `passed` yet; -1 for none. */
  let from = -1
  let next = head.urlEnd + ' HTTP/1.1\r\n'.length
  const end = head.count * 4
  for (let i = 0; i < end; i += 4) {
    if (!isUsual(i, next)) return undefined
    const start = next
    next = spans[i + 3]! + 2
    const name = names.at(start, spans[i + 1]!)
    const { treatment } = name
    found[i / 4] = name
    const passes = treatment === 'keep' || treatment === 'origin'
    if (passes && from < 0) from = start
    if (treatment === 'keep') continue
    if (!passes && from >= 0) {
      request.passed += text.slice(from, start)
      from = -1
    }
    if (treatment === 'drop') continue
    if (treatment === 'content-length') {
      // Two of them, even of one value, the parser has refused already.
      request.length = numberAt(spans[i + 2]!, spans[i + 3]!)
      if (request.length < 0 || isBodiless(method)) return undefined
    } else if (!request.read(treatment, text.slice(spans[i + 2], spans[i + 3]))) return undefined
  }
  if (!endsAt(next)) return undefined
  if (from >= 0) request.passed += text.slice(from, next)
  request.ordinary &&= request.host !== undefined
  if (!request.ordinary || asksAbout(request.url)) request.takeApart()
  return request
}
