import type { Claims } from '../claims/claims.ts'
import type { Overlay, Principal, Proof } from '../contract/principal.ts'
import { claimsWithin } from '../contract/token_scopes.ts'
import type { AssertionSubject } from '../keys/assertions.ts'
import { impersonated } from '../sessions/live_session.ts'
import { whenReady } from '../storage/when_ready.ts'

/** The identity of a forwarded request. */
export interface Person extends AssertionSubject {
  readonly email_verified: boolean
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
      return seen(principal, principal.proof, claimsWithin(program.claims, token?.scope), undefined)
    return whenReady(this.#held(principal.user_id, service, principal.context), (all) => {
      const held = all && claimsWithin(all, token?.scope)
      if (!held) return undefined
      const acted = impersonated(principal, held, service)
      if (!acted) return seen(principal, principal.proof, held, undefined)
      return whenReady(this.#held(acted.user_id, service, acted.context), (theirs) =>
        theirs
          ? seen(acted, principal.proof, theirs, principal.username)
          : seen(principal, principal.proof, held, undefined),
      )
    })
  }

  #held(userId: string, service: string | null, context: number) {
    return this.#claims.of(userId, { service: service ?? '', context })
  }

  claimsText(claims: readonly string[]): string {
    let text = this.#texts.get(claims)
    if (text === undefined) this.#texts.set(claims, (text = claims.join(',')))
    return text
  }
}

const seen = (
  { username, context, email, email_verified_at }: Principal | Overlay,
  proof: Proof,
  claims: readonly string[],
  impersonator: string | undefined,
): Person => ({
  proof,
  username,
  context,
  email,
  email_verified: email_verified_at !== null,
  claims,
  impersonator,
})
