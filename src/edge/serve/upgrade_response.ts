import type { Duplex } from 'node:stream'
import { http } from '../../node/http.ts'
import { problem } from '../../wire/responses.ts'
import { answerTunnel, isTunnel } from './http2_websocket.ts'
import type { Told } from '../../wire/refusal.ts'

/** Answers an upgrade request that is not forwarded, and closes. */
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
  socket.end(body)
}

/** Tells why an upgrade is not forwarded, with what else the answer says, such as a challenge. */
export const tellUpgrade = (socket: Duplex, told: Told): void => {
  const headers = Object.entries(told.headers ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' ? [name, value] : [],
  )
  refuseUpgrade(socket, told.status, problem(told), headers)
}

/** A stream of HTTP/2 is answered by a frame of headers, a connection of HTTP/1.1 by text. */
export const writeHead = (
  socket: Duplex,
  status: number,
  message: string | undefined,
  headers: readonly string[],
  /** What only a connection of HTTP/1.1 is told. */
  ofConnection: readonly string[],
): void => {
  if (!socket.writable) return
  if (isTunnel(socket)) answerTunnel(socket, status, headers)
  else socket.write(Buffer.from(headText(status, message, [...headers, ...ofConnection]), 'latin1'))
}

const headText = (status: number, message: string | undefined, headers: readonly string[]): string => {
  let text = `HTTP/1.1 ${status} ${message ?? http.STATUS_CODES[status] ?? ''}\r\n`
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${text}\r\n`
}
