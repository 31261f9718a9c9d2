import type { ReceivedRequest } from './client_response.ts'
import { requestTreatmentOf } from './request_treatment.ts'

/**
 * The effect of a request header. `special`: the request is more than a head and a body of known length. `deciding`: the header
 * affects decisions in a way that no kept decision covers. The named ones are read here; the rest is forwarded or dropped.
 */
export type Treatment =
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

/** The treatment of a header by its name, as received and in lower case. */
export const usualTreatment = (text: string, lower: string): Treatment => {
  if (special.has(lower)) return 'special'
  if (named.has(lower)) return lower as Treatment
  // Via shows whether the request is in a loop. `Connection: close` could list a header named Close. At home's host, a request for the
  // script of a service worker gets another answer. What a page asks in the background is no use of the session.
  if (lower === 'via' || lower === 'close' || lower === 'service-worker' || lower === 'background')
    return 'deciding'
  const treatment = requestTreatmentOf(text)
  return treatment === 'keep' || treatment === 'drop' ? treatment : 'deciding'
}

/** Values of Connection that list no header. */
const plainConnection = /^(keep-alive|close)$/i

/** A request in the usual form, of any HTTP version: a head, and no body or one of known length. */
export abstract class UsualRequest implements ReceivedRequest {
  readonly httpVersion = '1.1'
  readonly method: string
  readonly url: string
  readonly socket: ReceivedRequest['socket']
  /** Whether a kept decision may apply: one Host, at most one Cookie, and nothing else that affects decisions. */
  ordinary = true
  host: string | undefined
  cookie: string | undefined
  origin: string | undefined
  forwardedFor: string | undefined
  forwardedProto: string | undefined
  requestId: string | undefined
  /** Content-Length; undefined if there is none. */
  length: number | undefined
  /** The lines that are forwarded as received. */
  passed = ''

  constructor(method: string, url: string, socket: ReceivedRequest['socket']) {
    this.method = method
    this.url = url
    this.socket = socket
  }

  /** All headers as received. A request with a kept decision never needs them. */
  abstract get rawHeaders(): readonly string[]

  /** Reads a header. Returns false if it makes the request special. */
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

/** Several headers with the same name are equivalent to one list (RFC 9110 section 5.3). */
const joined = (earlier: string | undefined, value: string): string =>
  earlier === undefined ? value : `${earlier},${value}`

export const isBodiless = (method: string): boolean =>
  method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
