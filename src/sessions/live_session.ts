import type { Proof } from '../contract/principal.ts'
import { now } from '../storage/ids.ts'

/** A living session and whose it is: what identifies a caller. */
export interface LiveSession {
  readonly id: string
  /** The session, as what somebody is known by. */
  readonly proof: Proof
  readonly kind: 'cookie' | 'token'
  readonly provider: string
  readonly expires_at: number
  readonly proven_at: number
  /** When it was last used, as far as this process knows. */
  used_at: number
  /** The host at which its cookie counts; empty for all of ours. */
  readonly only_at: string
  readonly user_id: string
  readonly username: string
  readonly email: string | null
  readonly email_verified_at: number | null
  readonly context: number
  /** Whom this administrator acts as at forwarded services; ask `impersonated` whether it still counts. */
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

/** The person a session acts as at present, if the claims of its administrator still allow it. */
export const impersonated = (
  { overlay }: Pick<LiveSession, 'overlay'>,
  held: readonly string[],
): Overlay | undefined =>
  overlay &&
  overlay.until > now() &&
  held.includes('proxy.impersonate') &&
  (!overlay.is_admin || held.includes('proxy.admin'))
    ? overlay
    : undefined
