/**
 * The parser of Node itself (llhttp), for answers of upstreams. node:http wraps the very same one in streams and
 * objects that cost more than all the deciding here; nothing of HTTP's framing is read by hand.
 */
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

const noTrailers: readonly string[] = []
const [skipBody, readsBody, switches] = [1, 0, 2]

/** Reads answers from a connection, one after another. */
export class AnswerParser {
  readonly #parser = new HTTPParser()
  /** Headers told in parts, as long lists are, and trailers. */
  #parts: string[] | undefined

  constructor(reader: Reader) {
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
      return upgrade ? switches : bodiless ? skipBody : readsBody
    }
    parser[HTTPParser.kOnBody] = (chunk: Buffer) => reader.readBody(chunk)
    parser[HTTPParser.kOnMessageComplete] = () => {
      const trailers = this.#parts ?? noTrailers
      this.#parts = undefined
      reader.readEnd(trailers)
    }
  }

  /** How many bytes belong to the answer, or what is wrong with them. */
  read(bytes: Buffer): number | Error {
    return this.#parser.execute(bytes)
  }

  /** The upstream will send no more: an Error if the answer was not whole. A body may end so, if its head says so. */
  end(): Error | undefined {
    const result = this.#parser.finish()
    return result instanceof Error ? result : undefined
  }

  /** Gives its memory back. Not from within a callback. */
  close(): void {
    this.#parser.close()
  }
}
