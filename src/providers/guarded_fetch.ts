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

/** Seconds that one request to a provider may take, from the first step to the last byte. */
export const patience = 4
/**
 * Milliseconds until the next address of a host is tried. Node's own 250 are less than this process may be busy elsewhere, as with
 * loading what its first sign-in needs: an address that had answered was given up for one where nobody listens.
 */
const patient = { autoSelectFamilyAttemptTimeout: 2000 }
/** Bytes of the longest answer. */
const most = 1024 * 1024

/** What a provider's answer, or the lack of one, is refused for. */
export type Fault =
  | 'unreachable'
  | 'slow'
  /** No valid certificate. */
  | 'insecure'
  /** At an address that providers may not have. */
  | 'local'
  | 'too large'
  /** Not what the protocol asks for. */
  | 'nonsense'
  /** Of the right form and not true. */
  | 'untrusted'
  /** It does not take our client_id and secret. */
  | 'client'
  /** It does not take the code or the refresh token. */
  | 'grant'
  /** It says that the person did not want to, or may not. */
  | 'refused'

/** A provider does not do as it should: told to people by its kind, to the log by its message. */
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

const certificate = /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|ERR_SSL_|EPROTO)/

const faultOf = (error: Error & { code?: string }, url: URL): ProviderFault => {
  if (error instanceof ProviderFault) return error
  if (error instanceof LocalAddress) return new ProviderFault('local', error.message)
  if (error.name === 'TimeoutError' || error.name === 'AbortError')
    return new ProviderFault('slow', `${url.host} did not answer within ${patience} seconds`)
  const words = error.code ?? error.message
  if (words.startsWith('HPE_')) return new ProviderFault('nonsense', `${url.host} speaks no HTTP: ${words}`)
  return certificate.test(words)
    ? new ProviderFault('insecure', `${url.host} has no valid certificate: ${words}`)
    : new ProviderFault('unreachable', `${url.host} cannot be reached: ${words}`)
}

const read = async (answer: IncomingMessage, url: URL): Promise<Buffer> => {
  const parts: Buffer[] = []
  let length = 0
  const refuse = () => new ProviderFault('too large', `${url.host} answered more than ${most} bytes`)
  if (Number(answer.headers['content-length'] ?? 0) > most) throw refuse()
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length
    if (length > most) throw refuse()
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/**
 * `fetch` for what is asked of providers: follows no redirects, waits for four seconds and reads a mebibyte at most, and goes to no
 * address of this machine or its link unless that is allowed. Rejects with {@link ProviderFault}.
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
    if (fault !== undefined) throw new ProviderFault('local', `${url.host} is not asked: ${fault}`)
    const timeout = AbortSignal.timeout(patience * 1000)
    const all = Object.fromEntries(new Headers(headers).entries())
    const text = body === undefined || body === null ? undefined : bytesOf(body)
    return new Promise<Response>((resolve, reject) => {
      const failed = (error: Error) => {
        asking.destroy()
        reject(faultOf(error, url))
      }
      const asking = (url.protocol === 'https:' ? secureRequest : http.request)(url, {
        method,
        agent: false,
        headers: {
          ...all,
          'user-agent': 'hero_proxy',
          'accept-encoding': 'identity',
          ...(text && { 'content-length': text.length }),
        },
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        lookup: local ? localLookup(url) : guardedLookup,
        ...patient,
      })
      asking.on('error', failed)
      const unanswered = () => failed(new ProviderFault('nonsense', `${url.host} closed without an answer`))
      // Who switches protocols (101) is cut off without an error.
      asking.on('close', unanswered)
      // Once more where the connection stands: whatever led there.
      asking.on('socket', (socket) =>
        socket.once('connect', () => {
          if (!local && socket.remoteAddress !== undefined && isLocal(socket.remoteAddress))
            failed(new LocalAddress(`${url.host} leads to this machine or its link`))
        }),
      )
      asking.on('response', (answer) => {
        asking.off('close', unanswered)
        read(answer, url)
          .then((bytes) => resolve(toResponse(answer, bytes, url)))
          .catch(failed)
      })
      asking.end(text)
    })
  }

const bytesOf = (body: unknown): Buffer => {
  if (typeof body === 'string' || body instanceof URLSearchParams) return Buffer.from(String(body))
  if (body instanceof Uint8Array) return Buffer.from(body)
  throw new TypeError('a request to a provider has a body of text')
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
