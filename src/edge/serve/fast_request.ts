import type { Socket } from 'node:net'
import { HeaderNames, type HeaderName } from '../../wire/header_names.ts'
import { endsAt, head, isUsual, methodNames, numberAt, spans } from '../../wire/parser.ts'
import { isBodiless, UsualRequest, usualTreatment, type Treatment } from '../../wire/usual_request.ts'
import { isForwardAuth } from '../../wire/own_path.ts'

const names = new HeaderNames<Treatment>(usualTreatment)
/** The header names of the head that is being read. */
const found: HeaderName<Treatment>[] = []

/** An HTTP/1.1 request in the usual form: every header is written as `Name: value`. */
export class FastRequest extends UsualRequest {
  /** The head as received, read as latin1. */
  readonly text: string
  readonly keepAlive: boolean
  #rawHeaders: readonly string[] | undefined

  constructor(method: string, text: string, socket: Socket) {
    super(method, text.slice(head.urlStart, head.urlEnd), socket)
    this.text = text
    this.keepAlive = head.keepAlive
  }

  get rawHeaders(): readonly string[] {
    return (this.#rawHeaders ??= rawHeadersOf(this.text))
  }

  /** Splits the headers while their positions are known, and reuses the name strings. */
  splitHeaders(): void {
    const list: string[] = []
    for (let i = 0; i < head.count; i++)
      list.push(found[i]!.text, this.text.slice(spans[i * 4 + 2], spans[i * 4 + 3]))
    this.#rawHeaders = list
  }
}

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

/** The request whose head was just read into `head`, or undefined where node:http has to serve it. */
export const fastRequest = (text: string, socket: Socket): FastRequest | undefined => {
  const method = methodNames[head.method]
  if (method === undefined) return undefined
  // Empty lines may come before a request (RFC 9112 section 2.2).
  if (head.urlStart !== method.length + 1) return undefined
  const request = new FastRequest(method, text, socket)
  /** Start of the lines that are forwarded but not yet in `passed`; -1 if there are none. */
  let passedFrom = -1
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
    if (passes && passedFrom < 0) passedFrom = start
    if (treatment === 'keep') continue
    if (!passes && passedFrom >= 0) {
      request.passed += text.slice(passedFrom, start)
      passedFrom = -1
    }
    if (treatment === 'drop') continue
    if (treatment === 'content-length') {
      // The parser has already refused two of them, even with equal values.
      request.length = numberAt(spans[i + 2]!, spans[i + 3]!)
      if (request.length < 0 || isBodiless(method)) return undefined
    } else if (!request.read(treatment, text.slice(spans[i + 2], spans[i + 3]))) return undefined
  }
  if (!endsAt(next)) return undefined
  if (passedFrom >= 0) request.passed += text.slice(passedFrom, next)
  request.ordinary &&= request.host !== undefined
  if (!request.ordinary || isForwardAuth(request.url)) request.splitHeaders()
  return request
}
