import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { http } from '../../node/http.ts'
import { problem } from '../../wire/responses.ts'
import { answerTunnel, isTunnel } from './http2_websocket.ts'
import type { Refusal } from '../../wire/refusal.ts'

/** Refuses an upgrade and closes the connection. */
export const refuseUpgrade = (
  socket: Duplex,
  status: number,
  body: string,
  headers: readonly string[] = [],
): void => {
  const framing = [
    'Content-Type',
    'application/problem+json',
    'Content-Length',
    String(Buffer.byteLength(body)),
  ]
  writeHead(socket, status, undefined, [...headers, ...framing], ['Connection', 'close'])
  if (socket.writable && body !== '') socket.write(body)
  closeAfterResponse(socket)
}

/** Closes the connection after the complete response. */
export const closeAfterResponse = (socket: Duplex): void => {
  // As node:http does after a last response; the edge reads and drops what the client still sends.
  if (socket instanceof Socket) socket.destroySoon()
  // The client need not end its side of the stream first (RFC 9113 section 8.1).
  else socket.end(() => setImmediate(() => socket.destroy()))
}

/** Answers why an upgrade is refused, with the headers of the refusal, such as a challenge. */
export const sendUpgradeRefusal = (socket: Duplex, refusal: Refusal): void => {
  const headers = Object.entries(refusal.headers ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' ? [name, value] : [],
  )
  refuseUpgrade(socket, refusal.status, problem(refusal), headers)
}

/** Writes the head of a response: a HEADERS frame on an HTTP/2 stream, text on an HTTP/1.1 connection. */
export const writeHead = (
  socket: Duplex,
  status: number,
  message: string | undefined,
  headers: readonly string[],
  /** Headers that only an HTTP/1.1 connection gets. */
  connectionHeaders: readonly string[],
): void => {
  if (!socket.writable) return
  if (isTunnel(socket)) answerTunnel(socket, status, headers)
  else socket.write(Buffer.from(headText(status, message, [...headers, ...connectionHeaders]), 'latin1'))
}

const headText = (status: number, message: string | undefined, headers: readonly string[]): string => {
  let text = `HTTP/1.1 ${status} ${message ?? http.STATUS_CODES[status] ?? ''}\r\n`
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${text}\r\n`
}
