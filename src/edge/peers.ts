import { randomBytes } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import { valuesOf } from './asked.ts'
import type { Sent } from './recipient.ts'

interface Peer {
  readonly address: string
  readonly forwardedFor: string
  readonly secure: boolean
  readonly requestId: string
}

const run = randomBytes(6).toString('hex')
let counter = 0

/** `::ffff:10.0.0.1` is the IPv4 address it carries (RFC 4291 section 2.5.5.2). */
const plain = (address: string): string =>
  address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address

/** Who is at the other end: what proxies say counts only from those that are trusted. */
export class Peers {
  readonly #trusted = new BlockList()
  readonly #any: boolean

  constructor(trustedProxies: readonly string[]) {
    this.#any = trustedProxies.length > 0
    for (const entry of trustedProxies) {
      const [address = '', bits] = entry.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      this.#trusted.addSubnet(
        address,
        bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits),
        family,
      )
    }
  }

  of({ socket, rawHeaders }: Sent): Peer {
    const address = plain(socket.remoteAddress ?? '')
    const encrypted = socket.encrypted === true
    const requestId = `${run}-${(counter++).toString(36)}`
    if (!this.#any || !this.#isTrusted(address)) {
      return { address, forwardedFor: address, secure: encrypted, requestId }
    }
    const chain = valuesOf(rawHeaders, 'x-forwarded-for')
      .join(',')
      .split(',')
      .map((part) => plain(part.trim()))
      .filter((part) => part !== '')
    const proto = valuesOf(rawHeaders, 'x-forwarded-proto').join()
    const given = valuesOf(rawHeaders, 'x-request-id').join()
    return {
      address: this.#client(address, chain),
      forwardedFor: [...chain.filter((part) => isIP(part) !== 0), address].join(', '),
      secure: encrypted || proto === 'https',
      requestId: /^[A-Za-z0-9._-]{1,100}$/.test(given) ? given : requestId,
    }
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
    const family = isIP(address)
    return family !== 0 && this.#trusted.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
}
