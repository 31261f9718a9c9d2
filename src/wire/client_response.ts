import type { WholeFields } from './whole_response.ts'

/**
 * A request as the door reads it, from whichever engine: node:http, its HTTP/2 twin, or the fast lane. Headers are
 * taken from `rawHeaders` alone, exactly as they came.
 */
export interface Sent {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly rawHeaders: readonly string[]
  readonly httpVersion: string
  readonly socket: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean }
}

/** The body of a request that has one. */
export interface Body {
  readonly rawTrailers: readonly string[]
  /** A listener may return true to say that the memory of the chunk is free again. A body that reuses no memory ignores it. */
  on(event: 'data', listener: (chunk: Buffer) => unknown): unknown
  once(event: 'end', listener: () => void): unknown
  pause(): unknown
  /** Called by a listener that has paused only once the kernel has all that it was given. */
  resume(): unknown
  /** Nobody wants the rest: it is read away. A body that reuses no memory leaves this out, and is resumed. */
  discard?(): void
}

/** A whole response, ready to be sent: text of HTTP/1.1, or what HTTP/2 takes. */
export type Whole = string | WholeFields

/** Whom an answer goes to. A ServerResponse of node:http is one. */
export interface Recipient {
  readonly headersSent: boolean
  readonly statusCode: number
  readonly destroyed: boolean
  /** False: nothing more is read from this connection. */
  shouldKeepAlive: boolean
  /** Headers as a flat list. They may wait for what is written next. */
  writeHead(status: number, message: string, headers: string[]): unknown
  flushHeaders(): void
  writeContinue(): void
  writeEarlyHints(hints: { link: string[] }): void
  /** True when the kernel has all that was written. Who cannot tell leaves it out. */
  readonly flushed?: boolean
  /** False when the client is slower than what is written; `drain` tells when it has caught up. */
  write(chunk: Buffer): boolean
  end(text?: Buffer | string, encoding?: BufferEncoding): unknown
  /**
   * Makes of the whole response in the inbox what `sendWhole` takes; undefined where it is no plain one. A recipient that needs responses
   * in parts leaves these two out.
   */
  readWhole?(length: number, isHead: boolean): Whole | undefined
  /** Sends a whole response, in place of all the above. */
  sendWhole?(status: number, whole: Whole): void
  addTrailers(trailers: [string, string][]): void
  destroy(): unknown
  once(event: 'close' | 'drain', listener: () => void): unknown
}

/** The reason phrase as it may be written again; parsers let pass more than that. */
export const reason = (message: string): string => message.replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/g, '')

/** One link of a Link header (RFC 8288 section 3), as narrow as Node writes them. */
const link = /^<[^>\s]*>(\s*;\s*[^;"\s]+(=("[^;"\s]*"|[^;"\s]*))?)*$/

/** Hints are help, not an answer: those that are not well formed are left out. */
export const passHints = (to: Recipient, rawHeaders: readonly string[]) => {
  const links = rawHeaders
    .filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === 'link')
    .flatMap((value) => value.split(/,\s*(?=<)/))
  if (links.length > 0 && links.every((one) => link.test(one))) to.writeEarlyHints({ link: links })
}

/** Trailers as a flat list. */
export const addTrailers = (to: Recipient, list: readonly string[]) => {
  const pairs: [string, string][] = []
  for (let i = 0; i < list.length; i += 2) pairs.push([list[i]!, list[i + 1]!])
  to.addTrailers(pairs)
}
