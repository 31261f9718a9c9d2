import { createServer as createHttp2Server, type Http2Server } from 'node:http2'
import type { Socket } from 'node:net'
import { createServer, type SecureContext, type TlsOptions } from 'node:tls'
import type { EdgeCertificates } from '../../tls/certificate_choice.ts'
import { strength } from '../../tls/key_pair.ts'
import { readableHeadBytes } from '../../wire/request.ts'
import { allocateYoung } from '../../wire/short_lives.ts'
import { keepAliveMs, type OpenListener } from './listener.ts'
import { Http2Connections } from './http2_connection.ts'

const handshakeTimeoutMs = 15_000

/** Fields of a request. More reset the stream. */
const maxFields = 2048
/** HTTP/2 counts 32 bytes more for each field (RFC 9113 section 6.5.2). */
const maxHeaderListBytes = readableHeadBytes + maxFields * 32

/** The limits of one HTTP/2 connection. */
const limits = {
  settings: { enableConnectProtocol: true, maxConcurrentStreams: 128, maxHeaderListSize: maxHeaderListBytes },
  // Browsers send each cookie as a field of its own (RFC 9113 section 8.2.3).
  maxHeaderListPairs: maxFields,
  /** In megabytes. */
  maxSessionMemory: 32,
  // Rapid resets (CVE-2023-44487): the streams that a client may reset in a burst, and per second.
  streamResetBurst: 400,
  streamResetRate: 40,
  // An upstream may repeat a header that should appear once. We pass it on, as over HTTP/1.1.
  strictSingleValueFields: false,
}

/** A TLS listener. Each client gets HTTP/2 or HTTP/1.1, as it prefers (RFC 7301). */
export const tlsListener =
  (certificates: EdgeCertificates): OpenListener =>
  (lanes) => {
    // Only HTTP/2 gains from this; without TLS it would only cost memory.
    allocateYoung()
    const sessions = new Http2Connections(lanes)
    const http2 = http2Server(sessions)
    const { cert, key } = certificates.watchFallback((pair) =>
      server.setSecureContext({ cert: pair.cert, key: pair.key, ...strength }),
    )
    // No allowHalfOpen: a client that closes its half before the handshake would keep the other half open for ever.
    const options: TlsOptions & { noDelay: boolean } = {
      ...strength,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: handshakeTimeoutMs,
      noDelay: true,
      cert,
      key,
      SNICallback: (name, done) => showCertificate(certificates, name, done),
    }
    const server = createServer(options, (socket) => {
      if (socket.alpnProtocol !== 'h2') return lanes.connection(socket)
      // Any stream may become a tunnel, and node:http2 lets nobody set this later.
      socket.setKeepAlive(true, keepAliveMs)
      http2.emit('connection', socket)
    })
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
        sessions.close()
        for (const socket of connections) socket.destroy()
      },
    }
  }

/** Never listens: the TLS server hands it its connections. */
const http2Server = (connections: Http2Connections): Http2Server => {
  const server = createHttp2Server(limits)
  server.on('session', (session) => connections.accept(session))
  return server
}

type Done = (error: Error | null, context?: SecureContext) => void

/** An exception in here could end the daemon (CVE-2026-21637), so none leaves it for any server name. */
const showCertificate = (certificates: EdgeCertificates, name: string, done: Done): void => {
  let context
  try {
    context = certificates.contextFor(name)
  } catch (error) {
    return done(error as Error)
  }
  if (context instanceof Promise) void showWhenFound(context, done)
  else done(null, context)
}

const showWhenFound = async (context: Promise<SecureContext>, done: Done): Promise<void> =>
  done(null, await context)
