import type { IncomingMessage } from 'node:http'
import { request as secureRequest } from 'node:https'
import type { LookupFunction, Socket } from 'node:net'
import { http } from '../node/http.ts'
import { localLookup, publicLookup, refuseNonPublicHost } from './outgoing_addresses.ts'

/**
 * How long a connection attempt may take before the next address of a host is tried. Node's default of 250 ms is too short: this
 * process can be busy for longer (for example while it loads modules for its first sign-in) and would abandon a working address.
 */
const connectOptions = { autoSelectFamilyAttemptTimeout: 2000 }

export interface Outgoing {
  readonly method?: string
  readonly headers?: Record<string, string> | Headers
  readonly body?: unknown
  readonly signal: AbortSignal
  /** How to resolve the host; undefined for the resolver of the system. */
  readonly lookup: LookupFunction | undefined
  /** Throws for a connected socket that must not be used. */
  readonly checkSocket?: (socket: Socket) => void
  readonly maxResponseBytes: number
}

/** The response is longer than we read. */
export class ResponseTooLarge extends Error {
  override readonly name = 'ResponseTooLarge'
}

/** The other side closed, or answered what no response can be. */
export class NoResponse extends Error {
  override readonly name = 'NoResponse'
}

/** Makes one request, without redirects, on a connection of its own, and reads the whole response. */
export const sendRequest = async (
  url: URL,
  { method = 'GET', headers = {}, body, signal, lookup, checkSocket, maxResponseBytes }: Outgoing,
): Promise<Response> => {
  const plainHeaders = Object.fromEntries(new Headers(headers).entries())
  const text = body === undefined || body === null ? undefined : bytesOf(body)
  return new Promise<Response>((resolve, reject) => {
    const failed = (error: Error) => {
      outgoing.destroy()
      reject(error)
    }
    const outgoing = (url.protocol === 'https:' ? secureRequest : http.request)(url, {
      method,
      agent: false,
      headers: {
        ...plainHeaders,
        'user-agent': 'hero_proxy',
        'accept-encoding': 'identity',
        ...(text && { 'content-length': text.length }),
      },
      signal,
      lookup,
      ...connectOptions,
    })
    outgoing.on('error', failed)
    const unanswered = () => failed(new NoResponse(`${url.host} closed without an answer`))
    // After a switch of protocols (101), Node closes the connection without an error.
    outgoing.on('close', unanswered)
    outgoing.on('socket', (socket) =>
      socket.once('connect', () => {
        try {
          checkSocket?.(socket)
        } catch (error) {
          failed(error as Error)
        }
      }),
    )
    outgoing.on('response', (answer) => {
      outgoing.off('close', unanswered)
      read(answer, url, maxResponseBytes)
        .then((bytes) => resolve(toResponse(answer, bytes, url)))
        .catch(failed)
    })
    outgoing.end(text)
  })
}

export interface PublicRequest {
  readonly method?: string | undefined
  readonly headers?: ConstructorParameters<typeof Headers>[0]
  readonly body?: unknown
  /** How long it may take, until the last byte of the response. */
  readonly timeoutMs: number
  readonly maxResponseBytes: number
  /** Whether the address may also be in our own network and on this machine. */
  readonly anywhere: boolean
  /** Ends the request early. */
  readonly signal?: AbortSignal
}

/**
 * Makes one request, without redirects, to an address that a stranger chose: unless it may go anywhere, to public addresses only, which
 * is checked before a connection opens. Rejects if that is not so, and if the response is too late or too long.
 */
export const sendPublicly = async (
  url: URL,
  { method = 'GET', headers, body, timeoutMs, maxResponseBytes, anywhere, signal }: PublicRequest,
): Promise<Response> => {
  if (!anywhere) refuseNonPublicHost(url)
  const timeout = AbortSignal.timeout(timeoutMs)
  return sendRequest(url, {
    method,
    headers: new Headers(headers),
    body,
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    lookup: anywhere ? localLookup(url) : publicLookup,
    maxResponseBytes,
  })
}

const read = async (answer: IncomingMessage, { host }: URL, maxBytes: number): Promise<Buffer> => {
  const parts: Buffer[] = []
  let length = 0
  const refuse = () => new ResponseTooLarge(`${host} answered more than ${maxBytes} bytes`)
  if (Number(answer.headers['content-length'] ?? 0) > maxBytes) throw refuse()
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length
    if (length > maxBytes) throw refuse()
    parts.push(part)
  }
  return Buffer.concat(parts)
}

const bytesOf = (body: unknown): Buffer => {
  if (typeof body === 'string' || body instanceof URLSearchParams) return Buffer.from(String(body))
  if (body instanceof Uint8Array) return Buffer.from(body)
  throw new TypeError('the body of an outgoing request must be text or bytes')
}

const toResponse = (answer: IncomingMessage, bytes: Buffer, { host }: URL): Response => {
  const status = answer.statusCode ?? 0
  if (status < 200 || status > 599) throw new NoResponse(`${host} answered ${status}`)
  const headers = new Headers()
  for (let i = 0; i < answer.rawHeaders.length; i += 2)
    headers.append(
      answer.rawHeaders[i]!,
      answer.rawHeaders[i + 1]!.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ''),
    )
  const empty = status === 204 || status === 205 || status === 304
  return new Response(empty ? null : new Uint8Array(bytes), { status, headers })
}
