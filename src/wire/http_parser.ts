// Node's own parser (llhttp). node:http wraps the same parser in streams and objects that cost more than our whole decision.
// We never parse the framing of HTTP by hand.

interface Parser {
  initialize(type: number, resource: object, maxHeaderSize: number, lenient: number): void
  /** Returns the number of bytes consumed, or an Error. */
  execute(bytes: Buffer): number | Error
  /** Called when the connection has ended. Returns an Error if that cuts a message short. */
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

/** The status line and headers of one response. */
const maxHeadBytes = 64 * 1024

/** The head of a response. */
export interface Head {
  readonly status: number
  /** The reason phrase, as received. */
  readonly message: string
  readonly rawHeaders: string[]
  /** True after a 101 that was requested: the bytes that follow are not HTTP. */
  readonly upgrade: boolean
  readonly keepAlive: boolean
}

export interface Reader {
  /** Returns true if no body follows, even if the head announces one: the response to HEAD (RFC 9112 section 6.3). */
  readHead(head: Head): boolean
  readBody(chunk: Buffer): void
  /** The response is complete. `rawTrailers` may be empty. */
  readEnd(rawTrailers: readonly string[]): void
}

/** What an upstream did that HTTP does not allow. */
export const unexpected = (text: string): NodeJS.ErrnoException =>
  Object.assign(new Error(text), { code: 'EUPSTREAM' })

const malformed = (): Error =>
  Object.assign(new Error('the head of the response is malformed'), { code: 'HPE_MALFORMED' })

const noTrailers: readonly string[] = []
const [skipBody, readsBody, switches] = [1, 0, 2]

/**
 * The length of a body that only Content-Length frames, or 0 to leave the body to the parser. The parser has already refused a
 * length that is not a number, appears twice, or appears with a transfer coding (RFC 9112 section 6.3).
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

/** Reads the responses of one connection, one after another. */
export class ResponseParser {
  readonly #parser = new HTTPParser()
  readonly #reader: Reader
  /** Trailers, and headers that the parser reports in parts because the list is long. */
  #parts: string[] | undefined
  /** Bytes of the body that have not arrived yet. We count them ourselves because the parser would copy the body. */
  #left = 0
  /** Whether our callback made the parser stop after a head. */
  #stopped = false

  constructor(reader: Reader) {
    this.#reader = reader
    const parser = this.#parser
    parser.initialize(HTTPParser.RESPONSE, {}, maxHeadBytes, HTTPParser.kLenientNone)
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

  /** Returns how many bytes belong to the response, or an Error. */
  read(bytes: Buffer): number | Error {
    if (this.#left > 0) return this.#readBody(bytes, 0)
    this.#stopped = false
    const taken = this.#parser.execute(bytes)
    // For a malformed head after one at which it stopped, the parser returns no Error: it only consumes no more bytes.
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

  /** The upstream has closed the connection. Returns an Error if the response is incomplete; a body without a length may end this way. */
  end(): Error | undefined {
    if (this.#left > 0) return new Error('the response was cut short')
    const result = this.#parser.finish()
    return result instanceof Error ? result : undefined
  }

  /** Frees the memory of the parser. Must not be called from a callback. */
  close(): void {
    this.#parser.close()
  }
}
