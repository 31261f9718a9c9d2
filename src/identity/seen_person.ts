import type { Claims } from '../claims/claims.ts'
import type { Resolved } from '../claims/resolve.ts'
import { heldBy, type Withheld } from '../claims/session_claims.ts'
import type { Overlay, Principal, Proof } from '../contract/principal.ts'
import { strongerOf, type ProofLevel } from '../contract/proofs.ts'
import { claimsWithin } from '../contract/token_scopes.ts'
import type { AssertionSubject } from '../keys/assertions.ts'
import { impersonated, isSession } from '../sessions/live_session.ts'
import { now } from '../storage/ids.ts'
import { whenReady } from '../storage/when_ready.ts'

/** The identity of a forwarded request. */
export interface Person extends AssertionSubject {
  readonly email_verified: boolean
  /** What the groups of the person ask of a session, and those of the administrator who impersonates them. */
  readonly asked: ProofLevel
  /** The claims that this session lacks for want of a proof. */
  readonly withheld: Withheld | undefined
  /** Unix time in seconds at which the session loses claims because its proof is too old. */
  readonly until: number
}

/** Finds the identity that a service receives for a principal. */
export class SeenPeople {
  readonly #claims: Claims
  /** The header text of a list of claims; lists are the same object until something changes. */
  readonly #texts = new WeakMap<readonly string[], string>()

  constructor(claims: Claims) {
    this.#claims = claims
  }

  /**
   * Returns the principal itself, or the person whom this administrator impersonates. Undefined if the account no longer exists.
   * Warm, it returns no promise.
   */
  find(principal: Principal, service: string | null): Person | undefined | Promise<Person | undefined> {
    const { program, token } = principal
    if (program)
      return seen(principal, principal.proof, {
        claims: claimsWithin(program.claims, token?.scope),
        asked: 'any',
      })
    return whenReady(this.#resolved(principal.user_id, service, principal.context), (resolved) => {
      if (!resolved) return undefined
      const held = holdingOf(principal, resolved)
      const acted = impersonated(principal, held.claims, service)
      if (!acted) return seen(principal, principal.proof, held)
      return whenReady(this.#resolved(acted.user_id, service, acted.context), (theirs) =>
        theirs
          ? seen(acted, principal.proof, {
              claims: theirs.claims,
              asked: strongerOf(held.asked, theirs.proof),
              until: held.until,
              impersonator: principal.username,
            })
          : seen(principal, principal.proof, held),
      )
    })
  }

  #resolved(userId: string, service: string | null, context: number) {
    return this.#claims.resolved(userId, { service: service ?? '', context })
  }

  claimsText(claims: readonly string[]): string {
    let text = this.#texts.get(claims)
    if (text === undefined) this.#texts.set(claims, (text = claims.join(',')))
    return text
  }
}

interface Holding {
  readonly claims: readonly string[]
  readonly asked: ProofLevel
  readonly until?: number
  readonly withheld?: Withheld | undefined
  readonly impersonator?: string
  readonly proved?: Person['proved']
}

/** A group asks for a proof where a session counts; of a token it was asked when the token was made. */
const holdingOf = (principal: Principal, resolved: Resolved): Holding => ({
  ...heldBy(principal, resolved, now()),
  asked: isSession(principal) ? resolved.proof : 'any',
  proved: provedBy(principal),
})

/** Nobody has proved to be the person whom an administrator impersonates, so theirs has none. */
const provedBy = (principal: Principal): Person['proved'] =>
  principal.proofs && {
    proofs: principal.proofs,
    amr: isSession(principal) ? principal.amr : principal.token?.amr,
  }

const seen = (
  { username, context, email, email_verified_at }: Principal | Overlay,
  proof: Proof,
  { claims, asked, until = Infinity, withheld, impersonator, proved }: Holding,
): Person => ({
  proof,
  username,
  context,
  email,
  email_verified: email_verified_at !== null,
  claims,
  impersonator,
  proved,
  asked,
  withheld,
  until,
})
