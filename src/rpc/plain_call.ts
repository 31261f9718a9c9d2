import { HeaderNames } from '../wire/header_names.ts'
import { doneWith, head, inbox, isBlank, numberAt, readRequestHead, spans } from '../wire/parser.ts'

/** A `POST /rpc` in which only the body and the Authorization header matter. */
export interface PlainCall {
  readonly authorization: string | undefined
  /** Start and end of the body in the bytes. */
  readonly start: number
  readonly end: number
}

/** Longer heads are left to node:http, which refuses them at 16 KiB. */
const maxHeadBytes = 8 * 1024
const maxBodyBytes = 1024 * 1024

type Meaning = 'none' | 'host' | 'length' | 'connection' | 'authorization' | 'unknown'

const meanings = new Map<string, Meaning>([
  ['host', 'host'],
  ['content-length', 'length'],
  ['connection', 'connection'],
  ['authorization', 'authorization'],
  ['accept', 'none'],
  ['accept-encoding', 'none'],
  ['accept-language', 'none'],
  ['content-type', 'none'],
  ['sec-fetch-mode', 'none'],
  ['user-agent', 'none'],
])

/** A header that is not listed could mean anything, so a request with one is not plain. */
const names = new HeaderNames<Meaning>((_, lower) => meanings.get(lower) ?? 'unknown')

const post = 3

/**
 * The plain call that begins at `from`, or undefined if its head is incomplete, malformed or not plain. If the body has not arrived
 * completely, `end` is beyond the bytes.
 */
export const plainCallAt = (bytes: Buffer, from: number): PlainCall | undefined => {
  const length = bytes.copy(inbox, 0, from, Math.min(bytes.length, from + maxHeadBytes))
  const call = readRequestHead(length) ? plainCall(from) : undefined
  doneWith(length)
  return call
}

const plainCall = (from: number): PlainCall | undefined => {
  const { urlStart, urlEnd, count, method, keepAlive, upgrade, end } = head
  if (method !== post || !keepAlive || upgrade || inbox.latin1Slice(urlStart, urlEnd) !== '/rpc')
    return undefined
  let hosts = 0
  let size = -1
  let authorization: string | undefined
  for (let i = 0; i < count * 4; i += 4) {
    const [value, valueEnd] = [spans[i + 2]!, spans[i + 3]!]
    const { treatment } = names.at(spans[i]!, spans[i + 1]!)
    if (treatment === 'none') continue
    // Blanks after a value are not part of it. node:http removes them.
    if (value === valueEnd || isBlank(inbox[valueEnd - 1])) return undefined
    if (treatment === 'host') hosts++
    else if (treatment === 'length') size = numberAt(value, valueEnd)
    else if (treatment === 'authorization' && authorization === undefined)
      authorization = inbox.latin1Slice(value, valueEnd)
    else if (treatment !== 'connection' || !isKeepAlive(value, valueEnd)) return undefined
  }
  if (hosts !== 1 || size < 0 || size > maxBodyBytes) return undefined
  return { authorization, start: from + end, end: from + end + size }
}

const isKeepAlive = (start: number, end: number): boolean =>
  inbox.latin1Slice(start, end).toLowerCase() === 'keep-alive'

const beginning = Buffer.from('POST /rpc HTTP/1.1\r\n')

/** Whether more bytes could still complete a plain call that begins at `from`. */
export const mayBecomePlain = (bytes: Buffer, from: number): boolean => {
  const length = bytes.length - from
  const same = Math.min(length, beginning.length)
  return (
    length < maxHeadBytes &&
    beginning.compare(bytes, from, from + same, 0, same) === 0 &&
    !bytes.includes('\r\n\r\n', from)
  )
}
