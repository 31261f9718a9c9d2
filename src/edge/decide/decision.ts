import { anotherDevice } from '../../contract/caller.ts'
import type { Principal } from '../../contract/principal.ts'
import { AppError } from '../../contract/errors.ts'
import { admitsGuests, type Place } from '../../contract/place.ts'
import type { Identified } from '../../identity/identify.ts'
import type { Identity } from '../../identity/identity_headers.ts'
import type { Person } from '../../identity/seen_person.ts'
import type { Signing } from '../../identity/signed_request.ts'
import type { Assertions } from '../../keys/assertions.ts'
import type { Route } from '../../routes/route.ts'
import type { CheckName } from '../../routes/route_test.ts'
import type { RoutePlan } from '../../routes/route_table.ts'
import { isSession } from '../../sessions/live_session.ts'
import { asUnavailable } from '../../storage/unavailable.ts'
import { whenReady } from '../../storage/when_ready.ts'
import { unavailableRefusal } from '../../wire/refusal.ts'
import type { Caching } from '../../wire/response_treatment.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import type { Pass } from '../forward/pass.ts'
import { checks, Question, type CheckParts } from './checks.ts'
import type { LastingDecisions } from './lasting.ts'
import { tell, type SignIn, type Tell } from './turn_away.ts'

/** What happens to a request that a route covers. */
export type Decision = Pass | Refused

/** The refusal of a request, and the check that made it. */
export type Refused = (Tell | SignIn) & { readonly check: CheckName }

interface Kept {
  readonly access_token: string
}

interface Parts extends CheckParts {
  readonly lasting: LastingDecisions
  readonly assertions: Assertions
  /** Returns the stored token of a person at a provider, for routes that pass it on. Warm, it returns no promise. */
  readonly providerToken: (userId: string, provider: string) => Kept | undefined | Promise<Kept | undefined>
}

/**
 * Decides whether a request may pass, and as whom. Plain requests, upgrades, forward auth, open connections and route tests all use
 * it, so the same request always gets the same answer. Warm, everything comes from memory. Only for a signed request, the body is
 * read and the nonce stored first. Without `signing`, no request counts as signed.
 */
export class Decisions {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** A route test gives `identified`, the user that it assumes. */
  decide(
    request: EdgeRequest,
    plan: RoutePlan | 'ambiguous' | undefined,
    signing: Signing = unsigned,
    identified?: Identified,
    running = false,
  ): Decision | Promise<Decision> {
    const decision = this.#check(new Question(request, plan, signing, identified, running), 0)
    const signs =
      decision instanceof Promise && typeof plan === 'object' && plan.route.auth_mode === 'signature'
    return signs ? decision.catch(refuseUnwritten) : decision
  }

  /** Decides again about a response that is running. It goes on when a proof grows too old: that is asked when a request begins. */
  again(request: EdgeRequest, plan: RoutePlan | 'ambiguous' | undefined, provenKey: string | undefined) {
    return this.decide(request, plan, { provenKey }, undefined, true)
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

  #pass({ route, plan, identified, person, verdict }: Question): Pass | Promise<Pass> {
    const { place } = plan as RoutePlan
    if (!person)
      return pass(identified!, undefined, route, place, this.#parts.lasting.ofGuest(identified!, route))
    const { people, assertions, lasting } = this.#parts
    const asserted =
      route.audience === null ? undefined : assertions.assert(person, route.audience, place.proof)
    return whenReady(asserted, (assertion) =>
      whenReady(this.#tokenOf(route, identified!, person), (token) => {
        const claims = people.claimsText(person.claims)
        const identity = { ...person, claims, assertion, provider_token: token?.access_token }
        return pass(
          identified!,
          identity,
          route,
          place,
          asserted || token ? undefined : lasting.ofPerson(identified!, route, verdict!.until),
        )
      }),
    )
  }

  /**
   * Only for requests of the person themselves: not for an administrator who impersonates them, not for their network, and not in a
   * sign-in that another device opened.
   */
  #tokenOf({ provider_token }: Route, { principal }: Identified, { impersonator }: Person) {
    if (provider_token === null || impersonator !== undefined) return undefined
    if (!principal || principal.method === 'network' || isByAnotherDevice(principal)) return undefined
    return this.#parts.providerToken(principal.user_id, provider_token)
  }
}

const isByAnotherDevice = (principal: Principal): boolean =>
  isSession(principal) && principal.provider === anotherDevice

/** What a known person gets, or what no guest can get, is for no shared cache. */
const cachingOf = (route: Route, place: Place, identity: Identity | undefined): Caching =>
  route.no_store ? 'never' : identity || !admitsGuests(place) ? 'private' : 'shared'

const unsigned: Signing = { provenKey: undefined }

/** A signed request whose nonce cannot be stored does not pass. */
const refuseUnwritten = (fault: unknown): Refused => {
  if (asUnavailable(fault) instanceof AppError) return { ...tell(unavailableRefusal), check: 'nonce' }
  throw fault
}

const pass = (
  { principal, staticToken, ownToken, staleCookie, signed }: Identified,
  identity: Identity | undefined,
  route: Route,
  place: Place,
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
    caching: cachingOf(route, place, identity),
    who: principal ? who(principal) : method === 'none' ? '' : method,
    pubkey: signed?.key.pubkey,
    body: signed?.body,
    lasting,
  }
}
