import { satisfiesRule } from '../claims/rule.ts'
import { allowsEmail } from '../contract/allowed_emails.ts'
import { admitsGuests, asksForPerson, type Place } from '../contract/place.ts'
import { whenReady } from '../storage/when_ready.ts'
import type { Identified } from './identify.ts'
import type { Person, SeenPeople } from './seen_person.ts'

/** Who wants to enter: a principal, a program with a static token, or neither. */
export type Entrant = Pick<Identified, 'principal' | 'staticToken'>

/**
 * What keeps somebody out. `sign_in`: nobody is known. `name`: a static token names nobody, and the place asks for a person. `account`:
 * the account no longer exists. `claims`, `email`: the person lacks what the place requires.
 */
export type Lack = 'sign_in' | 'name' | 'account' | 'claims' | 'email'

/** The judge's answer. */
export interface Verdict {
  /** Undefined if they may enter. */
  readonly lack: Lack | undefined
  /** Whom the place sees: nobody for a guest and for a static token, and the other person while an administrator impersonates. */
  readonly person: Person | undefined
}

const as = (lack: Lack | undefined): Verdict => ({ lack, person: undefined })

const guestEnters = as(undefined)
const signInNeeded = as('sign_in')
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
      return whenReady(this.#people.find(principal, place.service), (person) => judge(person, place))
    if (staticToken) return asksForPerson(place) ? nameNeeded : guestEnters
    return admitsGuests(place) ? guestEnters : signInNeeded
  }
}

/** Claims are judged first, so nobody proves anything more only to be refused. */
const judge = (person: Person | undefined, { required_claims, allowed_emails }: Place): Verdict => {
  if (!person) return accountGone
  if (!satisfiesRule(required_claims, person.claims)) return { lack: 'claims', person }
  if (!allowsEmail(allowed_emails, person.email_verified ? person.email : null))
    return { lack: 'email', person }
  return { lack: undefined, person }
}
