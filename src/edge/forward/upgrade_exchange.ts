import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ResponseSink } from '../../wire/response_sink.ts'
import type { Head } from '../../wire/http_parser.ts'
import { responseHeaders } from './response_headers.ts'
import { requestHead } from './request_headers.ts'
import { isTunnel, resetTunnel } from '../serve/http2_websocket.ts'
import { headersTo } from './upstream_target.ts'
import { reason } from '../../wire/client_response.ts'
import type { UpstreamConnection } from '../../upstream/connection.ts'
import { joinConnections } from './tunnel.ts'
import type { Carrier, Failure, Forwarded, Timed } from './forwarded.ts'
import { closeAfterResponse, writeHead } from '../serve/upgrade_response.ts'
import type { Upstream } from '../../upstream/upstream.ts'

/** How much a client may send before the switch; what is more waits in the kernel. */
const maxEarlyBytes = 64 * 1024

/** Ends a connection so that the client sees a broken transfer, not a complete body that ends at the close. */
const breakOff = (socket: Duplex): void => {
  if (isTunnel(socket)) resetTunnel(socket)
  // Under TLS, a close without close_notify is visibly broken (RFC 8446 section 6.1).
  else if (socket instanceof Socket && !('encrypted' in socket)) socket.resetAndDestroy()
  else socket.destroy()
}

/**
 * Forwards a request to switch protocols (RFC 9110 section 7.8). After a 101, bytes pass unchanged in both directions until
 * either side ends. Any other response is passed on, and the connection closes. Resolves when the exchange is over, with a
 * Failure if no response came.
 */
export const forwardUpgrade = (
  carrier: Carrier,
  socket: Duplex,
  early: Buffer,
  out: Forwarded,
): Promise<Failure | undefined> =>
  new Promise((settle) => new UpgradeExchange(carrier, socket, early, out, settle).begin())

class UpgradeExchange implements ResponseSink, Timed {
  place = -1
  readonly bodiless: boolean
  readonly takesWhole = false
  readonly out: Forwarded
  readonly #carrier: Carrier
  readonly #socket: Duplex
  /** What the client sent before the switch: the first bytes of the new protocol. */
  readonly #early: Buffer[]
  #earlyBytes = 0
  readonly #settle: (failure?: Failure) => void
  #connection: UpstreamConnection | undefined
  #tried: readonly Upstream[] = []
  /** The clock when an attempt began, or when anything last arrived from the upstream or left for the client. */
  #progressAt: number
  #answer: Head | undefined
  #over = false

  constructor(
    carrier: Carrier,
    socket: Duplex,
    early: Buffer,
    out: Forwarded,
    settle: (failure?: Failure) => void,
  ) {
    this.#carrier = carrier
    this.#socket = socket
    this.#early = early.length > 0 ? [early] : []
    this.out = out
    this.bodiless = out.asked.method === 'HEAD'
    this.#settle = settle
    this.#progressAt = carrier.clock
  }

  begin(): void {
    const socket = this.#socket
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#conclude())
    // A client that leaves is noticed only by reading.
    socket.on('data', this.#onEarly)
    socket.once('end', this.#onEnd)
    if (socket.destroyed) return this.#conclude()
    this.#sendTo(this.#carrier.upstreams.next(this.out.plan))
    this.#carrier.began(this)
  }

  readonly #onEarly = (bytes: Buffer): void => {
    // Unless the protocol switches, these bytes are for nobody.
    if (this.#answer && !this.#answer.upgrade) return
    this.#early.push(bytes)
    this.#earlyBytes += bytes.length
    if (this.#earlyBytes > maxEarlyBytes) this.#socket.pause()
  }

  /** As in node:http, a client that ends before the response wants none. */
  readonly #onEnd = (): void => void this.#socket.destroy()

  #sendTo(upstream: Upstream): void {
    const { plan, asked, target, headers } = this.out
    const connection = this.#carrier.pool.openToSwitch(upstream)
    this.#connection = connection
    const list = [...headersTo(upstream, plan, headers), 'Connection', 'Upgrade', 'Upgrade', asked.upgrade!]
    connection.send(this, requestHead(asked, target, list), false)
  }

  /** Tries another upstream after a failed one, each at most once. Returns false if there is no other. */
  #tryNext(): boolean {
    const { plan } = this.out
    const { upstreams, clock } = this.#carrier
    upstreams.failed(this.#connection!.upstream)
    this.#tried = [...this.#tried, this.#connection!.upstream]
    if (this.#tried.length >= plan.upstreams.length) return false
    this.#progressAt = clock
    this.#sendTo(upstreams.next(plan, this.#tried))
    return true
  }

  connected(): void {
    this.#progressAt = this.#carrier.clock
    this.#carrier.upstreams.succeeded(this.#connection!.upstream)
  }

  watchTime(now: number): void {
    // After the switch, silence ends nothing.
    if (this.#answer?.upgrade) return
    const { connect_timeout, response_timeout } = this.out.plan.route
    const connection = this.#connection!
    if (now - this.#progressAt < (connection.connected ? response_timeout : connect_timeout)) return
    if (this.#answer) return breakOff(this.#socket)
    if (!connection.connected) {
      connection.abandon(this)
      if (this.#tryNext()) return
    }
    this.#fail('timeout', 'ETIMEDOUT')
  }

  whole(): boolean {
    return false
  }

  information(): void {
    this.#progressAt = this.#carrier.clock
  }

  drain(): void {}

  head(head: Head): void {
    this.#answer = head
    this.#progressAt = this.#carrier.clock
    if (head.upgrade) return
    // The body ends at the close, so it needs no framing (RFC 9112 section 6.3).
    const headers = responseHeaders(head, this.out)
    writeHead(this.#socket, head.status, reason(head.message), headers, ['Connection', 'close'])
  }

  body(chunk: Buffer): boolean {
    this.#progressAt = this.#carrier.clock
    if (!this.#socket.write(chunk)) {
      this.#connection!.pause()
      this.#socket.once('drain', () => {
        this.#progressAt = this.#carrier.clock
        this.#connection!.resume()
      })
    }
    return false
  }

  flush(): void {}

  end(): void {
    closeAfterResponse(this.#socket)
    this.#conclude()
  }

  switched(upstreamSocket: Socket, firstBytes: Buffer): void {
    const client = this.#socket
    const { rawHeaders, message } = this.#answer!
    // The protocol that the upstream names, or the requested one if it names none.
    const named = rawHeaders.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === 'upgrade')
    const protocol = rawHeaders[named + 1] ?? this.out.asked.upgrade!
    const headers = responseHeaders(this.#answer!, { ...this.out, answerHeaders: [] }, 'shared')
    writeHead(client, 101, reason(message), headers, ['Connection', 'Upgrade', 'Upgrade', protocol])
    if (client.destroyed) return void upstreamSocket.destroy()
    client.off('data', this.#onEarly)
    client.off('end', this.#onEnd)
    if (firstBytes.length > 0) client.write(firstBytes)
    for (const bytes of this.#early) upstreamSocket.write(bytes)
    joinConnections(client, upstreamSocket)
  }

  broken(error: NodeJS.ErrnoException): void {
    // A response that breaks off stays incomplete: another one appended to it would be read as its body.
    if (this.#answer) return breakOff(this.#socket)
    if (this.#over || (!this.#connection!.connected && this.#tryNext())) return
    this.#fail('unreachable', error.code ?? error.message)
  }

  breakOff(): void {
    if (!this.#answer) this.#conclude('ended')
    else breakOff(this.#socket)
  }

  #fail(failure: Failure, error: string): void {
    if (this.#over) return
    this.#carrier.log.warn({ route: this.out.plan.route.id, error }, 'the upstream did not answer')
    this.#conclude(this.#socket.writable ? failure : undefined)
  }

  #conclude(failure?: Failure): void {
    if (this.#over) return
    this.#over = true
    this.#carrier.ended(this)
    this.#connection?.abandon(this)
    this.#settle(failure)
  }
}
