import type { ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'

// WebSockets over HTTP/2 (RFC 8441): the stream is the connection. Known by its shape, so that plain HTTP loads no HTTP/2.

/** NO_ERROR, INTERNAL_ERROR of RFC 9113 section 7. */
const internalError = 2

export const isTunnel = (socket: Duplex): socket is ServerHttp2Stream => 'respond' in socket

/** Answers the CONNECT: 200 stands for the 101 of HTTP/1.1, and there is no key to accept (RFC 8441 section 5). */
export const answerTunnel = (stream: ServerHttp2Stream, status: number, headers: readonly string[]): void => {
  const fields: Record<string, string[]> = {}
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase()
    if (name !== 'sec-websocket-accept') (fields[name] ??= []).push(headers[i + 1]!)
  }
  try {
    stream.respond({ ...fields, ':status': status === 101 ? 200 : status })
  } catch {
    // What HTTP/2 cannot carry, such as a status of 700, ends as a broken stream.
    resetTunnel(stream)
  }
}

export const resetTunnel = (stream: ServerHttp2Stream): void => stream.close(internalError)
