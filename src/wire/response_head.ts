import { httpDate } from './http_date.ts'

/**
 * The head of a response (RFC 9112 section 4). `chunked`: the body has no known length. `last`: the connection ends after this
 * response, because `ends` or a Connection header says so.
 */
export const responseHead = (
  status: number,
  message: string,
  headers: readonly string[],
  bodiless: boolean,
  ends: boolean,
): { text: string; chunked: boolean; last: boolean } => {
  let text = `HTTP/1.1 ${status} ${message}\r\n`
  let chunked = !bodiless
  let dated = false
  let last = ends
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!
    const value = headers[i + 1]!
    if (value.includes('\n') || value.includes('\r')) throw new TypeError(`${name} holds a line break`)
    const { length } = name
    if (length === 14 && name.toLowerCase() === 'content-length') chunked = false
    else if (length === 4) dated ||= name.toLowerCase() === 'date'
    else if (length === 10 && name.toLowerCase() === 'connection') {
      // Written once, below.
      last = true
      continue
    }
    text += `${name}: ${value}\r\n`
  }
  if (!dated) text += `Date: ${httpDate()}\r\n`
  if (last) text += 'Connection: close\r\n'
  if (chunked) text += 'Transfer-Encoding: chunked\r\n'
  return { text: `${text}\r\n`, chunked, last }
}
