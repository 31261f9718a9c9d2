import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import { finished } from 'node:stream'
import { http } from '../http.ts'
import type { Log } from '../log.ts'
import type { RoutePlan, Upstream } from '../routes/table.ts'
import { responseHeaders } from './headers.ts'

/** Why an upstream gave no answer. */
export type Failure = 'unreachable' | 'timeout'

export interface Forwarded {
  readonly plan: RoutePlan
  /** Path and query as the upstream gets them. */
  readonly target: string
  /** Flat list, complete but for the framing of the body. */
  readonly headers: string[]
  /** Headers of ours in the answer, such as a cookie that is cleared. */
  readonly answerHeaders: readonly string[]
}

const framing = ({ headers, method }: IncomingMessage): string[] => {
  if (headers['transfer-encoding'] !== undefined) return ['Transfer-Encoding', 'chunked']
  if (headers['content-length'] !== undefined) return []
  // Without either there is no body (RFC 9112 section 6.3); methods that usually have one say so.
  return method === 'POST' || method === 'PUT' || method === 'PATCH' ? ['Content-Length', '0'] : []
}

const hasBody = ({ headers }: IncomingMessage) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** May be sent again on a fresh connection when a kept one turned out to be closed (RFC 9110 section 9.2.2). */
const repeatable = (request: IncomingMessage) =>
  (request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS') && !hasBody(request)

export const dialOptions = (upstream: Upstream) =>
  'path' in upstream ? { socketPath: upstream.path } : { host: upstream.host, port: upstream.port }

/** Carries requests to upstreams and answers back: streams both ways, passes aborts both ways, keeps connections. */
export class Forwarder {
  readonly #log: Log
  readonly #agent = new http.Agent({ keepAlive: true, maxFreeSockets: 256, scheduling: 'lifo', timeout: 0 })

  constructor(log: Log) {
    this.#log = log
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Resolves when the answer has been passed on or its connection has broken; with a Failure if no answer came. */
  forward(request: IncomingMessage, response: ServerResponse, out: Forwarded): Promise<Failure | undefined> {
    return new Promise((resolve) => this.#attempt(request, response, out, repeatable(request), resolve))
  }

  #attempt(
    request: IncomingMessage,
    response: ServerResponse,
    out: Forwarded,
    mayRepeat: boolean,
    settle: (failure?: Failure) => void,
  ): void {
    const { route, upstreams } = out.plan
    const upstream = upstreams[0]!
    const onward = http.request({
      ...dialOptions(upstream),
      agent: this.#agent,
      method: request.method,
      path: out.target,
      headers: [
        ...out.headers,
        ...(request.headers.expect ? ['Expect', request.headers.expect] : []),
        ...framing(request),
      ],
      setHost: false,
    })
    let timedOut = false
    limitTime(onward, route.connect_timeout, route.response_timeout, () => {
      timedOut = true
      onward.destroy(new Error('the upstream took too long'))
    })

    // The client left: the upstream need not go on.
    const left = () => {
      if (!response.writableFinished) onward.destroy()
    }
    response.once('close', left)

    onward.on('continue', () => response.writeContinue())
    onward.on('information', ({ statusCode, headers }) => {
      if (statusCode === 103 && headers.link !== undefined) passHints(response, headers.link)
    })
    onward.on('error', (error: NodeJS.ErrnoException) => {
      response.off('close', left)
      if (response.headersSent || response.destroyed) {
        // A body that was cut short upstream is cut short here too, never completed.
        response.destroy()
        return settle()
      }
      if (mayRepeat && onward.reusedSocket && !timedOut && error.code === 'ECONNRESET') {
        return this.#attempt(request, response, out, false, settle)
      }
      this.#log.warn({ route: route.id, error: error.code ?? error.message }, 'no answer from the upstream')
      settle(timedOut ? 'timeout' : 'unreachable')
    })
    onward.on('response', (answer) => {
      // Below 200 only a 101 that switches nothing gets here, or a number that is no status (RFC 9110 section 15).
      if (answer.statusCode! < 200) return void onward.destroy(new Error('the answer has no status'))
      passAnswer(answer, response, out.answerHeaders)
      finished(answer, { writable: false }, (error) => {
        if (error) response.destroy()
      })
      response.once('close', () => settle())
    })
    // An upgrade that nobody asked for.
    onward.on('upgrade', (_, socket) => {
      socket.destroy()
      if (!response.headersSent) settle('unreachable')
    })

    if (hasBody(request)) {
      request.pipe(onward)
      request.once('aborted', () => onward.destroy())
      // The upstream wants no more of a body: the rest is read away, or the next request on this connection would wait behind it.
      onward.once('close', () => {
        request.unpipe(onward)
        request.resume()
      })
    } else {
      onward.end()
    }
  }
}

/** Hints are help, not an answer: those that are not well formed are left out. */
const passHints = (response: ServerResponse, link: string | string[]) => {
  try {
    response.writeEarlyHints({ link: String(link).split(/,\s*(?=<)/) })
  } catch {
    // Node refuses what it cannot read as Link; an upstream must not stop us by that.
  }
}

/** The reason phrase as it may be written again; parsers let pass more than that. */
const reason = ({ statusMessage = '' }: IncomingMessage) =>
  statusMessage.replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/g, '')

const passAnswer = (answer: IncomingMessage, response: ServerResponse, extra: readonly string[]) => {
  response.writeHead(answer.statusCode!, reason(answer), responseHeaders(answer.rawHeaders, extra))
  // Nothing says how soon the first byte comes: an event stream is silent until something happens.
  if (answer.headers['content-length'] === undefined) response.flushHeaders()
  answer.pipe(response, { end: false })
  answer.once('end', () => {
    if (answer.rawTrailers.length > 0) {
      const pairs: [string, string][] = []
      const clean = responseHeaders(answer.rawTrailers, [])
      for (let i = 0; i < clean.length; i += 2) pairs.push([clean[i]!, clean[i + 1]!])
      response.addTrailers(pairs)
    }
    response.end()
  })
}

/**
 * Calls `expire` when connecting takes longer than the route allows, or when the upstream, having all it needs, begins no
 * answer for so long. Times in seconds. A client that is slow to send, and an answer that pauses once it has begun (an
 * event stream), are not the upstream's silence.
 */
export const limitTime = (
  onward: ClientRequest,
  connect: number,
  silence: number,
  expire: () => void,
): void => {
  let answered = false
  onward.once('response', () => (answered = true))
  onward.once('socket', (socket) => {
    if (socket.connecting) {
      const timer = setTimeout(expire, connect * 1000)
      socket.once('connect', () => clearTimeout(timer))
      socket.once('close', () => clearTimeout(timer))
    }
    onward.setTimeout(silence * 1000, () => {
      if (!answered && (onward.writableFinished || onward.writableNeedDrain)) expire()
    })
  })
}
