import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { maxCachedNameLength } from '../../wire/header_list.ts'
import { http1Headers, isPlainValue, isInvalidName } from './http2_fields.ts'
import type { ReceivedRequest } from '../../wire/client_response.ts'
import { isBodiless, UsualRequest, usualTreatment, type Treatment } from '../../wire/usual_request.ts'

const usualMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
])
/** Headers in one request; the HTTP/1.1 parser of the fast lane has the same limit. */
const maxFields = 128

const treat = (name: string): Treatment => {
  if (isInvalidName(name)) return 'special'
  // TE only says that the client accepts trailers (RFC 9113 section 8.2.2). It ends here, as over HTTP/1.1.
  if (name === 'te') return 'drop'
  return usualTreatment(name, name)
}

/** Treatments by name, because names repeat. Bounded, because clients choose the names. */
const treatments = new Map<string, Treatment>()

const treatmentOf = (name: string): Treatment => {
  let treatment = treatments.get(name)
  if (treatment === undefined) {
    treatment = treat(name)
    if (treatments.size < 2000 && name.length <= maxCachedNameLength) treatments.set(name, treatment)
  }
  return treatment
}

const digits = /^[0-9]{1,15}$/
const colon = 0x3a
/** What HTTP/1.1 writes beside method, path, Host and headers. */
const lineBytes = '  HTTP/1.1\r\nHost: \r\n\r\n'.length

/** An HTTP/2 request in the usual form. */
export class Http2UsualRequest extends UsualRequest {
  readonly #authority: string
  readonly #received: readonly string[]
  #rawHeaders: readonly string[] | undefined

  constructor(
    method: string,
    url: string,
    authority: string,
    received: readonly string[],
    socket: ReceivedRequest['socket'],
  ) {
    super(method, url, socket)
    this.host = this.#authority = authority
    this.#received = received
  }

  get rawHeaders(): readonly string[] {
    return (this.#rawHeaders ??= http1Headers(this.#authority, this.#received))
  }
}

/**
 * The request of a stream, or undefined if it has a body of unknown length or anything unusual about it. `received` holds its
 * headers as they arrived.
 */
export const http2UsualRequest = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  received: readonly string[],
  socket: ReceivedRequest['socket'],
  maxHeadBytes: number,
): Http2UsualRequest | undefined => {
  const { ':method': method, ':path': path, ':authority': authority } = headers
  if (method === undefined || path === undefined || authority === undefined) return undefined
  if (!usualMethods.has(method) || received.length > maxFields * 2) return undefined
  let bytes = method.length + path.length + authority.length + lineBytes
  const request = new Http2UsualRequest(method, path, authority, received, socket)
  let passed = ''
  for (let i = 0; i < received.length; i += 2) {
    const name = received[i]!
    const value = received[i + 1]!
    if (name.charCodeAt(0) === colon) continue
    bytes += name.length + value.length + 4
    if (!isPlainValue(value)) return undefined
    const treatment = treatmentOf(name)
    switch (treatment) {
      case 'origin':
      case 'keep':
        passed += `${name}: ${value}\r\n`
        if (treatment === 'origin') request.read(treatment, value)
        break
      case 'drop':
        break
      case 'cookie':
        // Browsers send each cookie in a field of its own (RFC 9113 section 8.2.3).
        request.cookie = request.cookie === undefined ? value : `${request.cookie}; ${value}`
        break
      case 'host':
        if (value !== authority) return undefined
        break
      case 'content-length':
        if (request.length !== undefined || !digits.test(value)) return undefined
        request.length = Number(value)
        break
      default:
        if (!request.read(treatment, value)) return undefined
    }
  }
  if (bytes > maxHeadBytes) return undefined
  request.passed = passed
  const { length = 0 } = request
  if (stream.endAfterHeaders ? length > 0 : length === 0 || isBodiless(method)) return undefined
  return request
}
