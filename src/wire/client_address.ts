import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { detached } from './detached.ts'
import { NetworkSet } from '../contract/networks.ts'
import type { DecidingHeaders } from './deciding_headers.ts'
import type { ReceivedRequest } from './client_response.ts'
import type { UsualRequest } from './usual_request.ts'

interface Peer {
  readonly address: string
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

/** The address at the other end of the connection, whatever the request says. */
export const peerOf = ({ socket }: Pick<ReceivedRequest, 'socket'>): string =>
  unmapped(socket.remoteAddress ?? '')

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
      headers.list('x-forwarded-for'),
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
    return { address, forwardedFor: address, secure, requestId: newRequestId() }
  }

  /** What a trusted proxy reports about its client. */
  #behind(proxy: string, encrypted: boolean, forwardedFor = '', proto = '', proxyRequestId = ''): Peer {
    const secure = encrypted || proto === 'https'
    const requestId = requestIdPattern.test(proxyRequestId) ? proxyRequestId : newRequestId()
    // The usual case: the proxy names a single client.
    if (isIP(forwardedFor) !== 0) {
      const address = unmapped(forwardedFor)
      return { address, forwardedFor: `${address}, ${proxy}`, secure, requestId }
    }
    const chain = forwardedFor
      .split(',')
      .map((part) => unmapped(part.trim()))
      .filter((part) => part !== '')
    const checkedChain = [...chain.filter((part) => isIP(part) !== 0), proxy].join(', ')
    return { address: this.#client(proxy, chain), forwardedFor: checkedChain, secure, requestId }
  }

  /** The first address from the right that is not a trusted proxy. The search stops at text that is not an address. */
  #client(peer: string, chain: readonly string[]): string {
    let client = peer
    for (const address of chain.toReversed()) {
      if (isIP(address) === 0) break
      client = address
      if (!this.#isTrusted(address)) break
    }
    return client
  }

  #isTrusted(address: string): boolean {
    const known = this.#trustCache.get(address)
    if (known !== undefined) return known
    const trusted = this.#trusted.has(address)
    if (this.#trustCache.size < maxCachedAddresses) this.#trustCache.set(detached(address), trusted)
    return trusted
  }
}

/** Loopback, private and link-local networks (RFC 1122, 1918, 3927, 4193, 4291). */
const local = new NetworkSet([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
])

/** Headers that proxies and tunnels add. A browser that opens an address sends none that starts with X. */
const forwarding = /^(x-|cf-|cdn-|fastly-|fly-|true-client-ip$|client-ip$|forwarded|via$)/

/** Whether a client on this machine or its network sent the request itself: a proxy in between would show by a header. */
export const isLocalClient = ({ socket, rawHeaders }: ReceivedRequest): boolean =>
  local.has(socket.remoteAddress ?? '') &&
  rawHeaders.every((name, i) => i % 2 === 1 || !forwarding.test(name.toLowerCase().replaceAll('_', '-')))
