// The parser of Node itself (llhttp). node:http wraps the very same one in streams and objects that cost more than all the
// deciding here; nothing of HTTP's framing is read by hand.

interface Parser {
  initialize(type: number, resource: object, maxHeaderSize: number, lenient: number): void
  /** The count of bytes taken, or what is wrong with them. */
  execute(bytes: Buffer): number | Error
  /** The connection has ended: an Error if that cuts a message short. */
  finish(): number | Error | undefined
  close(): void
  [callback: number]: unknown
}

interface ParserClass {
  new (): Parser
  readonly REQUEST: number
  readonly RESPONSE: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
  readonly kLenientNone: number
}

const { HTTPParser } = (process.getBuiltinModule as unknown as (name: string) => { HTTPParser: ParserClass })(
  '_http_common',
)

/** Bytes of the status line and headers of one answer. */
const maxHead = 64 * 1024

/** What the head of an answer says. */
export interface Head {
  readonly status: number
  /** The reason phrase, as received. */
  readonly message: string
  readonly rawHeaders: string[]
  /** True after a 101 that was asked for: what follows is no HTTP any more. */
  readonly upgrade: boolean
  readonly keepAlive: boolean
}

export interface Reader {
  /** Returns true if no body follows whatever the head says: the answer to HEAD (RFC 9112 section 6.3). */
  readHead(head: Head): boolean
  readBody(chunk: Buffer): void
  /** The answer is whole. `rawTrailers` may be empty. */
  readEnd(rawTrailers: readonly string[]): void
}

const malformed = (): Error =>
  Object.assign(new Error('the head of the answer is malformed'), { code: 'HPE_MALFORMED' })

const noTrailers: readonly string[] = []
const [skipBody, readsBody, switches] = [1, 0, 2]

/**
 * How long the body is, where that is all there is to know about it: the parser has already refused a length that is no
 * number, comes twice, or comes with a transfer coding (RFC 9112 section 6.3). Zero leaves the body to the parser.
 */
const plainLength = (status: number, rawHeaders: readonly string[]): number => {
  if (status === 204 || status === 304 || status < 200) return 0
  let length = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === 14 && name.toLowerCase() === 'content-length') length = Number(rawHeaders[i + 1])
    else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') return 0
  }
  return Number.isSafeInteger(length) ? length : 0
}

/** Reads answers from a connection, one after another. */
export class AnswerParser {
  readonly #parser = new HTTPParser()
  readonly #reader: Reader
  /** Headers told in parts, as long lists are, and trailers. */
  #parts: string[] | undefined
  /** Bytes of the body that are still to come. They are counted here: the parser would copy each of them. */
  #left = 0
  /** Whether the parser stopped behind a head because our callback said so. */
  #stopped = false

  constructor(reader: Reader) {
    this.#reader = reader
    const parser = this.#parser
    parser.initialize(HTTPParser.RESPONSE, {}, maxHead, HTTPParser.kLenientNone)
    parser[HTTPParser.kOnHeaders] = (headers: string[]) => {
      this.#parts = this.#parts ? this.#parts.concat(headers) : headers
    }
    parser[HTTPParser.kOnHeadersComplete] = (
      _major: number,
      _minor: number,
      headers: string[] | undefined,
      _method: unknown,
      _url: unknown,
      status: number,
      message: string,
      upgrade: boolean,
      keepAlive: boolean,
    ) => {
      const rawHeaders = headers ?? this.#parts ?? []
      this.#parts = undefined
      const bodiless = reader.readHead({ status, message, rawHeaders, upgrade, keepAlive })
      if (bodiless && !upgrade) return skipBody
      if (!upgrade) this.#left = plainLength(status, rawHeaders)
      this.#stopped = upgrade || this.#left > 0
      return this.#stopped ? switches : readsBody
    }
    parser[HTTPParser.kOnBody] = (chunk: Buffer) => reader.readBody(chunk)
    parser[HTTPParser.kOnMessageComplete] = () => {
      const trailers = this.#parts ?? noTrailers
      this.#parts = undefined
      if (this.#left === 0) reader.readEnd(trailers)
    }
  }

  /** How many bytes belong to the answer, or what is wrong with them. */
  read(bytes: Buffer): number | Error {
    if (this.#left > 0) return this.#readBody(bytes, 0)
    this.#stopped = false
    const taken = this.#parser.execute(bytes)
    // Behind a head at which it stopped, the parser gives no Error for a malformed one: it only takes no more.
    if (typeof taken === 'number' && taken < bytes.length && !this.#stopped) return malformed()
    return this.#left > 0 && typeof taken === 'number' ? this.#readBody(bytes, taken) : taken
  }

  #readBody(bytes: Buffer, start: number): number {
    const end = Math.min(bytes.length, start + this.#left)
    this.#left -= end - start
    if (end > start)
      this.#reader.readBody(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
    if (this.#left === 0) this.#reader.readEnd(noTrailers)
    return end
  }

  /** The upstream will send no more: an Error if the answer was not whole. A body may end so, if its head says so. */
  end(): Error | undefined {
    if (this.#left > 0) return new Error('the answer was cut short')
    const result = this.#parser.finish()
    return result instanceof Error ? result : undefined
  }

  /** Gives its memory back. Not from within a callback. */
  close(): void {
    this.#parser.close()
  }
}
