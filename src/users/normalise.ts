import { ECDH } from 'node:crypto'
import { invalidParams } from '../contract/errors.ts'
import { readNetwork, writeNetwork } from '../contract/networks.ts'

const allowedNetwork =
  'an address or CIDR range such as 192.168.7.0/24 or fd00:7::/64, not wider than /8 (IPv6: /16)'

/**
 * Normalises a network to one spelling: host bits cleared, IPv6 as in RFC 5952, IPv4-mapped IPv6 as IPv4. Throws
 * invalid_params.
 */
export const normaliseNetwork = (text: string): string => {
  const network = readNetwork(text)
  if (!network || network.prefix < (network.family === 4 ? 8 : 16))
    throw invalidParams('network', allowedNetwork)
  return writeNetwork(network)
}

/**
 * Normalises a secp256k1 public key to 33 compressed bytes in lower-case hex; accepts 33 or 65 bytes. Throws
 * invalid_params.
 */
export const normalisePubkey = (pubkey: string): string => {
  try {
    return ECDH.convertKey(pubkey, 'secp256k1', 'hex', 'hex', 'compressed') as string
  } catch {
    throw invalidParams('pubkey', 'a point of secp256k1 in hex: 33 bytes compressed or 65 bytes')
  }
}
