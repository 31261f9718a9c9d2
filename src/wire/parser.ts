import { behindHead, errorCode, instantiate, typeOf } from './llhttp/llhttp.ts'

/** Headers of one head, at most. A head with more is reported as odd. */
const maxHeaders = 128
/** Parts of a chunked body in one piece, at most. */
const maxParts = 64

/**
 * Positions of the headers in the inbox, of the head that was read last: start and end of the name, start and end of the value. The value
 * may end with blanks.
 */
export const spans = new Int32Array(maxHeaders * 4)
/** Positions of the parts of a chunked body that `readChunkedBody` found: start and end of each. */
export const parts = new Int32Array(maxParts * 2)

/** The head that was read last. Positions are in the inbox. */
export const head = {
  /** How many headers. */
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
  /** Where the head ends: the position of the byte behind its empty line. */
  end: 0,
}

/** llhttp's numbers of the methods that are read here. */
export const methodNames: readonly (string | undefined)[] = Object.assign(
  Array.from({ length: 64 }, () => undefined as string | undefined),
  { 0: 'DELETE', 1: 'GET', 2: 'HEAD', 3: 'POST', 4: 'PUT', 6: 'OPTIONS', 28: 'PATCH' },
)

// State of the read under way: llhttp calls back, and there is never more than one read at a time.
let complete = false
/** Something came that these few callbacks cannot report faithfully. */
let odd = false
/** A name has come, its value has not. */
let named = false
let base = 0
let stopBehindHead = true
let whole = false
let bodyParts = 0

const wasm = instantiate({
  wasm_on_message_begin: () => {
    // A second message in the bytes of a body.
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
    // Behind the head it is a trailer.
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
    // Of a header that was not taken down. Folded lines, whose values would come in parts, llhttp refuses.
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
    return stopBehindHead ? behindHead.stop : behindHead.readBody
  },
  wasm_on_body: (_, at, length) => {
    if (stopBehindHead || bodyParts === maxParts) {
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

/** Bytes that are read from a connection at once, at most. */
export const inboxSize = 64 * 1024

// All memory is allocated now: if it grew later, every view of it would be detached.
const requestParser = wasm.llhttp_alloc(typeOf.request)
const responseParser = wasm.llhttp_alloc(typeOf.response)
base = wasm.malloc(inboxSize)

/**
 * Every connection reads into this buffer, and llhttp reads from it: no connection needs memory of its own, and nothing is copied. Its
 * bytes are valid only until the callback that received them returns.
 */
export const inbox = Buffer.from(wasm.memory.buffer, base, inboxSize) as Buffer & {
  latin1Slice(start: number, end: number): string
}

let overwrites = false

/** For tests: `doneWith` overwrites the inbox from now on, so that code that still reads from it is found out. */
export const overwriteInbox = (): void => void (overwrites = true)

/** The callback that received these bytes is over. */
export const doneWith = (length: number): void => {
  if (overwrites) inbox.fill(0xff, 0, length)
}

const execute = (parser: number, from: number, length: number): number => {
  complete = odd = named = whole = false
  head.count = head.urlEnd = head.reasonEnd = bodyParts = 0
  return wasm.llhttp_execute(parser, base + from, length - from)
}

/** Reads one head and stops behind it; positions count from the beginning of the inbox. */
const readHead = (parser: number, length: number, from: number): boolean => {
  stopBehindHead = true
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
 * Reads the head of an HTTP/1.1 request that begins at `from` in the inbox, whose bytes up to `length` count. Returns false where it is
 * incomplete, malformed, of another version, or in any way out of the ordinary; then `head` means nothing.
 */
export const readRequestHead = (length: number, from = 0): boolean => readHead(requestParser, length, from)

/** The same of a response that begins the inbox. */
export const readResponseHead = (length: number): boolean => readHead(responseParser, length, 0)

/**
 * Reads a response again, now with its body. Returns how many `parts` a chunked body has that ends exactly at `length`, without
 * trailers, or -1 where it is anything else. `head` is as before.
 */
export const readChunkedBody = (length: number): number => {
  stopBehindHead = false
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

/** Whether a line ends right before this position. llhttp takes other bytes than a line feed behind some carriage returns. */
const beginsLine = (at: number): boolean => inbox[at - 2] === cr && inbox[at - 1] === lf

/**
 * Whether the head that was read last ends at `at`, where the line behind its last header begins: nothing was read that is not accounted
 * for.
 */
export const endsAt = (at: number): boolean => head.end === at + 2 && beginsLine(at) && beginsLine(head.end)

/**
 * Whether header `i` stands in the usual form: at `start`, right behind the line before it, as `Name: value`, with one space and no blank
 * at the end. Only then may its bytes be passed on as they came.
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
