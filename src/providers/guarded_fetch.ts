import type { IncomingMessage } from 'node:http'
import { request as secureRequest } from 'node:https'
import { http } from '../node/http.ts'
import {
  addressFault,
  guardedLookup,
  isLocal,
  LocalAddress,
  localLookup,
} from '../wire/outgoing_addresses.ts'

/** The timeout of a request to a provider in seconds, until the last byte of the response. */
export const requestTimeoutSeconds = 4
/**
 * How long a connection attempt may take before the next address of a host is tried. Node's default of 250 ms is too short: this
 * process can be busy for longer (for example while it loads modules for its first sign-in) and would abandon a working address.
 */
const connectOptions = { autoSelectFamilyAttemptTimeout: 2000 }
const maxResponseBytes = 1024 * 1024

/** Why a request to a provider failed. */
export type Fault =
  | 'unreachable'
  | 'slow'
  /** No valid certificate. */
  | 'insecure'
  /** The address is one that providers may not have. */
  | 'local'
  | 'too large'
  /** The response violates the protocol. */
  | 'nonsense'
  /** The response is well-formed but fails verification. */
  | 'untrusted'
  /** The provider rejects our client_id or secret. */
  | 'client'
  /** The provider rejects the code or the refresh token. */
  | 'grant'
  /** The provider reports that the person declined or is not allowed. */
  | 'refused'

/** A failure at a provider. Pages show its kind; the log gets its message. */
export class ProviderFault extends Error {
  override readonly name = 'ProviderFault'
  readonly fault: Fault
  constructor(fault: Fault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.fault = fault
  }
}

interface Init {
  readonly method?: string
  readonly headers?: Record<string, string> | Headers
  readonly body?: unknown
  readonly signal?: AbortSignal | null | undefined
}

const certificateErrors =
  /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|ERR_SSL_|EPROTO)/

const faultOf = (error: Error & { code?: string }, url: URL): ProviderFault => {
  if (error instanceof ProviderFault) return error
  if (error instanceof LocalAddress) return new ProviderFault('local', error.message)
  if (error.name === 'TimeoutError' || error.name === 'AbortError')
    return new ProviderFault('slow', `${url.host} did not answer within ${requestTimeoutSeconds} seconds`)
  const detail = error.code ?? error.message
  if (detail.startsWith('HPE_'))
    return new ProviderFault('nonsense', `${url.host} does not speak HTTP: ${detail}`)
  return certificateErrors.test(detail)
    ? new ProviderFault('insecure', `${url.host} has no valid certificate: ${detail}`)
    : new ProviderFault('unreachable', `${url.host} cannot be reached: ${detail}`)
}

const read = async (answer: IncomingMessage, url: URL): Promise<Buffer> => {
  const parts: Buffer[] = []
  let length = 0
  const refuse = () =>
    new ProviderFault('too large', `${url.host} answered more than ${maxResponseBytes} bytes`)
  if (Number(answer.headers['content-length'] ?? 0) > maxResponseBytes) throw refuse()
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length
    if (length > maxResponseBytes) throw refuse()
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/**
 * `fetch` for requests to providers. It follows no redirects, times out after four seconds and reads at most one mebibyte. Unless
 * that is allowed, it refuses loopback and link-local addresses. Rejects with {@link ProviderFault}.
 */
export const guardedFetch =
  (mayBeLocal: () => Promise<boolean>) =>
  async (
    address: string | URL,
    { method = 'GET', headers = {}, body, signal }: Init = {},
  ): Promise<Response> => {
    const url = new URL(address)
    const local = await mayBeLocal()
    const fault = addressFault(url.href, local)
    if (fault !== undefined) throw new ProviderFault('local', `we do not call ${url.host}: ${fault}`)
    const timeout = AbortSignal.timeout(requestTimeoutSeconds * 1000)
    const plainHeaders = Object.fromEntries(new Headers(headers).entries())
    const text = body === undefined || body === null ? undefined : bytesOf(body)
    return new Promise<Response>((resolve, reject) => {
      const failed = (error: Error) => {
        outgoing.destroy()
        reject(faultOf(error, url))
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
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        lookup: local ? localLookup(url) : guardedLookup,
        ...connectOptions,
      })
      outgoing.on('error', failed)
      const unanswered = () => failed(new ProviderFault('nonsense', `${url.host} closed without an answer`))
      // After a switch of protocols (101), Node closes the connection without an error.
      outgoing.on('close', unanswered)
      // Check the address of the actual connection as well, however the name was resolved.
      outgoing.on('socket', (socket) =>
        socket.once('connect', () => {
          if (!local && socket.remoteAddress !== undefined && isLocal(socket.remoteAddress))
            failed(new LocalAddress(`${url.host} resolves to a loopback or link-local address`))
        }),
      )
      outgoing.on('response', (answer) => {
        outgoing.off('close', unanswered)
        read(answer, url)
          .then((bytes) => resolve(toResponse(answer, bytes, url)))
          .catch(failed)
      })
      outgoing.end(text)
    })
  }

const bytesOf = (body: unknown): Buffer => {
  if (typeof body === 'string' || body instanceof URLSearchParams) return Buffer.from(String(body))
  if (body instanceof Uint8Array) return Buffer.from(body)
  throw new TypeError('the body of a request to a provider must be text or bytes')
}

const toResponse = (answer: IncomingMessage, bytes: Buffer, url: URL): Response => {
  const status = answer.statusCode ?? 0
  if (status < 200 || status > 599) throw new ProviderFault('nonsense', `${url.host} answered ${status}`)
  const headers = new Headers()
  for (let i = 0; i < answer.rawHeaders.length; i += 2)
    headers.append(
      answer.rawHeaders[i]!,
      answer.rawHeaders[i + 1]!.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ''),
    )
  const empty = status === 204 || status === 205 || status === 304
  return new Response(empty ? null : new Uint8Array(bytes), { status, headers })
}
