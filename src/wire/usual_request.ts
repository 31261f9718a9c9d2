import type { Sent } from './client_response.ts'
import { treatmentOf } from './request_treatment.ts'

/**
 * What a header of a request does to it. `special` makes it more than a head and a body of known length; `deciding` takes part in
 * decisions in ways that no kept decision covers; the named ones are read here; the rest passes or is dropped.
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
  // Via says whether the request has been here before. A header named Close could be what `Connection: close` lists.
  if (lower === 'via' || lower === 'close') return 'deciding'
  const treatment = treatmentOf(text)
  return treatment === 'keep' || treatment === 'drop' ? treatment : 'deciding'
}

/** Values of Connection that list no header. */
const plainConnection = /^(keep-alive|close)$/i

/** A request in the usual form, of any version of HTTP: a head, and a body of known length or none. */
export abstract class UsualRequest implements Sent {
  readonly httpVersion = '1.1'
  readonly method: string
  readonly url: string
  readonly socket: Sent['socket']
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

  constructor(method: string, url: string, socket: Sent['socket']) {
    this.method = method
    this.url = url
    this.socket = socket
  }

  /** Every header as it came. A request that passes by a kept decision never needs them. */
  abstract get rawHeaders(): readonly string[]

  /** Reads a header. Returns false where it makes the request special. */
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

export const isBodiless = (method: string): boolean =>
  method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
