import { createServer as createHttp2Server, type Http2Server } from 'node:http2'
import type { Socket } from 'node:net'
import { createServer, type SecureContext, type TlsOptions } from 'node:tls'
import type { EdgeCertificates } from '../../tls/certificate_choice.ts'
import { strength } from '../../tls/key_pair.ts'
import { allocateYoung } from '../../wire/short_lives.ts'
import type { OpenFront } from './listener.ts'
import { Http2Connections } from './http2_connection.ts'

/** In milliseconds. */
const handshakeTimeout = 15_000

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
    // Of HTTP/2 alone: without TLS it would cost memory and gain nothing.
    allocateYoung()
    const sessions = new Http2Connections(lanes)
    const http2 = http2Server(sessions)
    const { cert, key } = certificates.watchFallback((pair) =>
      server.setSecureContext({ cert: pair.cert, key: pair.key, ...strength }),
    )
    // Without allowHalfOpen: whoever closes half a connection before the handshake would keep the other half for ever.
    const options: TlsOptions & { noDelay: boolean } = {
      ...strength,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout,
      noDelay: true,
      cert,
      key,
      SNICallback: (name, done) => showCertificate(certificates, name, done),
    }
    const server = createServer(options, (socket) => {
      if (socket.alpnProtocol === 'h2') http2.emit('connection', socket)
      else lanes.connection(socket)
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

/** Is handed its connections and never listens. */
const http2Server = (connections: Http2Connections): Http2Server => {
  const server = createHttp2Server(limits)
  server.on('session', (session) => connections.accept(session))
  return server
}

type Done = (error: Error | null, context?: SecureContext) => void

/** An exception in here could end the daemon (CVE-2026-21637), so there is none, whatever a client names. */
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
