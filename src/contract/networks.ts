import { BlockList, isIP, isIPv4 } from 'node:net'

/** An IP address as a number. An IPv4-mapped IPv6 address is stored as IPv4 (RFC 4291 section 2.5.5.2). */
export interface Address {
  readonly family: 4 | 6
  readonly bits: bigint
}

/** A network in its canonical form: all bits after the prefix are zero. */
export interface Network extends Address {
  readonly prefix: number
}

const widthOf = (family: number): number => (family === 4 ? 32 : 128)

/** The eight groups of an IPv6 address without a zone. The URL parser normalises every spelling (RFC 5952). */
const groupsOf = (address: string): string[] => {
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  return [...head, ...Array.from<string>({ length: 8 - head.length - tail.length }).fill('0'), ...tail]
}

const joined = (parts: readonly string[], size: bigint, radix: '' | '0x'): bigint =>
  parts.reduce((bits, part) => (bits << size) | BigInt(radix + part), 0n)

const parted = (bits: bigint, count: number, size: bigint, radix: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    ((bits >> (BigInt(count - 1 - i) * size)) & ((1n << size) - 1n)).toString(radix),
  )

const textOf = ({ family, bits }: Address): string =>
  family === 4
    ? parted(bits, 4, 8n, 10).join('.')
    : new URL(`http://[${parted(bits, 8, 16n, 16).join(':')}]`).hostname.slice(1, -1)

/**
 * Parses an address; undefined for any other text. Uses Node's strict parser: no leading zeros, no hexadecimal and no
 * short forms of IPv4. Also undefined for an address with a zone (RFC 4007 section 11), which is on one of this
 * machine's links.
 */
export const readAddress = (text: string): Address | undefined => {
  const family = isIP(text)
  if (family === 0 || text.includes('%')) return undefined
  if (family === 4) return { family, bits: joined(text.split('.'), 8n, '') }
  const bits = joined(groupsOf(text), 16n, '0x')
  return bits >> 32n === 0xffffn ? { family: 4, bits: bits & 0xffffffffn } : { family: 6, bits }
}

/**
 * Splits an address and its prefix length; without a length, the prefix is the whole address. Undefined for any other
 * text.
 */
const split = (text: string): { address: string; prefix: number } | undefined => {
  const [address = '', length, more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more !== undefined || (length !== undefined && !/^[0-9]{1,3}$/.test(length)))
    return undefined
  const prefix = length === undefined ? widthOf(family) : Number(length)
  return prefix <= widthOf(family) ? { address, prefix } : undefined
}

/** Whether a text is an address or a CIDR range (RFC 4632 section 3.1, RFC 4291 section 2.3). */
export const isNetwork = (text: string): boolean => split(text) !== undefined

/**
 * Parses an address or CIDR range and clears the host bits. Undefined for any other text, and for an address with a
 * zone.
 */
export const readNetwork = (text: string): Network | undefined => {
  const { address: written = '', prefix: length = 0 } = split(text) ?? {}
  const address = readAddress(written)
  if (!address) return undefined
  const { family, bits } = address
  const prefix = length - (widthOf(isIP(written)) - widthOf(family))
  if (prefix < 0) return undefined
  const host = BigInt(widthOf(family) - prefix)
  return { family, bits: (bits >> host) << host, prefix }
}

/** The canonical spelling of a network: IPv6 as in RFC 5952. */
export const writeNetwork = (network: Network): string => `${textOf(network)}/${network.prefix}`

/** A set of networks to look up addresses in. Zones are ignored. */
export class NetworkSet {
  readonly #list = new BlockList()

  /** Throws a TypeError for anything but an address or a CIDR range. */
  constructor(networks: readonly string[]) {
    for (const text of networks) {
      const network = split(text)
      if (!network) throw new TypeError(`${text} is not a network`)
      this.#list.addSubnet(network.address, network.prefix, isIPv4(network.address) ? 'ipv4' : 'ipv6')
    }
  }

  /**
   * Whether an address is in one of the networks, also as an IPv4-mapped IPv6 address. False for anything but an
   * address.
   */
  has(address: string): boolean {
    const family = isIP(address)
    return family !== 0 && this.#list.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
}

/** Loopback, private and link-local networks (RFC 1122, 1918, 3927, 4193, 4291). */
export const localNetworks = new NetworkSet([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
])

/**
 * Local networks, and those whose addresses many share behind a carrier or in front of containers and virtual machines (RFC 6598, RFC
 * 2544): an address of theirs says nothing about where somebody is.
 */
export const sharedNetworks = {
  has: (address: string): boolean => localNetworks.has(address) || shared.has(address),
}
const shared = new NetworkSet(['100.64.0.0/10', '198.18.0.0/15'])

/** What stands before an IPv4 address that IPv6 carries: 64:ff9b::/96 (RFC 6052 section 2.1) and ::ffff:0:0:0/96 (RFC 2765 section 2.1). */
const carriers: ReadonlySet<bigint> = new Set([0x64_ff9bn << 64n, 0xffff_0000n])

/**
 * The network by which attempts of a client are counted: clients move freely within a /64 of IPv6 (RFC 6177). IPv4
 * counts by address, also if carried in IPv6. Undefined without an address.
 */
export const networkOf = (address: string | undefined): string | undefined => {
  if (address === undefined || address === '') return undefined
  const read = isIPv4(address) ? undefined : readAddress(address.split('%', 1)[0]!)
  if (!read) return address
  const { family, bits } = read
  if (family === 4 || carriers.has(bits >> 32n)) return textOf({ family: 4, bits: bits & 0xffffffffn })
  return `${parted(bits >> 64n, 4, 16n, 16).join(':')}::/64`
}
