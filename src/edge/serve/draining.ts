import type { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * Milliseconds in which a kept-alive connection may send one more request while we stop. Otherwise that request could meet a
 * closed connection.
 */
export const lastRequestMs = 1000

/** Whether the request asks for server-sent events (HTML section 9.2), a response that never ends. */
export const wantsEventStream = (rawHeaders: readonly string[]): boolean =>
  rawHeaders.some(
    (value, i) =>
      i % 2 === 1 &&
      rawHeaders[i - 1]!.toLowerCase() === 'accept' &&
      value.toLowerCase().includes('text/event-stream'),
  )

/** Makes this the last response of its connection, unless it has begun already. */
export const makeLast = (response: ServerResponse): void => {
  if (!response.headersSent) response.shouldKeepAlive = false
}

/** Ends the connection after this response, or at once if the response would never end. */
export const endAfterResponse = (response: ServerResponse): void => {
  const { socket } = response.req
  if (wantsEventStream(response.req.rawHeaders)) return void response.destroy()
  response.once('close', () => socket.destroySoon())
}

/** Ends a connection after what is already written. */
export const endAfterWrites = (socket: Duplex): void => {
  if (socket instanceof Socket) socket.destroySoon()
  else socket.destroy()
}
