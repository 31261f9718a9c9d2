import type { Principal } from '../../contract/principal.ts'
import { AppError } from '../../contract/errors.ts'
import type { Identified } from '../../identity/identify.ts'
import type { Identity } from '../../identity/identity_headers.ts'
import type { Person } from '../../identity/seen_person.ts'
import type { Signing } from '../../identity/signed_request.ts'
import type { Assertions } from '../../keys/assertions.ts'
import type { Route } from '../../routes/route.ts'
import type { CheckName } from '../../routes/route_test.ts'
import type { RoutePlan } from '../../routes/route_table.ts'
import { asUnavailable } from '../../storage/unavailable.ts'
import { whenReady } from '../../storage/when_ready.ts'
import { unavailableRefusal } from '../../wire/refusal.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import type { Pass } from '../forward/pass.ts'
import { checks, Question, type CheckParts } from './checks.ts'
import type { LastingDecisions } from './lasting.ts'
import { tell, type SignIn, type Tell } from './turn_away.ts'

/** What happens to a request that a route covers. */
export type Decision = Pass | Refused

/** A request that does not pass, and the check that says so. */
export type Refused = (Tell | SignIn) & { readonly check: CheckName }

interface Kept {
  readonly access_token: string
}

interface Parts extends CheckParts {
  readonly lasting: LastingDecisions
  readonly assertions: Assertions
  /** The kept token that a provider gave of a person, for routes that pass it on. Warm, it returns no promise. */
  readonly providerToken: (userId: string, provider: string) => Kept | undefined | Promise<Kept | undefined>
}

/**
 * May this request pass, and as whom? One way for plain requests, upgrades, forward auth, open connections and route tests: whoever asks
 * about the same request gets the same answer. Warm, everything comes from memory; only a signed request is read and
 * written down first. Without `signing` nothing counts as signed.
 */
export class Decisions {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** `identified` is given where it is only assumed who asks. */
  decide(
    request: EdgeRequest,
    plan: RoutePlan | 'ambiguous' | undefined,
    signing: Signing = unsigned,
    identified?: Identified,
  ): Decision | Promise<Decision> {
    const decision = this.#check(new Question(request, plan, signing, identified), 0)
    const signs =
      decision instanceof Promise && typeof plan === 'object' && plan.route.auth_mode === 'signature'
    return signs ? decision.catch(refuseUnwritten) : decision
  }

  #check(question: Question, first: number): Decision | Promise<Decision> {
    for (let i = first; i < checks.length; i++) {
      const { name: check, refuse } = checks[i]!
      const refusal = refuse(question, this.#parts)
      if (refusal instanceof Promise)
        return refusal.then((made) => (made ? { ...made, check } : this.#check(question, i + 1)))
      if (refusal) return { ...refusal, check }
    }
    return this.#pass(question)
  }

  #pass({ route, identified, person }: Question): Pass | Promise<Pass> {
    if (!person) return pass(identified!, undefined, this.#parts.lasting.ofGuest(identified!, route))
    const { people, assertions, lasting } = this.#parts
    const asserted = route.audience === null ? undefined : assertions.assert(person, route.audience)
    return whenReady(asserted, (assertion) =>
      whenReady(this.#tokenOf(route, identified!, person), (token) => {
        const claims = people.claimsText(person.claims)
        const identity = { ...person, claims, assertion, provider_token: token?.access_token }
        return pass(
          identified!,
          identity,
          asserted || token ? undefined : lasting.ofPerson(identified!, route),
        )
      }),
    )
  }

  /** Of the person's own calls alone: not of an administrator who acts as them, and not for an address that is near them. */
  #tokenOf({ provider_token }: Route, { principal }: Identified, { impersonator }: Person) {
    if (provider_token === null || impersonator !== undefined) return undefined
    if (!principal || principal.method === 'network') return undefined
    return this.#parts.providerToken(principal.user_id, provider_token)
  }
}

const unsigned: Signing = { provenKey: undefined }

/** What cannot be written down as used is not let in. */
const refuseUnwritten = (fault: unknown): Refused => {
  if (asUnavailable(fault) instanceof AppError) return { ...tell(unavailableRefusal), check: 'nonce' }
  throw fault
}

const pass = (
  { principal, staticToken, ownToken, staleCookie, signed }: Identified,
  identity: Identity | undefined,
  lasting: Pass['lasting'],
): Pass => {
  const method = principal?.method ?? (staticToken ? 'bearer' : 'none')
  const who = ({ proof }: Principal) => `${proof.by} ${proof.id} ${identity?.username}`
  return {
    act: 'forward',
    identity,
    method,
    authorizationUsed: ownToken,
    staleCookie,
    who: principal ? who(principal) : method === 'none' ? '' : method,
    pubkey: signed?.key.pubkey,
    body: signed?.body,
    lasting,
  }
}
