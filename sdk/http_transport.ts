import { ConnectionError, toHeroError } from './errors.ts'
import type { Transport } from './transport.ts'

interface Answer {
  readonly result?: unknown
  readonly error?: Parameters<typeof toHeroError>[0]
}

/** Calls `POST /rpc` at the edge, for programs on other machines. */
export class HttpTransport implements Transport {
  readonly #url: string
  readonly #timeoutMs: number
  readonly #closed = new AbortController()
  #next = 1

  constructor(origin: string, timeoutMs: number) {
    this.#url = new URL('/rpc', origin).href
    this.#timeoutMs = timeoutMs
  }

  async call(method: string, params: unknown, authorization: string | undefined): Promise<unknown> {
    let response
    let text
    try {
      response = await fetch(this.#url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(authorization !== undefined && { authorization }),
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: this.#next++, method, params }),
        redirect: 'error',
        signal: AbortSignal.any([AbortSignal.timeout(this.#timeoutMs), this.#closed.signal]),
      })
      text = await response.text()
    } catch (error) {
      throw new ConnectionError(`no answer from ${this.#url}`, { cause: error })
    }
    if (response.status !== 200) throw new ConnectionError(`${this.#url} answered ${response.status}`)
    const { result, error } = this.#read(text)
    if (error) throw toHeroError(error)
    return result
  }

  #read(text: string): Answer {
    try {
      return JSON.parse(text) as Answer
    } catch (error) {
      throw new ConnectionError(`${this.#url} did not answer with JSON`, { cause: error })
    }
  }

  close(): void {
    this.#closed.abort()
  }
}
