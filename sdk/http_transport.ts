import { ConnectionError, toHeroError } from './errors.ts'
import type { Transport } from './transport.ts'

/** `POST /rpc` at the edge, for programs on another machine. */
export class HttpTransport implements Transport {
  readonly #url: string
  readonly #timeout: number
  #next = 1

  constructor(origin: string, timeout: number) {
    this.#url = new URL('/rpc', origin).href
    this.#timeout = timeout
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
        signal: AbortSignal.timeout(this.#timeout),
      })
      text = await response.text()
    } catch (error) {
      throw new ConnectionError(`no answer from ${this.#url}`, { cause: error })
    }
    if (response.status !== 200) throw new ConnectionError(`${this.#url} answered ${response.status}`)
    const { result, error } = JSON.parse(text) as {
      result?: unknown
      error?: Parameters<typeof toHeroError>[0]
    }
    if (error) throw toHeroError(error)
    return result
  }

  close(): void {}
}
