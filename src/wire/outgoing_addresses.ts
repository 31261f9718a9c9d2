import { lookup as resolve } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { invalidParams } from '../contract/errors.ts'
import { NetworkSet } from '../contract/networks.ts'

const blocked4 = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  // RFC 3927: cloud machines tell their secrets there.
  '169.254.0.0/16',
  // And some elsewhere.
  '100.100.100.200/32',
  '192.0.0.192/32',
  '224.0.0.0/4',
  '240.0.0.0/4',
]

/** An IPv4 network as IPv6 carries it at the end (RFC 4291 section 2.5.5, RFC 2765 section 2.1, RFC 6052) and in front (RFC 3056). */
const carried = (network: string): string[] => {
  const [address = '', length] = network.split('/')
  const [a, b, c, d] = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  return [
    ...['::', '::ffff:', '::ffff:0:', '64:ff9b::'].map(
      (carrier) => `${carrier}${address}/${96 + Number(length)}`,
    ),
    `2002:${a}${b}:${c}${d}::/${16 + Number(length)}`,
  ]
}

/** Addresses that are this machine, its link, or nobody: a provider that points there points at our own insides. */
const blocked = new NetworkSet([
  ...blocked4,
  ...blocked4.flatMap(carried),
  '::/127',
  'fe80::/10',
  'fec0::/10',
  // RFC 8215: a translator of one's own, to whatever is inside.
  '64:ff9b:1::/48',
  'ff00::/8',
  // The same of one cloud over IPv6.
  'fd00:ec2::254/128',
])

/** Whether an address is one that is never a provider's, unless the setting says that it may be. So is what is no address. */
export const isLocal = (address: string): boolean => isIP(address) === 0 || blocked.has(address)

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')

/** However it is written, the root's dot behind it or not. */
const isLocalhost = (host: string): boolean => /(^|\.)localhost\.?$/.test(host)

/** Such names are this machine and nothing else (RFC 6761 section 6.3), whatever a resolver knows of them. */
const toLoopback: LookupFunction = (_, { all }, callback) =>
  all
    ? callback(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ])
    : callback(null, '127.0.0.1', 4)

/** How to resolve the name of an address that may be local; undefined for the system's way. */
export const localLookup = ({ hostname }: URL): LookupFunction | undefined =>
  isLocalhost(hostname) ? toLoopback : undefined

const namesThisMachine = (host: string): boolean => isLocalhost(host) || (isIP(host) !== 0 && isLocal(host))

/** Why an address cannot be a provider's as it is written, or undefined; what its name leads to is looked at when it is asked. */
export const addressFault = (text: string, mayBeLocal: boolean): string | undefined => {
  if (!URL.canParse(text)) return 'an absolute https address'
  const url = new URL(text)
  const local = namesThisMachine(hostOf(url))
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local && mayBeLocal))
    return 'an https address; http only at this machine itself, with the setting providers_may_be_local'
  if (local && !mayBeLocal)
    return 'no address of this machine or its link, unless the setting providers_may_be_local is on'
  if (url.username !== '' || url.password !== '' || url.hash !== '') return 'no user-info and no fragment'
  return undefined
}

/** The same as invalid_params. */
export const refuseAddress = (field: string, text: string, mayBeLocal: boolean): void => {
  const fault = addressFault(text, mayBeLocal)
  if (fault !== undefined) throw invalidParams(field, fault)
}

export class LocalAddress extends Error {
  override readonly name = 'LocalAddress'
}

/**
 * Resolves a name to addresses that may be asked. The connection is made to exactly what this answers, so that a name which
 * leads elsewhere the next time (DNS rebinding) gains nothing.
 */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, '')
    const allowed = found.filter(({ address }) => !isLocal(address))
    const [first] = allowed
    if (!first) return callback(new LocalAddress(`${hostname} leads to this machine or its link`), '')
    if (options.all) return callback(null, allowed)
    callback(null, first.address, first.family)
  })
}
