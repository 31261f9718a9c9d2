import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { http } from '../http.ts'
import type { Log } from '../log.ts'
import { dialOptions, limitTime, type Failure, type Forwarded } from './forward.ts'
import { responseHeaders } from './headers.ts'

const head = (status: number, message: string | undefined, headers: readonly string[]): string => {
  let text = `HTTP/1.1 ${status} ${message ?? http.STATUS_CODES[status] ?? ''}\r\n`
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${text}\r\n`
}

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
  socket.end(head(status, undefined, [...headers, ...framing, 'Connection', 'close']) + body)
}

/** Ends a connection so that the other side sees a broken transfer, not a body that ended by closing. */
const breakOff = (socket: Duplex): void => {
  if (socket instanceof Socket) socket.resetAndDestroy()
  else socket.destroy()
}

/**
 * Forwards a request to switch protocols (RFC 9110 section 7.8). After a 101 bytes pass both ways untouched until either
 * side ends; any other answer of the upstream is passed on and the connection closed.
 */
export const forwardUpgrade = (
  request: IncomingMessage,
  socket: Duplex,
  early: Buffer,
  out: Forwarded,
  log: Log,
): Promise<Failure | undefined> =>
  new Promise((settle) => {
    const { route, upstreams } = out.plan
    const upstream = upstreams[0]!
    const onward = http.request({
      ...dialOptions(upstream),
      agent: false,
      method: request.method,
      path: out.target,
      headers: [...out.headers, 'Connection', 'Upgrade', 'Upgrade', request.headers.upgrade!],
      setHost: false,
    })
    let timedOut = false
    let answered = false
    limitTime(onward, route.connect_timeout, route.response_timeout, () => {
      timedOut = true
      onward.destroy(new Error('the upstream took too long'))
    })
    const leave = () => onward.destroy()
    socket.once('close', leave)
    socket.on('error', () => socket.destroy())

    onward.on('error', (error: NodeJS.ErrnoException) => {
      // An answer that breaks off stays broken off: another one appended to it would be read as its body.
      if (answered) return breakOff(socket)
      log.warn({ route: route.id, error: error.code ?? error.message }, 'no answer from the upstream')
      if (socket.writable) settle(timedOut ? 'timeout' : 'unreachable')
      else settle(undefined)
    })
    onward.on('upgrade', (answer, far, first) => {
      answered = true
      socket.off('close', leave)
      onward.setTimeout(0)
      far.setTimeout(0)
      const headers = responseHeaders(answer.rawHeaders, [])
      const protocol = answer.headers.upgrade ?? request.headers.upgrade!
      // The status line and headers are written raw: what node:http refused to parse never gets here.
      socket.write(
        Buffer.from(
          head(101, answer.statusMessage, [...headers, 'Connection', 'Upgrade', 'Upgrade', protocol]),
          'latin1',
        ),
      )
      if (first.length > 0) socket.write(first)
      if (early.length > 0) far.write(early)
      far.on('error', () => socket.destroy())
      socket.on('error', () => far.destroy())
      far.on('close', () => socket.destroy())
      socket.on('close', () => far.destroy())
      far.pipe(socket)
      socket.pipe(far)
      socket.once('close', () => settle(undefined))
    })
    onward.on('response', (answer) => {
      if (answer.statusCode! < 200) return void onward.destroy(new Error('the answer has no status'))
      answered = true
      // Ended by closing, so the body needs no framing of its own (RFC 9112 section 6.3).
      const headers = responseHeaders(answer.rawHeaders, out.answerHeaders)
      socket.write(
        Buffer.from(
          head(answer.statusCode!, answer.statusMessage, [...headers, 'Connection', 'close']),
          'latin1',
        ),
      )
      answer.on('error', () => breakOff(socket))
      answer.pipe(socket)
      socket.once('close', () => settle(undefined))
    })
    onward.end()
  })
