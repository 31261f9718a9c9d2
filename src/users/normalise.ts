import { ECDH } from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'
import { invalidParams } from '../contract/errors.ts'

const allowedNetwork =
  'an address or CIDR range such as 192.168.7.0/24 or fd00:7::/64, not wider than /8 (IPv6: /16)'

/** An address as a number; IPv6 in any spelling. */
export const bitsOf = (address: string): bigint => {
  if (isIPv4(address)) return address.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n)
  // The URL parser writes any spelling of an IPv6 address one way (RFC 5952).
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const middle =
    right === undefined ? [] : Array.from<string>({ length: 8 - head.length - tail.length }).fill('0')
  return [...head, ...middle, ...tail].reduce((bits, part) => (bits << 16n) | BigInt(`0x${part}`), 0n)
}

const textOf = (bits: bigint, ipv4: boolean): string => {
  const parts = (count: number, size: bigint, radix: number) =>
    Array.from({ length: count }, (_, i) =>
      ((bits >> (BigInt(count - 1 - i) * size)) & ((1n << size) - 1n)).toString(radix),
    )
  if (ipv4) return parts(4, 8n, 10).join('.')
  return new URL(`http://[${parts(8, 16n, 16).join(':')}]`).hostname.slice(1, -1)
}

/** One spelling for one network: host bits cleared, IPv6 as in RFC 5952, an IPv4-mapped one as IPv4. Throws invalid_params. */
export const canonicalNetwork = (network: string): string => {
  const [given = '', length, more] = network.split('/')
  const known = (isIPv4(given) || isIPv6(given)) && !given.includes('%') && more === undefined
  if (!known || (length !== undefined && !/^[0-9]{1,3}$/.test(length)))
    throw invalidParams('network', allowedNetwork)
  const bits = bitsOf(given)
  // RFC 4291 section 2.5.5.2, however it is written: `::ffff:a.b.c.d` and `::ffff:aabb:ccdd` are one IPv4 address.
  const mapped = isIPv6(given) && bits >> 32n === 0xffffn
  const ipv4 = mapped || isIPv4(given)
  const width = ipv4 ? 32 : 128
  const prefix = length === undefined ? width : Number(length) - (mapped ? 96 : 0)
  if (prefix < (ipv4 ? 8 : 16) || prefix > width) throw invalidParams('network', allowedNetwork)
  const host = BigInt(width - prefix)
  return `${textOf(((ipv4 ? bits & 0xffffffffn : bits) >> host) << host, ipv4)}/${prefix}`
}

/** A secp256k1 public key as 33 compressed bytes in lower-case hex, from that or the 65 uncompressed. Throws invalid_params. */
export const canonicalPubkey = (pubkey: string): string => {
  try {
    return ECDH.convertKey(pubkey, 'secp256k1', 'hex', 'hex', 'compressed') as string
  } catch {
    throw invalidParams('pubkey', 'a point of secp256k1 in hex: 33 bytes compressed or 65 bytes')
  }
}
