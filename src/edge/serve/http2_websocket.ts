import type { ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'

// WebSockets over HTTP/2 (RFC 8441): the stream is the connection. We detect it by its shape, so that plain HTTP never loads node:http2.

/** INTERNAL_ERROR of RFC 9113 section 7. */
const internalError = 2

export const isTunnel = (socket: Duplex): socket is ServerHttp2Stream => 'respond' in socket

/** Answers the CONNECT: 200 takes the place of 101, and there is no key to accept (RFC 8441 section 5). */
export const answerTunnel = (stream: ServerHttp2Stream, status: number, headers: readonly string[]): void => {
  const fields: Record<string, string[]> = {}
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase()
    if (name !== 'sec-websocket-accept') (fields[name] ??= []).push(headers[i + 1]!)
  }
  try {
    stream.respond({ ...fields, ':status': status === 101 ? 200 : status })
  } catch {
    // HTTP/2 cannot carry a status such as 700: the stream ends as broken.
    resetTunnel(stream)
  }
}

export const resetTunnel = (stream: ServerHttp2Stream): void => stream.close(internalError)
