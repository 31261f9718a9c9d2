import { framing } from './request_headers.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import { type Upstream, hostOf } from '../../upstream/upstream.ts'

/** The head of a request whose identity is already decided, as pieces of text. What differs between requests goes between them. */
export class KeptHead {
  /** The Host line for the first upstream, or for all of them if the Host of the client is preserved. */
  readonly #host: string
  readonly #cookie: string
  readonly #place: string
  readonly #identity: string

  /** `list` comes from `requestHeaders`, for a request with no header of the client except Cookie. */
  constructor(list: readonly string[]) {
    const at = (name: string) => list.findIndex((text, i) => i % 2 === 0 && text === name)
    const forwardedFor = at('X-Forwarded-For')
    const requestId = at('X-Request-Id')
    this.#host = lines(list.slice(0, 2))
    this.#cookie = lines(list.slice(2, forwardedFor))
    this.#place = lines(list.slice(forwardedFor + 2, requestId))
    this.#identity = lines(list.slice(requestId + 2))
  }

  /** The head of one request. `passed` holds the lines of the client that are passed on; `other` is an upstream with its own Host. */
  text(asked: EdgeRequest, target: string, passed: string, other: Upstream | undefined): string {
    const host = other ? `Host: ${hostOf(other)}\r\n` : this.#host
    return `${asked.method} ${target} HTTP/1.1\r\n${host}${passed}${this.#cookie}X-Forwarded-For: ${asked.forwardedFor}\r\n${this.#place}X-Request-Id: ${asked.requestId}\r\n${this.#identity}${framing(asked)}`
  }
}

const lines = (list: readonly string[]): string => {
  let text = ''
  for (let i = 0; i < list.length; i += 2) text += `${list[i]}: ${list[i + 1]}\r\n`
  return text
}
