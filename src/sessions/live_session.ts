import type { Overlay, Principal } from '../contract/principal.ts'
import type { ProofTimes } from '../contract/proofs.ts'
import { now } from '../storage/ids.ts'

/** A valid session and its user: what identifies a caller. */
export interface LiveSession extends Principal {
  readonly id: string
  /** `cookie`: a sign-in at home; `child`: the session of a browser at a service; `token`: the sign-in of a program. */
  readonly kind: 'cookie' | 'child' | 'token'
  /** The sign-in that it belongs to: itself, or the parent of a child. */
  readonly sign_in: SignInUse
  /** The proof that opened the sign-in. */
  readonly provider: string
  /** The identity providers that have vouched for the sign-in. */
  readonly vouched: readonly string[]
  readonly expires_at: number
  /** Whether its person asked to keep the sign-in. */
  readonly remembered: boolean
  readonly proofs: ProofTimes
  /** Authentication methods (RFC 8176). */
  readonly amr: readonly string[]
  /** Whether trust in the browser took the place of the second factor. */
  readonly by_trust: boolean
}

/** When a sign-in was last used, as far as this process knows. Its children share the object. */
export interface SignInUse {
  readonly id: string
  used_at: number
}

export const isSession = (principal: Principal): principal is LiveSession => 'sign_in' in principal

/**
 * The user that a session currently impersonates, if the administrator's claims still allow it. `service` is the one that asks;
 * undefined for our own pages and methods, and null for a route without a service name, which only an impersonation for all covers.
 */
export const impersonated = (
  { overlay }: Pick<Principal, 'overlay'>,
  claims: readonly string[],
  service?: string | null,
): Overlay | undefined =>
  overlay &&
  (service === undefined || overlay.services.length === 0 || overlay.services.includes(service ?? '')) &&
  overlay.until > now() &&
  claims.includes('proxy.impersonate') &&
  (!overlay.is_admin || claims.includes('proxy.admin'))
    ? overlay
    : undefined
