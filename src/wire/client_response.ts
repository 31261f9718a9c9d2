import type { Caching } from './response_treatment.ts'
import type { WholeFields } from './whole_response.ts'

/**
 * A request as the edge reads it, from node:http, node:http2 or the fast lane. Headers are read only from `rawHeaders`, exactly
 * as received.
 */
export interface ReceivedRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly rawHeaders: readonly string[]
  readonly httpVersion: string
  readonly socket: {
    readonly remoteAddress?: string | undefined
    readonly encrypted?: boolean
    /** The name for which the client opened the TLS connection (SNI). */
    readonly servername?: string | false | null | undefined
  }
}

/** The body of a request that has one. */
export interface Body {
  readonly rawTrailers: readonly string[]
  /** A listener returns true if the memory of the chunk can be reused. A body that never reuses memory ignores this. */
  on(event: 'data', listener: (chunk: Buffer) => unknown): unknown
  once(event: 'end', listener: () => void): unknown
  pause(): unknown
  /** After a pause, called only once the kernel has every chunk that the listener got. */
  resume(): unknown
  /** Reads and drops the rest. A body that never reuses memory omits this, and is resumed instead. */
  discard?(): void
}

/** A complete response, ready to be sent: text for HTTP/1.1, or fields and a body for HTTP/2. */
export type WholeResponse = string | WholeFields

/** Where a response is written. A ServerResponse of node:http is one. */
export interface ClientResponse {
  readonly headersSent: boolean
  readonly statusCode: number
  readonly destroyed: boolean
  /** False: the connection ends after this response. */
  shouldKeepAlive: boolean
  /** Takes headers as a flat list. The head may be held back until the next write. */
  writeHead(status: number, message: string, headers: string[]): unknown
  flushHeaders(): void
  writeContinue(): void
  writeEarlyHints(hints: { link: string[] }): void
  /** True if the kernel has everything that was written. Omitted if unknown. */
  readonly flushed?: boolean
  /** Returns false if the client is slower than what is written, until `drain`. */
  write(chunk: Buffer): boolean
  end(text?: Buffer | string, encoding?: BufferEncoding): unknown
  /**
   * Converts the complete response in the inbox for `sendWhole`. Returns undefined if it is not a plain one. A recipient that
   * needs responses in parts omits both methods.
   */
  readWhole?(length: number, isHead: boolean, caching: Caching): WholeResponse | undefined
  /** Sends a complete response, instead of the calls above. */
  sendWhole?(status: number, whole: WholeResponse): void
  addTrailers(trailers: [string, string][]): void
  destroy(): unknown
  once(event: 'close' | 'drain', listener: () => void): unknown
}

/** The reason phrase without characters that must not be sent; parsers accept more of them. */
export const reason = (message: string): string => message.replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/g, '')

/** One link of a Link header (RFC 8288 section 3), in the narrow form that Node accepts. */
const link = /^<[^>\s]*>(\s*;\s*[^;"\s]+(=("[^;"\s]*"|[^;"\s]*))?)*$/

/** Passes on early hints. Malformed ones are dropped, because hints are optional. */
export const passHints = (to: ClientResponse, rawHeaders: readonly string[]) => {
  const links = rawHeaders
    .filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === 'link')
    .flatMap((value) => value.split(/,\s*(?=<)/))
  if (links.length > 0 && links.every((value) => link.test(value))) to.writeEarlyHints({ link: links })
}

/** Trailers as a flat list. */
export const addTrailers = (to: ClientResponse, list: readonly string[]) => {
  const pairs: [string, string][] = []
  for (let i = 0; i < list.length; i += 2) pairs.push([list[i]!, list[i + 1]!])
  to.addTrailers(pairs)
}
