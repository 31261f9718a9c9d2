import { afterHead, errorCode, instantiate, typeOf } from './llhttp/llhttp.ts'

/** A head with more headers is left to node:http. */
const maxHeaders = 128
/** A chunked body with more parts is left to the other parser. */
const maxParts = 64

/**
 * Positions in the inbox of the headers that were read last: start and end of the name, start and end of the value. The value may
 * end with blanks.
 */
export const spans = new Int32Array(maxHeaders * 4)
/** Positions of the parts of a chunked body that `readChunkedBody` found: start and end of each. */
export const parts = new Int32Array(maxParts * 2)

/** The head that was read last. Positions are in the inbox. */
export const head = {
  /** The number of headers. */
  count: 0,
  urlStart: 0,
  urlEnd: 0,
  reasonStart: 0,
  reasonEnd: 0,
  status: 0,
  /** llhttp's number of the method. */
  method: 0,
  keepAlive: false,
  upgrade: false,
  /** The position after the empty line that ends the head. */
  end: 0,
}

/** The methods that we read, by their llhttp number. */
export const methodNames: readonly (string | undefined)[] = Object.assign(
  Array.from({ length: 64 }, () => undefined as string | undefined),
  { 0: 'DELETE', 1: 'GET', 2: 'HEAD', 3: 'POST', 4: 'PUT', 6: 'OPTIONS', 28: 'PATCH' },
)

// The state of the current read. The callbacks of llhttp set it; there is never more than one read at a time.
let complete = false
/** The message has something that these few callbacks cannot report faithfully. */
let odd = false
/** A header name has been read, but not its value. */
let named = false
let base = 0
let stopAfterHead = true
let whole = false
let bodyParts = 0

const wasm = instantiate({
  wasm_on_message_begin: () => {
    // A second message begins inside the bytes of the body.
    if (complete) odd = true
    return 0
  },
  wasm_on_url: (_, at, length) => {
    if (head.urlEnd !== 0) odd = true
    head.urlStart = at - base
    head.urlEnd = at - base + length
    return 0
  },
  wasm_on_status: (_, at, length) => {
    if (head.reasonEnd !== 0) odd = true
    head.reasonStart = at - base
    head.reasonEnd = at - base + length
    return 0
  },
  wasm_on_header_field: (_, at, length) => {
    // A header after the head is a trailer.
    if (named || complete || head.count === maxHeaders) {
      odd = true
      return 0
    }
    named = true
    const i = head.count * 4
    spans[i] = at - base
    spans[i + 1] = at - base + length
    return 0
  },
  wasm_on_header_value: (_, at, length) => {
    // The value of a header that was not recorded. llhttp refuses folded lines, whose values would arrive in parts.
    if (!named) {
      odd = true
      return 0
    }
    named = false
    const i = head.count++ * 4
    spans[i + 2] = at - base
    spans[i + 3] = at - base + length
    return 0
  },
  wasm_on_headers_complete: (_, status, upgrade, keepAlive) => {
    complete = true
    head.status = status
    head.upgrade = upgrade !== 0
    head.keepAlive = keepAlive !== 0
    return stopAfterHead ? afterHead.stop : afterHead.readBody
  },
  wasm_on_body: (_, at, length) => {
    if (stopAfterHead || bodyParts === maxParts) {
      odd = true
      return 0
    }
    parts[bodyParts * 2] = at - base
    parts[bodyParts++ * 2 + 1] = at - base + length
    return 0
  },
  wasm_on_message_complete: () => {
    whole = true
    return 0
  },
})

/** The most bytes that one read of a connection returns. */
export const inboxSize = 64 * 1024

// Allocate all memory now: growing it later would detach every view of it.
const requestParser = wasm.llhttp_alloc(typeOf.request)
const responseParser = wasm.llhttp_alloc(typeOf.response)
base = wasm.malloc(inboxSize)

/**
 * Every connection reads into this buffer, and llhttp parses it in place, so no connection needs memory of its own and nothing is
 * copied. The bytes are valid only until the callback that received them returns.
 */
export const inbox = Buffer.from(wasm.memory.buffer, base, inboxSize) as Buffer & {
  latin1Slice(start: number, end: number): string
}

let overwrites = false

/** For tests: `doneWith` overwrites the inbox from now on, to expose code that reads from it too late. */
export const overwriteInbox = (): void => void (overwrites = true)

/** Called when the callback that received these bytes has returned. */
export const doneWith = (length: number): void => {
  if (overwrites) inbox.fill(0xff, 0, length)
}

const execute = (parser: number, from: number, length: number): number => {
  complete = odd = named = whole = false
  head.count = head.urlEnd = head.reasonEnd = bodyParts = 0
  return wasm.llhttp_execute(parser, base + from, length - from)
}

/** Reads one head and stops after it. Positions count from the start of the inbox. */
const readHead = (parser: number, length: number, from: number): boolean => {
  stopAfterHead = true
  const code = execute(parser, from, length)
  const read = complete && !odd && !named && code === errorCode.pausedUpgrade
  if (read) {
    head.end = wasm.llhttp_get_error_pos(parser) - base
    head.method = wasm.llhttp_get_method(parser)
  }
  const is11 = wasm.llhttp_get_http_major(parser) === 1 && wasm.llhttp_get_http_minor(parser) === 1
  wasm.llhttp_reset(parser)
  return read && is11
}

/**
 * Reads the head of an HTTP/1.1 request from the bytes `from` to `length` of the inbox. Returns false if it is incomplete,
 * malformed, of another version, or unusual in any way; then `head` is meaningless.
 */
export const readRequestHead = (length: number, from = 0): boolean => readHead(requestParser, length, from)

/** The same for a response at the start of the inbox. */
export const readResponseHead = (length: number): boolean => readHead(responseParser, length, 0)

/**
 * Reads a response again, now with its body. Returns the number of `parts` of a chunked body that ends exactly at `length` and has
 * no trailers, or -1 for anything else. `head` stays as it was.
 */
export const readChunkedBody = (length: number): number => {
  stopAfterHead = false
  const { end } = head
  const code = execute(responseParser, 0, length)
  head.end = end
  wasm.llhttp_reset(responseParser)
  return code === errorCode.ok && whole && complete && !odd && !named ? bodyParts : -1
}

const zero = 0x30

/** The decimal number at these positions in the inbox, at most 15 digits, or -1. */
export const numberAt = (start: number, end: number): number => {
  if (start === end || end - start > 15) return -1
  let number = 0
  for (let i = start; i < end; i++) {
    const digit = inbox[i]! - zero
    if (digit < 0 || digit > 9) return -1
    number = number * 10 + digit
  }
  return number
}

const [space, tab, cr, lf] = [0x20, 0x09, 0x0d, 0x0a]
export const isBlank = (byte: number | undefined): boolean => byte === space || byte === tab

/** Whether a line ends right before this position. llhttp accepts other bytes than a line feed after some carriage returns. */
const beginsLine = (at: number): boolean => inbox[at - 2] === cr && inbox[at - 1] === lf

/**
 * Whether the line after the last header begins at `at` and is the empty line that ends the head. Then every byte of the head is
 * accounted for.
 */
export const endsAt = (at: number): boolean => head.end === at + 2 && beginsLine(at) && beginsLine(head.end)

/**
 * Whether header `i` is in the usual form: it begins at `start`, right after the previous line, and is written as `Name: value` with
 * one space and no blank at the end. Only then may its bytes be passed on as received.
 */
export const isUsual = (i: number, start: number): boolean => {
  const nameEnd = spans[i + 1]!
  const value = spans[i + 2]!
  const valueEnd = spans[i + 3]!
  return (
    spans[i] === start &&
    beginsLine(start) &&
    value === nameEnd + 2 &&
    inbox[nameEnd + 1] === space &&
    value < valueEnd &&
    !isBlank(inbox[value]) &&
    !isBlank(inbox[valueEnd - 1])
  )
}
