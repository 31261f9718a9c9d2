import type { Overlay, Principal } from '../contract/principal.ts'
import { now } from '../storage/ids.ts'

/** A valid session and its user: what identifies a caller. */
export interface LiveSession extends Principal {
  readonly id: string
  readonly kind: 'cookie' | 'token'
  readonly provider: string
  readonly expires_at: number
  readonly proven_at: number
  /** When it was last used, as far as this process knows. */
  used_at: number
  /** The only host where its cookie is valid; empty for all our hosts. */
  readonly only_at: string
}

export const isSession = (principal: Principal): principal is LiveSession => 'used_at' in principal

/** The user that a session currently impersonates, if the administrator's claims still allow it. */
export const impersonated = (
  { overlay }: Pick<Principal, 'overlay'>,
  claims: readonly string[],
): Overlay | undefined =>
  overlay &&
  overlay.until > now() &&
  claims.includes('proxy.impersonate') &&
  (!overlay.is_admin || claims.includes('proxy.admin'))
    ? overlay
    : undefined
