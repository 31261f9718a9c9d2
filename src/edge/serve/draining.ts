import type { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Milliseconds in which a kept connection may ask once more while we stop, so that nobody's request meets a closed one. */
export const farewell = 1000

/** Whether a request is a browser's for server-sent events (HTML section 9.2), whose answer never ends. */
export const asksForEvents = (rawHeaders: readonly string[]): boolean =>
  rawHeaders.some(
    (value, i) =>
      i % 2 === 1 &&
      rawHeaders[i - 1]!.toLowerCase() === 'accept' &&
      value.toLowerCase().includes('text/event-stream'),
  )

/** Lets this be the last answer of its connection, and says so if it has not begun. */
export const makeLast = (response: ServerResponse): void => {
  if (!response.headersSent) response.shouldKeepAlive = false
}

/** Ends the connection of an answer: behind it, or at once where it would never end. */
export const endBehind = (response: ServerResponse): void => {
  const { socket } = response.req
  if (asksForEvents(response.req.rawHeaders)) return void response.destroy()
  response.once('close', () => socket.destroySoon())
}

/** Ends a connection behind what is written already. */
export const endSoon = (socket: Duplex): void => {
  if (socket instanceof Socket) socket.destroySoon()
  else socket.destroy()
}
