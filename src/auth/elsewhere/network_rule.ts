import { networkOf, readAddress, sharedNetworks } from '../../contract/networks.ts'

/** Where a phone is, seen from the browser that it signs in. `family`: one has an IPv4 address and the other one of IPv6. */
export type Nearness = 'same' | 'other' | 'family'

/**
 * Compares two addresses: equal for IPv4, in one /64 for IPv6. Private addresses show no network: devices that share one sit behind
 * something that hides them, and everybody else may do so too.
 */
export const nearness = (one: string, other: string): Nearness => {
  const [a, b] = [readAddress(one), readAddress(other)]
  if (!a || !b || isPrivate(one) || isPrivate(other)) return 'other'
  if (a.family !== b.family) return 'family'
  return networkOf(one) === networkOf(other) ? 'same' : 'other'
}

export const isPrivate = (address: string): boolean => sharedNetworks.has(address)
