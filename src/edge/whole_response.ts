import { HeaderNames } from '../wire/header_names.ts'
import { httpDate } from '../wire/http_date.ts'
import { endsAt, head, inbox, isUsual, numberAt, parts, readChunkedBody, spans } from '../wire/parser.ts'
import { answerTreatmentOf, cookieNamed, type AnswerTreatment } from './answer_headers.ts'
import { isOurs } from './cookies.ts'

type Treatment = AnswerTreatment | 'coding' | 'date' | 'odd'

const names = new HeaderNames<Treatment>((text, lower) => {
  if (lower === 'transfer-encoding') return 'coding'
  if (lower === 'date') return 'date'
  // What `Connection: close` could list.
  return lower === 'close' ? 'odd' : answerTreatmentOf(text)
})

/** Values of Connection that list no header. */
const plainConnection = /^(keep-alive|close)$/i
/** The first byte behind `HTTP/1.1 200 `. */
const reasonAt = 13

/** Whether the reason phrase may be written again as it came (RFC 9112 section 4). */
const isPlainReason = (): boolean => {
  if (head.reasonStart !== reasonAt || head.reasonEnd === 0) return false
  for (let i = reasonAt; i < head.reasonEnd; i++) if (inbox[i]! < 0x20 || inbox[i] === 0x7f) return false
  return true
}

/** The parts of a chunked body as text, its chunks bounded anew. */
const chunked = (count: number): string => {
  let text = ''
  for (let i = 0; i < count * 2; i += 2) {
    const [start, end] = [parts[i]!, parts[i + 1]!]
    text += `${(end - start).toString(16)}\r\n${inbox.latin1Slice(start, end)}\r\n`
  }
  return `${text}0\r\n\r\n`
}

/**
 * The response in the inbox as the client gets it, as latin1; `head` was just read of it. Returns undefined unless it is as plain as most
 * are: whole, nothing behind it, and every header in the usual form. It comes out as `responseHeaders` and `answerHead` would make it.
 */
export const wholeResponse = (length: number, isHead: boolean, ends: boolean): string | undefined => {
  const { status, upgrade, end, count } = head
  if (status < 200 || status > 599 || upgrade || !isPlainReason()) return undefined
  const text = inbox.latin1Slice(0, length)
  let out = ''
  /** Where the lines begin that pass but are not in `out` yet. */
  let from = 0
  let next = head.reasonEnd + 2
  let size = -1
  let isChunked = false
  let isDated = false
  for (let i = 0; i < count * 4; i += 4) {
    if (!isUsual(i, next)) return undefined
    const start = next
    const value = spans[i + 2]!
    const valueEnd = spans[i + 3]!
    next = valueEnd + 2
    switch (names.at(start, spans[i + 1]!).treatment) {
      case 'keep':
      case 'cache':
        continue
      case 'date':
        isDated = true
        continue
      case 'length':
        size = numberAt(value, valueEnd)
        if (size < 0) return undefined
        continue
      case 'cookie': {
        const cookie = text.slice(value, valueEnd)
        if (!/hero/i.test(cookie) || !isOurs(cookieNamed(cookie))) continue
        break
      }
      case 'connection':
        if (!plainConnection.test(text.slice(value, valueEnd))) return undefined
        break
      case 'coding':
        if (isChunked || text.slice(value, valueEnd).toLowerCase() !== 'chunked') return undefined
        isChunked = true
        break
      case 'odd':
        return undefined
      default:
    }
    out += text.slice(from, start)
    from = next
  }
  if (!endsAt(next)) return undefined
  const bodiless = isHead || status === 204 || status === 304
  let body: string | undefined
  if (isChunked) {
    // Without a body the coding says nothing that has to be told.
    const found = bodiless ? -1 : readChunkedBody(length)
    if (found < 0) return undefined
    body = chunked(found)
  } else if (bodiless ? length !== end : size < 0 || end + size !== length) return undefined
  out += text.slice(from, next)
  if (!isDated) out += `Date: ${httpDate()}\r\n`
  if (ends) out += 'Connection: close\r\n'
  return body === undefined ? out + text.slice(next) : `${out}Transfer-Encoding: chunked\r\n\r\n${body}`
}
