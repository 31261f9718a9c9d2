import type { Proof } from '../contract/principal.ts'
import { now } from '../storage/ids.ts'

/** A valid session and its user: what identifies a caller. */
export interface LiveSession {
  readonly id: string
  /** The session, as the proof of who the caller is. */
  readonly proof: Proof
  readonly kind: 'cookie' | 'token'
  readonly provider: string
  readonly expires_at: number
  readonly proven_at: number
  /** When it was last used, as far as this process knows. */
  used_at: number
  /** The only host where its cookie is valid; empty for all our hosts. */
  readonly only_at: string
  readonly user_id: string
  readonly username: string
  readonly email: string | null
  readonly email_verified_at: number | null
  readonly context: number
  /**
   * The user that this administrator impersonates at forwarded services. Call `impersonated` to check whether it still
   * applies.
   */
  readonly overlay: Overlay | undefined
}

export interface Overlay {
  readonly user_id: string
  readonly username: string
  readonly email: string | null
  readonly email_verified_at: number | null
  readonly context: number
  readonly is_admin: boolean
  readonly until: number
}

/** The user that a session currently impersonates, if the administrator's claims still allow it. */
export const impersonated = (
  { overlay }: Pick<LiveSession, 'overlay'>,
  claims: readonly string[],
): Overlay | undefined =>
  overlay &&
  overlay.until > now() &&
  claims.includes('proxy.impersonate') &&
  (!overlay.is_admin || claims.includes('proxy.admin'))
    ? overlay
    : undefined
