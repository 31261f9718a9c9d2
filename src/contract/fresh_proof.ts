import { nothingProved, provedAt, type ProofRule } from './proofs.ts'
import type { Caller } from './caller.ts'
import { AppError } from './errors.ts'
import { coversScope } from './token_scopes.ts'

/** How long a proof is fresh. */
export const freshForSeconds = 900

/** Throws proof_required for a session without a proof of the last minutes. */
export const refuseStale = (
  { session_id, by_trust = false, proofs = nothingProved }: Caller,
  at: number,
): void => {
  // Trust takes the place of the second factor at sign-in, and there alone.
  if (session_id !== undefined && provedAt(proofs, by_trust ? 'second' : 'any', at) + freshForSeconds <= at)
    throw new AppError('proof_required', 'Prove again that it is you: auth.prove')
}

/** The same for what a method decides after its gate: a token needs the scope `admin`, and is no proof about its own person. */
export const refuseUnproven = (caller: Caller, userId: string, at: number): void => {
  refuseStale(caller, at)
  if (caller.token === undefined) return
  if (!coversScope(caller.token.scope, 'admin'))
    throw new AppError('claim_required', 'This needs a token with the scope admin', { scope: 'admin' })
  if (caller.user_id === userId)
    throw new AppError('proof_required', 'This needs a sign-in: a token gives its person no other way in')
}

/** The claims are there, and the session lacks the proof that goes with them. */
export const proofRequired = ({ proof, proof_age }: ProofRule): AppError =>
  new AppError('proof_required', 'This needs a stronger or newer proof of who you are: auth.prove', {
    proof,
    ...(proof_age !== null && { proof_age }),
  })

/** What a session may not hold, a token that it makes never holds: it needs the proof that goes with the scope `admin`. */
export const refuseScopeAdmin = ({ lacksAdministration }: Caller): void => {
  if (lacksAdministration) throw proofRequired(lacksAdministration)
}

/** A token that people keep is not judged by the groups of its person at each use, so it may not be made without what they ask for. */
export const refuseLackingOfGroup = ({ lacks }: Caller): void => {
  if (lacks?.byGroup) throw proofRequired(lacks.rule)
}
