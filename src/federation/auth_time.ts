import type { Redeemed } from '../providers/relying_party.ts'
import { now } from '../storage/ids.ts'
import type { Returned } from './outgoing_sign_ins.ts'

/** Seconds by which a provider's clock may be slow or fast. */
const skew = 30

/**
 * When a person who comes back last proved who they are, in Unix seconds: what the provider tells (`auth_time`, OpenID Connect Core
 * section 2), and 0 where it tells nothing that can be. That it sent somebody back proves no more than a living session there.
 * Undefined where they were to prove themselves anew and did not.
 */
export const provenAt = (
  { anew, begun_at }: Pick<Returned, 'anew' | 'begun_at'>,
  { auth_time }: Pick<Redeemed, 'auth_time'>,
): number | undefined => {
  const told = auth_time === null || auth_time > now() + skew ? 0 : Math.min(Math.floor(auth_time), now())
  if (!anew) return told
  return told < begun_at - skew ? undefined : Math.max(told, begun_at)
}
