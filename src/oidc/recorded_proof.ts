import { nothingProved, proofsOf, type ProofTimes } from '../contract/proofs.ts'
import type { RecordedProof } from '../identity/client_rules.ts'

/** What a code or token records about the sign-in. */
export interface IssuedToken {
  readonly kind: string
  readonly acr?: string
  /** Authentication methods (RFC 8176). */
  readonly amr?: readonly string[]
  readonly authTime?: number
  readonly extra?: RecordedProof
  readonly grantId?: string
  readonly clientId?: string
}

/**
 * What a code or token records about the sign-in: codes and refresh tokens themselves, access tokens among what we add to them. What
 * records nothing proves nothing.
 */
export const recordedBy = (token: object | undefined): RecordedProof & { readonly proofs: ProofTimes } => {
  const { acr, authTime, extra } = (token ?? {}) as Partial<IssuedToken>
  const recorded = acr === undefined ? extra : { acr, auth_time: authTime }
  if (recorded?.acr === undefined) return { proofs: nothingProved }
  return { ...recorded, proofs: proofsOf(recorded.acr, recorded.auth_time ?? 0) }
}
