import { framing } from './request_headers.ts'
import type { Asked } from '../../wire/request.ts'
import { type Upstream, hostOf } from '../../upstream/upstream.ts'

/** A forwarded head whose identity is decided, in pieces of text; what differs from request to request goes between them. */
export class KeptHead {
  /** The Host line for the first upstream, or for all of them where the client's own Host goes on. */
  readonly #host: string
  readonly #cookie: string
  readonly #place: string
  readonly #identity: string

  /** Takes the headers of a request without any of the client's own but Cookie, as `requestHeaders` makes them. */
  constructor(list: readonly string[]) {
    const at = (name: string) => list.findIndex((text, i) => i % 2 === 0 && text === name)
    const forwardedFor = at('X-Forwarded-For')
    const requestId = at('X-Request-Id')
    this.#host = lines(list.slice(0, 2))
    this.#cookie = lines(list.slice(2, forwardedFor))
    this.#place = lines(list.slice(forwardedFor + 2, requestId))
    this.#identity = lines(list.slice(requestId + 2))
  }

  /** The head of one request; `passed` are the client's own lines that go on. `other` is an upstream with a Host of its own. */
  text(asked: Asked, target: string, passed: string, other: Upstream | undefined): string {
    const host = other ? `Host: ${hostOf(other)}\r\n` : this.#host
    return `${asked.method} ${target} HTTP/1.1\r\n${host}${passed}${this.#cookie}X-Forwarded-For: ${asked.forwardedFor}\r\n${this.#place}X-Request-Id: ${asked.requestId}\r\n${this.#identity}${framing(asked)}`
  }
}

const lines = (list: readonly string[]): string => {
  let text = ''
  for (let i = 0; i < list.length; i += 2) text += `${list[i]}: ${list[i + 1]}\r\n`
  return text
}
