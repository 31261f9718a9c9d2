import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { http } from '../../node/http.ts'
import type { Log } from '../../log/log.ts'
import { readableHeadBytes, isRequestError, parseTarget } from '../../wire/request.ts'
import { sourceStack } from '../../log/source_stack.ts'

interface Parts {
  /** Returns the response to a challenge of a certificate authority. */
  readonly answerTo: (token: string) => Promise<string | undefined>
  /** Whether we serve this host. */
  readonly knows: (host: string) => Promise<boolean>
  /** With a leading colon; empty for 443. */
  readonly securePort: () => string
  readonly log: Log
}

const challenge = /^\/\.well-known\/acme-challenge\/([A-Za-z0-9_-]{1,200})$/

/** Plain HTTP beside TLS: answers ACME challenges (RFC 8555 section 8.3) and redirects everything else to https. */
export class HttpRedirect {
  readonly #parts: Parts
  readonly #server: Server

  constructor(parts: Parts) {
    this.#parts = parts
    const limits = { maxHeaderSize: readableHeadBytes, headersTimeout: 15_000, requestTimeout: 15_000 }
    this.#server = http.createServer({ ...limits, keepAliveTimeout: 5000 }, (request, response) => {
      request.resume()
      this.#answer(request, response).catch((error: Error) => {
        parts.log.error({ error: sourceStack(error) }, 'internal error in the redirect to https')
        if (!response.headersSent) response.writeHead(500)
        response.end()
      })
    })
  }

  async listen({ host, port }: { host: string; port: number }): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, resolve)
    })
    return this.#server.address() as AddressInfo
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async #answer({ url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, token] = challenge.exec(url) ?? []
    const text = token === undefined ? undefined : await this.#parts.answerTo(token)
    if (text !== undefined)
      return void response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(text)
    const place = parseTarget(headers.host ?? '', url)
    if (isRequestError(place)) return void response.writeHead(400, { 'content-length': 0 }).end()
    const known = !url.startsWith('/.well-known/acme-challenge/') && (await this.#parts.knows(place.host))
    if (!known) return void response.writeHead(404, { 'content-length': 0 }).end()
    const location = `https://${place.host}${this.#parts.securePort()}${place.target}`
    response.writeHead(308, { location, 'content-length': 0, 'cache-control': 'no-store' }).end()
  }
}
