import { randomBytes } from 'node:crypto'
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { detached } from './detached.ts'
import { localNetworks, NetworkSet, sharedNetworks } from '../contract/networks.ts'
import type { DecidingHeaders, DecidingName } from './deciding_headers.ts'
import type { ReceivedRequest } from './client_response.ts'
import type { UsualRequest } from './usual_request.ts'

interface Peer {
  readonly address: string
  readonly addressKnown: boolean
  readonly forwardedFor: string
  readonly secure: boolean
  readonly requestId: string
}

const run = randomBytes(6).toString('hex')
let counter = 0
/** All numbers of two base-36 digits: joining two strings costs less than formatting a number. */
const digits = Array.from({ length: 36 * 36 }, (_, i) => i.toString(36).padStart(2, '0'))
let firstPart = ''
/** An X-Request-Id of a trusted proxy that we pass on unchanged. */
const requestIdPattern = /^[A-Za-z0-9._-]{1,100}$/
const maxCachedAddresses = 1000

const newRequestId = (): string => {
  const low = counter % digits.length
  if (low === 0) firstPart = `${run}-${Math.floor(counter / digits.length).toString(36)}`
  counter++
  return firstPart + digits[low]!
}

/** `::ffff:10.0.0.1` stands for an IPv4 address (RFC 4291 section 2.5.5.2). */
const unmapped = (address: string): string =>
  address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address

/** An address in brackets or with a port, as some proxies write it. IPv6 without brackets has no port (RFC 7239 section 6). */
const withPort = /^(?:([\d.]+):|\[([\da-fA-F:.]+)\](?::(?=\d)|$))(\d{0,5})$/

/**
 * The address in an element of X-Forwarded-For. Undefined for all other text: `unknown`, a name such as `_hidden` (RFC 7239
 * section 6), nothing at all, and an address with a zone, which means something only on the machine that wrote it.
 */
export const readForwarded = (element: string): string | undefined => {
  if (isIP(element) !== 0) return element.includes('%') ? undefined : unmapped(element)
  const [, v4 = '', v6 = '', port] = withPort.exec(element) ?? []
  const readable = (isIPv4(v4) && port !== '') || isIPv6(v6)
  return readable && Number(port) <= 65535 ? unmapped(v4 || v6) : undefined
}

/** The address at the other end of the connection, whatever the request says. */
export const peerOf = ({ socket }: Pick<ReceivedRequest, 'socket'>): string =>
  unmapped(socket.remoteAddress ?? '')

/** With one of these and no X-Forwarded-For, a proxy forwards a request without saying, in a way that counts here, for whom. */
const forwarding = [
  'forwarded',
  'via',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
] as const satisfies readonly DecidingName[]

/** Determines the address of the client. X-Forwarded-* headers count only from trusted proxies. */
export class ClientAddresses {
  readonly #trusted: NetworkSet
  readonly #any: boolean
  readonly #unbelieved: (peer: string) => void
  /** Caches which addresses are trusted. The proxies themselves come first, so they are always in it. */
  readonly #trustCache = new Map<string, boolean>()

  /** `unbelieved` gets the peers that say how a plain request came to them, without being trusted. */
  constructor(trustedProxies: readonly string[], unbelieved: (peer: string) => void) {
    this.#unbelieved = unbelieved
    this.#any = trustedProxies.length > 0
    this.#trusted = new NetworkSet(trustedProxies)
  }

  of(socket: ReceivedRequest['socket'], headers: DecidingHeaders): Peer {
    const address = unmapped(socket.remoteAddress ?? '')
    const encrypted = socket.encrypted === true
    if (!this.trusts(address)) return this.#direct(address, encrypted, headers.has('x-forwarded-proto'))
    return this.#behind(
      address,
      encrypted,
      headers.list('x-forwarded-for') ?? (forwarding.some((name) => headers.has(name)) ? '' : undefined),
      headers.list('x-forwarded-proto'),
      headers.list('x-request-id'),
    )
  }

  /** The same for a request of the fast lane, whose headers have been read already. */
  ofFast({ socket, forwardedFor, forwardedProto, requestId }: UsualRequest): Peer {
    const address = unmapped(socket.remoteAddress ?? '')
    const encrypted = socket.encrypted === true
    if (!this.trusts(address)) return this.#direct(address, encrypted, forwardedProto !== undefined)
    return this.#behind(address, encrypted, forwardedFor, forwardedProto, requestId)
  }

  /** Whether this is the address of a trusted proxy. */
  trusts(address: string): boolean {
    return this.#any && this.#isTrusted(address)
  }

  #direct(address: string, secure: boolean, saysProto: boolean): Peer {
    if (saysProto && !secure) this.#unbelieved(address)
    return { address, addressKnown: true, forwardedFor: address, secure, requestId: newRequestId() }
  }

  /** What a trusted proxy reports about its client. */
  #behind(
    proxy: string,
    encrypted: boolean,
    list: string | undefined,
    proto = '',
    proxyRequestId = '',
  ): Peer {
    const secure = encrypted || proto === 'https'
    const requestId = requestIdPattern.test(proxyRequestId) ? proxyRequestId : newRequestId()
    // The proxy speaks for itself.
    if (list === undefined)
      return { address: proxy, addressKnown: true, forwardedFor: proxy, secure, requestId }
    const { client = proxy, known, chain } = this.#walk(list)
    const forwardedFor = chain === '' ? proxy : `${chain}, ${proxy}`
    return { address: client, addressKnown: known, forwardedFor, secure, requestId }
  }

  /**
   * Walks the list from the right to the first address that is not a trusted proxy: the client's. Before that, text that is no
   * address ends the walk, and nobody knows who the client is. What stands left of such text is not passed on either, because the
   * service could take it for the client.
   */
  #walk(list: string): {
    readonly client?: string | undefined
    readonly known: boolean
    readonly chain: string
  } {
    // The usual case: the proxy names a single client.
    const single = readForwarded(list)
    if (single !== undefined) return { client: single, known: true, chain: single }
    let client: string | undefined
    let last: string | undefined
    let chain = ''
    for (const element of list.split(',').toReversed()) {
      const address = readForwarded(element.trim())
      if (address === undefined) return { client, known: client !== undefined, chain }
      chain = chain === '' ? address : `${address}, ${chain}`
      // What stands further left comes from the client itself.
      if (client === undefined && !this.#isTrusted(address)) client = address
      last = address
    }
    return { client: client ?? last, known: true, chain }
  }

  #isTrusted(address: string): boolean {
    const known = this.#trustCache.get(address)
    if (known !== undefined) return known
    const trusted = this.#trusted.has(address)
    if (this.#trustCache.size < maxCachedAddresses) this.#trustCache.set(detached(address), trusted)
    return trusted
  }
}

/** Headers that proxies and tunnels add. A browser that opens an address sends none that starts with X. */
const addedByProxies = /^(x-|cf-|cdn-|fastly-|fly-|true-client-ip$|client-ip$|forwarded|via$)/

/** Whether a client on this machine or its network sent the request itself: a proxy in between would show by a header. */
export const isLocalClient = ({ socket, rawHeaders }: ReceivedRequest): boolean =>
  localNetworks.has(socket.remoteAddress ?? '') && isDirect(rawHeaders)

const isDirect = (rawHeaders: readonly string[]): boolean =>
  rawHeaders.every((name, i) => i % 2 === 1 || !addedByProxies.test(name.toLowerCase().replaceAll('_', '-')))

/**
 * Whether the address of a request is surely its client's own. Without the word of a trusted proxy, it may be that of a proxy or gateway
 * before us that everybody shares: if a header shows one, or if the address is a private one.
 */
export const isLocated = (
  sent: ReceivedRequest,
  { address, addressKnown }: { readonly address: string; readonly addressKnown: boolean },
  peers: Pick<ClientAddresses, 'trusts'>,
): boolean => {
  const peer = peerOf(sent)
  if (peers.trusts(peer)) return addressKnown && !peers.trusts(address)
  return !sharedNetworks.has(peer) && isDirect(sent.rawHeaders)
}
