import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Upstream extends AsyncDisposable {
  /** For `proxy.routes.add`. */
  readonly target: string
  readonly server: Server
  /** Every request seen, with its headers exactly as received. */
  readonly seen: { readonly method: string; readonly url: string; readonly rawHeaders: string[] }[]
  close(): Promise<void>
}

/** Header lines of one name, in any case, as the upstream received them. */
export const valuesOf = (rawHeaders: readonly string[], name: string): string[] =>
  rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name.toLowerCase())

const echo = (request: IncomingMessage, response: ServerResponse) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ method: request.method, url: request.url, rawHeaders: request.rawHeaders }))
}

/** A real service: on a free TCP port, or on a Unix socket when a path is given. Responds with what it received by default. */
export const startUpstream = async (
  answer: (request: IncomingMessage, response: ServerResponse) => void = echo,
  socketPath?: string,
): Promise<Upstream> => {
  const seen: Upstream['seen'] = []
  const server = createServer((request, response) => {
    seen.push({ method: request.method!, url: request.url!, rawHeaders: request.rawHeaders })
    answer(request, response)
  })
  await new Promise<void>((resolve) => {
    if (socketPath === undefined) server.listen(0, '127.0.0.1', resolve)
    else server.listen(socketPath, resolve)
  })
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  const target =
    socketPath === undefined
      ? `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      : `unix:${socketPath}`
  return { target, server, seen, close, [Symbol.asyncDispose]: close }
}
