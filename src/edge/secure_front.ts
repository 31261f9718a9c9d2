import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { createServer, type SecureContext, type TlsOptions } from 'node:tls'
import type { EdgeCertificates } from '../tls/edge_certificates.ts'
import { strength } from '../tls/pair.ts'
import type { Lanes, OpenFront } from './front.ts'
import { Http2Request, Http2Response } from './http2_messages.ts'
import { refuseUpgrade } from './upgrade.ts'

/** In milliseconds. */
const handshakeTimeout = 15_000
/** How long a connection without a request is kept, in milliseconds. */
const idle = 65_000

/** What one HTTP/2 connection may ask of us. */
const limits = {
  settings: { enableConnectProtocol: true, maxConcurrentStreams: 128, maxHeaderListSize: 16 * 1024 },
  // A few more than a request may have, so that one beyond that is told so.
  maxHeaderListPairs: 220,
  /** In megabytes. */
  maxSessionMemory: 32,
  // Streams that are opened to be reset at once (CVE-2023-44487): so many in a burst, so many a second.
  streamResetBurst: 400,
  streamResetRate: 40,
  // Upstreams may repeat what should come once; that is passed on as it is over HTTP/1.1.
  strictSingleValueFields: false,
}

/** Speaks TLS, and to each client HTTP/2 or HTTP/1.1 as it prefers (RFC 7301). */
export const secureFront =
  (certificates: EdgeCertificates): OpenFront =>
  (lanes) => {
    const http2 = http2Server(lanes)
    const { cert, key } = certificates.fallback
    // Without allowHalfOpen: whoever closes half a connection before the handshake would keep the other half for ever.
    const options: TlsOptions & { noDelay: boolean } = {
      ...strength,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout,
      noDelay: true,
      cert,
      key,
      SNICallback: (name, done) => void showCertificate(certificates, name, done),
    }
    const server = createServer(options, (socket) => {
      if (socket.alpnProtocol === 'h2') http2.emit('connection', socket)
      else lanes.connection(socket)
    })
    certificates.onFallback = (pair) =>
      server.setSecureContext({ cert: pair.cert, key: pair.key, ...strength })
    const connections = new Set<Socket>()
    server.on('connection', (socket: Socket) => {
      if (!lanes.admit(socket, false)) return
      connections.add(socket)
      socket.once('close', () => connections.delete(socket))
    })
    return {
      server,
      drain: () => http2.close(),
      destroyAll: () => {
        for (const socket of connections) socket.destroy()
      },
    }
  }

/** Is handed its connections and never listens. */
const http2Server = (lanes: Lanes): Http2Server => {
  const server = createHttp2Server({
    ...limits,
    Http2ServerRequest: Http2Request,
    Http2ServerResponse: Http2Response as never,
  })
  const serve = (request: unknown, response: unknown) =>
    lanes.request(request as IncomingMessage, response as ServerResponse)
  server.on('request', serve)
  // The upstream says whether to go on (RFC 9110 section 10.1.1); any other expectation Node answers with 417.
  server.on('checkContinue', serve)
  // A CONNECT that opens a WebSocket (RFC 8441) has been told as an upgrade; no other is served.
  server.on('connect', (request: Http2Request) => {
    if (request.headers.upgrade === undefined) refuseUpgrade(request.stream, 405, '')
    else lanes.tunnel(request as unknown as IncomingMessage, request.stream)
  })
  server.on('session', endWhenIdle)
  return server as unknown as Http2Server
}

/** An exception in here could end the daemon (CVE-2026-21637), so there is none, whatever a client names. */
const showCertificate = async (
  certificates: EdgeCertificates,
  name: string,
  done: (error: Error | null, context?: SecureContext) => void,
): Promise<void> => {
  let context
  try {
    context = await certificates.contextFor(name)
  } catch (error) {
    return done(error as Error)
  }
  done(null, context)
}

/** An event stream may be silent for long: only a connection that asks nothing is idle. */
const endWhenIdle = (session: ServerHttp2Session): void => {
  let open = 0
  session.on('stream', (stream) => {
    open++
    stream.once('close', () => open--)
  })
  session.setTimeout(idle, () => {
    if (open === 0) session.close()
  })
}
