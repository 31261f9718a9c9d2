import { lookup as resolve } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { invalidParams } from '../contract/errors.ts'
import { NetworkSet } from '../contract/networks.ts'

const blocked4 = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  // Link-local (RFC 3927): the metadata services of clouds publish secrets here.
  '169.254.0.0/16',
  // Metadata services at other addresses.
  '100.100.100.200/32',
  '192.0.0.192/32',
  '224.0.0.0/4',
  '240.0.0.0/4',
]

/** The IPv6 networks that embed an IPv4 network: at the end (RFC 4291 section 2.5.5, RFC 2765 section 2.1, RFC 6052) or at the front (RFC 3056). */
const embeddedIn6 = (network: string): string[] => {
  const [address = '', length] = network.split('/')
  const [a, b, c, d] = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  return [
    ...['::', '::ffff:', '::ffff:0:', '64:ff9b::'].map(
      (prefix) => `${prefix}${address}/${96 + Number(length)}`,
    ),
    `2002:${a}${b}:${c}${d}::/${16 + Number(length)}`,
  ]
}

/** Addresses of this machine or its link, and unroutable ones: a provider at such an address would point into our own network. */
const blocked = new NetworkSet([
  ...blocked4,
  ...blocked4.flatMap(embeddedIn6),
  '::/127',
  'fe80::/10',
  'fec0::/10',
  // RFC 8215: local translation, which may lead into the internal network.
  '64:ff9b:1::/48',
  'ff00::/8',
  // The metadata service of a cloud over IPv6.
  'fd00:ec2::254/128',
])

/** Whether a provider may have this address only with the setting providers_may_be_local. True for text that is no address. */
export const isLocal = (address: string): boolean => isIP(address) === 0 || blocked.has(address)

/** Special-purpose networks (RFC 6890 and the registries that it set up) which no stranger may send us to. */
const special = new NetworkSet([
  ...blocked4,
  '10.0.0.0/8',
  // Shared between a network provider and its customers (RFC 6598).
  '100.64.0.0/10',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  // Within the global unicast addresses of IPv6: protocol assignments with Teredo, 6to4, documentation and AS112.
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '2620:4f:8000::/48',
  '3fff::/20',
])
/** All other IPv6 addresses are local, reserved, or stand for an IPv4 address: unique local, mapped, NAT64. */
const globalUnicast = new NetworkSet(['2000::/3'])

/** Whether an address belongs to the public internet, so that we may go there for a stranger. False for text that is no address. */
export const isPublic = (address: string): boolean =>
  isIP(address) !== 0 && !special.has(address) && (isIP(address) === 4 || globalUnicast.has(address))

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')

/** With or without the trailing dot of the root. */
const isLocalhost = (host: string): boolean => /(^|\.)localhost\.?$/.test(host)

/** localhost names always mean this machine (RFC 6761 section 6.3), even if a resolver knows otherwise. */
const toLoopback: LookupFunction = (_, { all }, callback) =>
  all
    ? callback(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ])
    : callback(null, '127.0.0.1', 4)

/** How to resolve the host of a URL that may be local; undefined for the resolver of the system. */
export const localLookup = ({ hostname }: URL): LookupFunction | undefined =>
  isLocalhost(hostname) ? toLoopback : undefined

const namesThisMachine = (host: string): boolean => isLocalhost(host) || (isIP(host) !== 0 && isLocal(host))

/** Why this text cannot be the address of a provider, or undefined. What the name resolves to is checked at each request. */
export const addressFault = (text: string, mayBeLocal: boolean): string | undefined => {
  if (!URL.canParse(text)) return 'must be an absolute https address'
  const url = new URL(text)
  const local = namesThisMachine(hostOf(url))
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local && mayBeLocal))
    return 'must be an https address; http is allowed only on this machine, with the setting providers_may_be_local'
  if (local && !mayBeLocal)
    return 'must not be an address of this machine or its link, unless the setting providers_may_be_local is on'
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    return 'must not have user information or a fragment'
  return undefined
}

/** Throws `invalid_params` if the address cannot be that of a provider. */
export const refuseAddress = (field: string, text: string, mayBeLocal: boolean): void => {
  const fault = addressFault(text, mayBeLocal)
  if (fault !== undefined) throw invalidParams(field, fault)
}

export class LocalAddress extends Error {
  override readonly name = 'LocalAddress'
}

/**
 * Resolves a name to allowed addresses. The connection goes to exactly the address returned here, so a name that resolves
 * differently the next time (DNS rebinding) gains nothing.
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

/**
 * Resolves a name that a stranger chose. Every address must be public: a name that also leads elsewhere is not used at all. The
 * connection goes to the addresses that were checked.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, '')
    const [first] = found
    if (!first || isLocalhost(hostname) || !found.every(({ address }) => isPublic(address)))
      return callback(new LocalAddress(`${hostname} leads to an address that is not public`), '')
    if (options.all) return callback(null, found)
    callback(null, first.address, first.family)
  })
}

/** Throws LocalAddress for a URL whose host is an address that is not public. What a name resolves to is checked by {@link publicLookup}. */
export const refuseNonPublicHost = (url: URL): void => {
  const host = hostOf(url)
  if (isLocalhost(host) || (isIP(host) !== 0 && !isPublic(host)))
    throw new LocalAddress(`${host} is not a public address`)
}

/** Whether the host of a URL is, or resolves to, an address that is not public. */
export const leadsInside = (host: string): Promise<boolean> =>
  new Promise((settle) => {
    const name = host.replace(/^\[|\]$/g, '')
    if (isLocalhost(name)) return settle(true)
    resolve(name, { all: true }, (error, found) =>
      settle(!error && found.some(({ address }) => !isPublic(address))),
    )
  })

/** Why plain http may not go to the host of this URL, as far as the URL shows it, or undefined. */
export const insideFault = (url: URL, mayBeLocal: boolean): string | undefined => {
  const host = hostOf(url)
  if (namesThisMachine(host) && !mayBeLocal)
    return 'must not be an address of this machine or its link, unless the setting providers_may_be_local is on'
  return isPublic(host) ? 'plain http must stay in a private network' : undefined
}

/** Resolves a name that plain http goes to: every address must be in a private network. */
export const insideLookup =
  (mayBeLocal: boolean): LookupFunction =>
  (hostname, options, callback) => {
    if (isLocalhost(hostname) && mayBeLocal) return toLoopback(hostname, options, callback)
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '')
      const [first] = found
      const isRight = ({ address }: { address: string }) =>
        !isPublic(address) && (mayBeLocal || !isLocal(address))
      if (!first || !found.every(isRight))
        return callback(new LocalAddress(`${hostname} does not lead into a private network`), '')
      if (options.all) return callback(null, found)
      callback(null, first.address, first.family)
    })
  }
