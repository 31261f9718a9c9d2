import {
  addressFault,
  guardedLookup,
  insideFault,
  insideLookup,
  isLocal,
  leadsInside,
  LocalAddress,
  localLookup,
  publicLookup,
  refuseNonPublicHost,
} from '../wire/outgoing_addresses.ts'
import { isBelow } from './internal_urls.ts'
import { NoResponse, ResponseTooLarge, sendRequest, type Outgoing } from '../wire/outgoing_request.ts'

/** The timeout of a request to a provider in seconds, until the last byte of the response. */
export const requestTimeoutSeconds = 4
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
  /** The provider reports another error (RFC 6749 section 4.1.2.1); `reported` names it. */
  | 'reported'
  /** The provider reports that it cannot answer at the moment. */
  | 'busy'

/** A failure at a provider. Pages show its kind; the log gets its message. */
export class ProviderFault extends Error {
  override readonly name = 'ProviderFault'
  readonly fault: Fault
  /** The error code that the provider reported. */
  readonly reported: string
  constructor(fault: Fault, message: string, cause?: unknown, reported = '') {
    super(message, cause === undefined ? undefined : { cause })
    this.fault = fault
    this.reported = reported
  }
}

type Init = Pick<Outgoing, 'method' | 'headers' | 'body'> & {
  readonly signal?: AbortSignal | null | undefined
}

const certificateErrors =
  /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|ERR_SSL_|EPROTO)/

const faultOf = (error: Error & { code?: string }, url: URL): ProviderFault => {
  if (error instanceof ProviderFault) return error
  if (error instanceof LocalAddress) return new ProviderFault('local', error.message)
  if (error instanceof ResponseTooLarge) return new ProviderFault('too large', error.message)
  if (error instanceof NoResponse) return new ProviderFault('nonsense', error.message)
  if (error.name === 'TimeoutError' || error.name === 'AbortError')
    return new ProviderFault('slow', `${url.host} did not answer within ${requestTimeoutSeconds} seconds`)
  const detail = error.code ?? error.message
  if (detail.startsWith('HPE_'))
    return new ProviderFault('nonsense', `${url.host} does not speak HTTP: ${detail}`)
  return certificateErrors.test(detail)
    ? new ProviderFault('insecure', `${url.host} has no valid certificate: ${detail}`)
    : new ProviderFault('unreachable', `${url.host} cannot be reached: ${detail}`)
}

export type GuardedFetch = (address: string | URL, init?: Init) => Promise<Response>

/**
 * `fetch` for requests to providers. It follows no redirects, times out after four seconds and reads at most one mebibyte. Unless
 * that is allowed, it refuses loopback and link-local addresses. `named` holds the hosts that an administrator entered for the
 * provider; a host that only its own documents name must be public, unless the provider itself is in a private network. Below the
 * `internal` addresses, plain http is allowed, and leads into a private network only. Rejects with {@link ProviderFault}.
 */
export const guardedFetch =
  (
    mayBeLocal: () => Promise<boolean>,
    named?: ReadonlySet<string>,
    internal: readonly string[] = [],
  ): GuardedFetch =>
  async (address, { signal, ...sent } = {}) => {
    const url = new URL(address)
    const local = await mayBeLocal()
    const plain = url.protocol === 'http:' && internal.some((base) => isBelow(url.href, base))
    const fault = plain ? undefined : addressFault(url.href, local)
    if (fault !== undefined) throw new ProviderFault('local', `we do not call ${url.host}: ${fault}`)
    const timeout = AbortSignal.timeout(requestTimeoutSeconds * 1000)
    if (plain) refusePublicHost(url, local)
    const strict =
      !plain && !local && named !== undefined && !named.has(url.hostname) && !(await isNear(named))
    if (strict) refuseNonPublic(url)
    return sendRequest(url, {
      ...sent,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      lookup: plain ? insideLookup(local) : local ? localLookup(url) : strict ? publicLookup : guardedLookup,
      // Check the address of the actual connection as well, however the name was resolved.
      checkSocket: ({ remoteAddress }) => {
        if (!local && remoteAddress !== undefined && isLocal(remoteAddress))
          throw new LocalAddress(`${url.host} resolves to a loopback or link-local address`)
      },
      maxResponseBytes,
    }).catch((error: Error) => {
      throw faultOf(error, url)
    })
  }

const refusePublicHost = (url: URL, mayBeLocal: boolean): void => {
  const fault = insideFault(url, mayBeLocal)
  if (fault !== undefined) throw new ProviderFault('local', `we do not call ${url.host}: ${fault}`)
}

const refuseNonPublic = (url: URL): void => {
  try {
    refuseNonPublicHost(url)
  } catch (error) {
    throw faultOf(error as Error, url)
  }
}

/** Whether one of these hosts is in a private network. */
const isNear = async (hosts: ReadonlySet<string>): Promise<boolean> =>
  (await Promise.all([...hosts].map(leadsInside))).includes(true)
