import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { detached } from './detached.ts'
import { NetworkSet } from '../contract/networks.ts'
import type { DecidingHeaders } from './deciding_headers.ts'
import type { Sent } from './client_response.ts'
import type { UsualRequest } from './usual_request.ts'

interface Peer {
  readonly address: string
  readonly forwardedFor: string
  readonly secure: boolean
  readonly requestId: string
}

const run = randomBytes(6).toString('hex')
let counter = 0
/** Numbers in two digits: building a request id out of two strings costs less than writing a number. */
const digits = Array.from({ length: 36 * 36 }, (_, i) => i.toString(36).padStart(2, '0'))
let firstPart = ''
/** What of a proxy's X-Request-Id is passed on as it is. */
const requestIdPattern = /^[A-Za-z0-9._-]{1,100}$/
const mostKnown = 1000

const newRequestId = (): string => {
  const low = counter % digits.length
  if (low === 0) firstPart = `${run}-${Math.floor(counter / digits.length).toString(36)}`
  counter++
  return firstPart + digits[low]!
}

/** `::ffff:10.0.0.1` is the IPv4 address it carries (RFC 4291 section 2.5.5.2). */
const plain = (address: string): string =>
  address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address

/** Who is at the other end: what proxies say counts only from those that are trusted. */
export class Peers {
  readonly #trusted: NetworkSet
  readonly #any: boolean
  /** Answers for addresses as they are asked about; the proxies themselves come first. */
  readonly #known = new Map<string, boolean>()

  constructor(trustedProxies: readonly string[]) {
    this.#any = trustedProxies.length > 0
    this.#trusted = new NetworkSet(trustedProxies)
  }

  of(socket: Sent['socket'], headers: DecidingHeaders): Peer {
    const address = plain(socket.remoteAddress ?? '')
    const encrypted = socket.encrypted === true
    if (!this.#any || !this.#isTrusted(address)) return this.#direct(address, encrypted)
    return this.#behind(
      address,
      encrypted,
      headers.list('x-forwarded-for'),
      headers.list('x-forwarded-proto'),
      headers.list('x-request-id'),
    )
  }

  /** The same of a request in the fast lane, whose headers are read already. */
  ofFast({ socket, forwardedFor, forwardedProto, requestId }: UsualRequest): Peer {
    const address = plain(socket.remoteAddress ?? '')
    const encrypted = socket.encrypted === true
    if (!this.#any || !this.#isTrusted(address)) return this.#direct(address, encrypted)
    return this.#behind(address, encrypted, forwardedFor, forwardedProto, requestId)
  }

  #direct(address: string, secure: boolean): Peer {
    return { address, forwardedFor: address, secure, requestId: newRequestId() }
  }

  /** What a trusted proxy says about the client behind it. */
  #behind(proxy: string, encrypted: boolean, told = '', proto = '', given = ''): Peer {
    const secure = encrypted || proto === 'https'
    const requestId = requestIdPattern.test(given) ? given : newRequestId()
    // Most proxies name the one client that they see.
    if (isIP(told) !== 0) {
      const address = plain(told)
      return { address, forwardedFor: `${address}, ${proxy}`, secure, requestId }
    }
    const chain = told
      .split(',')
      .map((part) => plain(part.trim()))
      .filter((part) => part !== '')
    const forwardedFor = [...chain.filter((part) => isIP(part) !== 0), proxy].join(', ')
    return { address: this.#client(proxy, chain), forwardedFor, secure, requestId }
  }

  /** Whether the peer itself is a trusted proxy. */
  trusts({ socket }: Sent): boolean {
    return this.#isTrusted(plain(socket.remoteAddress ?? ''))
  }

  /** From the right, the first address that is not a trusted proxy; what does not parse ends the walk. */
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
    const known = this.#known.get(address)
    if (known !== undefined) return known
    const trusted = this.#trusted.has(address)
    if (this.#known.size < mostKnown) this.#known.set(detached(address), trusted)
    return trusted
  }
}
