import { once } from 'node:events'
import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { connect as connectTls } from 'node:tls'
import type { TestDaemon } from './daemon.ts'

type Door = Pick<TestDaemon, 'edge'>

/** An HTTP/2 connection to the edge, opened under a host name. */
export const openSession = async (daemon: Door, name: string): Promise<ClientHttp2Session> => {
  const session = connect(`https://${name}:${daemon.edge.port}`, {
    // In megabytes, because tests pass whole bodies.
    maxSessionMemory: 1000,
    createConnection: () =>
      connectTls({
        host: '127.0.0.1',
        port: daemon.edge.port,
        servername: name,
        ALPNProtocols: ['h2'],
        rejectUnauthorized: false,
      }),
  })
  session.on('error', () => {})
  await once(session, 'remoteSettings')
  return session
}

export interface H2Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly trailers: IncomingHttpHeaders | undefined
  /** The error code (RFC 9113 section 7); 0 for a stream that ended without error. */
  readonly code: number
}

/** Collects the response on an open stream; for a stream that is reset, what arrived before. */
export const answerOf = async (stream: ClientHttp2Stream): Promise<H2Answer> => {
  let headers: IncomingHttpHeaders = {}
  let trailers: IncomingHttpHeaders | undefined
  let body = ''
  stream.on('error', () => {})
  stream.on('response', (got) => (headers = got))
  stream.on('trailers', (got) => (trailers = got))
  stream.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')))
  await new Promise((resolve) => stream.once('close', resolve))
  return { status: Number(headers[':status'] ?? 0), headers, body, trailers, code: stream.rstCode }
}

export const askOver = (
  session: ClientHttp2Session,
  host: string,
  path: string,
  headers: OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<H2Answer> => {
  const method = body === undefined ? 'GET' : 'POST'
  const stream = session.request(
    { ':method': method, ':path': path, ':authority': host, ...headers },
    { endStream: body === undefined },
  )
  if (body !== undefined) stream.end(body)
  return answerOf(stream)
}

// Hand-written frames (RFC 9113 section 4, RFC 7541 section 6.2.2), for what node:http2 refuses to send.

const text = (value: string) => {
  const bytes = Buffer.from(value, 'latin1')
  const { length } = bytes
  if (length < 127) return Buffer.concat([Buffer.from([length]), bytes])
  const rest = length - 127
  const size = rest < 128 ? [127, rest] : [127, (rest & 127) | 128, rest >> 7]
  return Buffer.concat([Buffer.from(size), bytes])
}

const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

const [endStream, endHeaders] = [1, 4]

/** HEADERS with exactly these fields, in this order. */
export const headersFrame = (
  stream: number,
  fields: readonly (readonly [string, string])[],
  end = true,
): Buffer => {
  const block = fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)]))
  return frame(1, (end ? endStream : 0) | endHeaders, stream, Buffer.concat(block))
}
export const dataFrame = (stream: number, body: string, end: boolean): Buffer =>
  frame(0, end ? endStream : 0, stream, Buffer.from(body, 'latin1'))
/** Resets with the code CANCEL by default. */
export const resetFrame = (stream: number, code = 8): Buffer =>
  frame(3, 0, stream, Buffer.from([0, 0, 0, code]))

export interface Frame {
  readonly type: 'data' | 'headers' | 'reset' | 'goaway' | 'other'
  readonly stream: number
  readonly payload: Buffer
}

const names: Record<number, Frame['type']> = { 0: 'data', 1: 'headers', 3: 'reset', 7: 'goaway' }

const framesOf = (bytes: Buffer): Frame[] => {
  const frames: Frame[] = []
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3)
    const payload = bytes.subarray(at + 9, at + 9 + length)
    frames.push({ type: names[bytes[at + 3]!] ?? 'other', stream: bytes.readUInt32BE(at + 5), payload })
    at += 9 + length
  }
  return frames
}

/** A connection for hand-written frames, with the preface sent. */
export const openFrames = async (daemon: Door) => {
  const socket = connectTls({
    host: '127.0.0.1',
    port: daemon.edge.port,
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
  })
  const received: Buffer[] = []
  socket.on('data', (chunk: Buffer) => received.push(chunk))
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  const settings = [frame(4, 0, 0, Buffer.alloc(0)), frame(4, 1, 0, Buffer.alloc(0))]
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), ...settings]))
  return { socket, frames: () => framesOf(Buffer.concat(received)) }
}

/** Sends these frames on a connection of their own, and returns what arrives until it is quiet or closed. */
export const askFrames = async (daemon: Door, sent: readonly Buffer[], quiet = 300): Promise<Frame[]> => {
  const { socket, frames } = await openFrames(daemon)
  socket.setTimeout(quiet, () => socket.destroy())
  socket.write(Buffer.concat(sent))
  await once(socket, 'close')
  return frames()
}

/** The status of a response as nghttp2 encodes it: one byte for the common ones (RFC 7541 appendix A). */
export const statusOf = (frames: readonly Frame[], stream: number): number | undefined => {
  const head = frames.find((one) => one.type === 'headers' && one.stream === stream)?.payload
  if (!head) return undefined
  return { 0x88: 200, 0x89: 204, 0x8c: 400, 0x8d: 404, 0x8e: 500 }[head[0]!] ?? -1
}
