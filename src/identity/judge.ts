import { satisfiesRule } from '../claims/rule.ts'
import { allowsEmail } from '../contract/allowed_emails.ts'
import { admitsGuests, asksForPerson, type Place } from '../contract/place.ts'
import type { Principal } from '../contract/principal.ts'
import { asksForProof, bothRules, nothingProved, satisfiedUntil, type ProofRule } from '../contract/proofs.ts'
import { isSession } from '../sessions/live_session.ts'
import { now } from '../storage/ids.ts'
import { whenReady } from '../storage/when_ready.ts'
import type { Person, SeenPeople } from './seen_person.ts'

/** Who wants to enter: a principal, a program with a static token, or neither. */
export interface Entrant {
  readonly principal: Principal | undefined
  readonly staticToken: boolean
}

/**
 * What keeps somebody out. `sign_in`: nobody is known. `name`: a static token names nobody, and the place asks for a person. `account`:
 * the account no longer exists. `claims`, `email`: the person lacks what the place requires. `proof`: they must prove more, or again,
 * who they are.
 */
export type Lack = 'sign_in' | 'name' | 'account' | 'claims' | 'email' | 'proof'

/** The judge's answer. */
export interface Verdict {
  /** Undefined if they may enter. */
  readonly lack: Lack | undefined
  /** Whom the place sees: nobody for a guest and for a static token, and the other person while an administrator impersonates. */
  readonly person: Person | undefined
  /** The proof that would let them in, if that is what they lack. */
  readonly asks: ProofRule | undefined
  /** Unix time in seconds until which the proofs of the session suffice, if they may enter; Infinity without a limit. */
  readonly until: number
}

const as = (lack: Lack | undefined, person?: Person, until = Infinity): Verdict => ({
  lack,
  person,
  asks: undefined,
  until,
})

/** Guests enter. */
export const guestEnters = as(undefined)
/** Nobody is known. */
export const signInNeeded = as('sign_in')
const nameNeeded = as('name')
const accountGone = as('account')

/** The one judge of who may enter which place. Doors ask it, and turn its verdict into an answer of their own protocol. */
export class Judge {
  readonly #people: SeenPeople

  constructor(people: SeenPeople) {
    this.#people = people
  }

  /** Warm, it returns no promise. */
  enter({ principal, staticToken }: Entrant, place: Place): Verdict | Promise<Verdict> {
    if (principal)
      return whenReady(this.#people.find(principal, place.service), (person) =>
        judge(principal, person, place),
      )
    if (staticToken) return asksForPerson(place) ? nameNeeded : guestEnters
    return admitsGuests(place) ? guestEnters : signInNeeded
  }
}

/** Claims are judged first, so nobody proves anything more only to be refused. */
const judge = (principal: Principal, person: Person | undefined, place: Place): Verdict => {
  if (!person) return accountGone
  const { required_claims, allowed_emails } = place
  const { withheld } = person
  const satisfied = satisfiesRule(required_claims, person.claims)
  if (!satisfied && !(withheld && satisfiesRule(required_claims, withheld.all))) return as('claims', person)
  if (!allowsEmail(allowed_emails, person.email_verified ? person.email : null)) return as('email', person)
  return judgeProofs(principal, person, place, satisfied)
}

/** The strictest of what the place, the groups of the person and their claims ask for counts. */
const judgeProofs = (principal: Principal, person: Person, place: Place, satisfied: boolean): Verdict => {
  const proofs = principal.proofs ?? nothingProved
  const at = now()
  let asks: ProofRule | undefined = satisfied ? undefined : person.withheld!.rule
  let until = person.until
  const ask = (rule: ProofRule) => {
    const holds = satisfiedUntil(rule, proofs, at)
    if (holds === 0) asks = asks ? bothRules(asks, rule) : { proof: rule.proof, proof_age: rule.proof_age }
    else until = Math.min(until, holds)
  }
  if (asksForProof(place)) ask(place)
  // A group asks when a token is made, not at each use.
  if (person.asked !== 'any' && isSession(principal)) ask({ proof: person.asked, proof_age: null })
  return asks ? { lack: 'proof', person, asks, until: 0 } : as(undefined, person, until)
}
