import { satisfiesRule } from '../../claims/rule.ts'
import { AppError } from '../../contract/errors.ts'
import type { Assertions } from '../../keys/assertions.ts'
import { allowsEmail } from '../../routes/allowed_emails.ts'
import type { Route } from '../../routes/route.ts'
import type { RoutePlan } from '../../routes/route_table.ts'
import { asUnavailable } from '../../storage/unavailable.ts'
import { whenReady } from '../../storage/when_ready.ts'
import { originOf, type Asked } from '../../wire/request.ts'
import { authModes } from '../../routes/auth_modes.ts'
import type { LastingDecisions } from './lasting.ts'
import * as refusals from './refusals.ts'
import type { Signatures, Signed, Signing } from '../../identity/signed_request.ts'
import type { Person, Visitor, Visitors } from '../../identity/visitors.ts'
import type { Pass } from '../forward/pass.ts'
import type { Identity } from '../../identity/identity_headers.ts'
import { notHere, storageAway, type Told } from '../../wire/refusal.ts'
import { withoutSession } from '../../identity/known.ts'

/** A claims header beyond this is refused, never shortened: a list with a part missing is another identity. */
const maxClaimsText = 8192

/** What happens to a request that a route covers. */
export type Decision = Pass | Tell | SignIn

interface Tell {
  readonly act: 'tell'
  readonly told: Told
}

/** Nobody is known who could pass: people are shown the way in, programs are told. */
export interface SignIn {
  readonly act: 'sign in'
  /** Where people go; the path they asked for is appended, percent-encoded. */
  readonly way: string
  /** For programs: 401. */
  readonly told: Told
  /** For people, where the way in does not exist yet: told instead of sending them there. */
  readonly missing?: Told
}

interface Kept {
  readonly access_token: string
}

interface Parts {
  readonly visitors: Visitors
  readonly lasting: LastingDecisions
  readonly signatures: Signatures
  readonly assertions: Assertions
  /** Names of the identity providers that people can sign in with. Warm, it returns no promise. */
  readonly providers: () => readonly string[] | Promise<readonly string[]>
  /** The kept token that a provider gave of a person, for routes that pass it on. Warm, it returns no promise. */
  readonly providerToken: (userId: string, provider: string) => Kept | undefined | Promise<Kept | undefined>
  /** Writes down that somebody's claims did not fit. */
  readonly reportOversize: (username: string, domain: string) => void
}

/**
 * May this request pass, and as whom? One way for plain requests, upgrades, forward auth and trials: whoever asks
 * about the same request gets the same answer. Warm, everything comes from memory; only a signed request is read and
 * written down first. Without `signing` nothing counts as signed.
 */
export class Decisions {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  decide(
    asked: Asked,
    plan: RoutePlan | 'ambiguous' | undefined,
    signing: Signing = { provenKey: undefined },
  ): Decision | Promise<Decision> {
    if (plan === 'ambiguous') return tell(refusals.ambiguousPath)
    if (plan === undefined || !plan.route.enabled) return tell(notHere)
    const { route } = plan
    const { credentials } = authModes[route.auth_mode]
    return whenReady(this.#parts.visitors.identify(asked, plan, credentials), (visitor) =>
      credentials.includes('signature')
        ? this.#judgeSigned(asked, route, visitor, signing)
        : this.judge(asked, route, visitor),
    )
  }

  async #judgeSigned(asked: Asked, route: Route, visitor: Visitor, signing: Signing): Promise<Decision> {
    try {
      const signed = await this.#parts.signatures.verify(asked, signing)
      if (typeof signed === 'string') return tell(refusals.notSigned(signed))
      if ('status' in signed) return tell(signed)
      const known = withoutSession(signed.key.owner, { by: 'key', id: signed.key.pubkey })
      return await this.judge(asked, route, { ...visitor, known, method: 'signature' }, signed)
    } catch (fault) {
      // What cannot be written down as used is not let in.
      if (asUnavailable(fault) instanceof AppError) return tell(storageAway)
      throw fault
    }
  }

  /** The same for a visitor who is known already. */
  judge(asked: Asked, route: Route, visitor: Visitor, signed?: Signed): Decision | Promise<Decision> {
    if (!visitor.known) return this.#withoutPerson(route, visitor)
    if (crossesOrigin(asked, visitor)) return tell(refusals.foreignPage)
    return whenReady(this.#parts.visitors.person(visitor.known, route.service), (person) =>
      person ? this.#judgePerson(asked, route, visitor, person, signed) : this.#turnAway(route),
    )
  }

  #judgePerson(
    asked: Asked,
    route: Route,
    visitor: Visitor,
    person: Person,
    signed: Signed | undefined,
  ): Decision | Promise<Decision> {
    const refusal = beyondScope(asked, visitor) ? refusals.scopeTooSmall : this.#refusal(route, person)
    // Somebody whom only the network tells may be more than that after signing in: offered, never forced.
    if (refusal) return tell(visitor.method === 'network' ? { ...refusal, link: refusals.toSignIn } : refusal)
    const { visitors, assertions } = this.#parts
    const asserted = route.audience === null ? undefined : assertions.assert(person, route.audience)
    return whenReady(asserted, (assertion) =>
      whenReady(this.#tokenOf(route, visitor, person), (token) => {
        const claims = visitors.claimsText(person.claims)
        const identity = { ...person, claims, assertion, provider_token: token?.access_token }
        if (!signed) {
          const lasting = asserted || token ? undefined : this.#parts.lasting.ofPerson(visitor, route)
          return { ...pass(visitor, identity), lasting }
        }
        return signed
          .admit()
          .then((first) => (first ? pass(visitor, identity, signed) : tell(refusals.notSigned('used'))))
      }),
    )
  }

  /** Of the person's own calls alone: not of an administrator who acts as them, and not for an address that is near them. */
  #tokenOf({ provider_token }: Route, { known, method }: Visitor, { impersonator }: Person) {
    if (provider_token === null || method === 'network' || impersonator !== undefined || !known)
      return undefined
    return this.#parts.providerToken(known.user_id, provider_token)
  }

  /** Why somebody who is known does not pass: 403, never a redirect, which would come straight back. */
  #refusal(route: Route, person: Person): Told | undefined {
    if (!satisfiesRule(route.required_claims, person.claims)) return refusals.claimMissing(route, person)
    if (!allowsEmail(route.allowed_emails, person.email_verified ? person.email : null))
      return refusals.emailNotAllowed(person)
    if (this.#parts.visitors.claimsText(person.claims).length <= maxClaimsText) return undefined
    this.#parts.reportOversize(person.username, route.domain)
    return refusals.claimsTooLarge
  }

  #withoutPerson(route: Route, visitor: Visitor): Decision | Promise<Decision> {
    const open = route.required_claims.length === 0 && route.allowed_emails.length === 0
    // A program with a static token: let in, and nobody.
    if (visitor.method === 'bearer') return open ? pass(visitor, undefined) : tell(refusals.tokenNamesNobody)
    const guestsPass = open && authModes[route.auth_mode].without === 'forward as guest'
    if (!guestsPass) return this.#turnAway(route)
    return {
      ...pass(visitor, undefined),
      lasting: this.#parts.lasting.ofGuest(visitor, route),
    }
  }

  #turnAway(route: Route): Decision | Promise<Decision> {
    // Of the others none asks.
    if (route.auth_mode !== 'oauth') return turnAway(route, [])
    return whenReady(this.#parts.providers(), (providers) => turnAway(route, providers))
  }
}

/** What is told to whoever shows nothing that counts on this route. */
export const turnAway = (
  { auth_mode, provider }: Pick<Route, 'auth_mode' | 'provider'>,
  providers: readonly string[],
): SignIn | Tell => {
  const { credentials, without } = authModes[auth_mode]
  if (without === 'ask for a token') return tell(refusals.tokenNeeded)
  if (without === 'ask for a signature') return tell(refusals.notSigned('missing'))
  if (without === 'send to a provider') {
    const named = provider === null ? '' : `provider=${encodeURIComponent(provider)}&`
    const way = `/login?${named}next=`
    const ready = provider === null ? providers.length > 0 : providers.includes(provider)
    if (ready) return { act: 'sign in', way, told: refusals.providerNeeded }
    const [missing, told] = [true, false].map((people) => refusals.providerMissing(provider, people))
    return { act: 'sign in', way, told: told!, missing: missing! }
  }
  // Signing in changes nothing where no session counts: sending people there would send them in circles.
  if (!credentials.includes('session')) return tell(refusals.nobodyKnown)
  return { act: 'sign in', way: '/auth/login?return_to=', told: refusals.signInNeeded }
}

const tell = (told: Told): Tell => ({ act: 'tell', told })

const pass = (
  { known, method, ownToken, staleCookie }: Visitor,
  identity: Identity | undefined,
  signed?: Signed,
): Pass => ({
  act: 'forward',
  identity,
  method,
  authorizationUsed: ownToken,
  staleCookie,
  who: known ? `${known.proof.by} ${known.proof.id} ${identity?.username}` : method === 'none' ? '' : method,
  pubkey: signed?.key.pubkey,
  body: signed?.body,
})

/** A token to read with sends what is safe (RFC 9110 section 9.2.1); a WebSocket could say anything. */
const beyondScope = ({ method, upgrade }: Asked, { known }: Visitor): boolean =>
  known?.scope === 'read' && (upgrade !== undefined || !['GET', 'HEAD', 'OPTIONS'].includes(method))

/** A WebSocket is open to every page of the world and sends our cookie along: its Origin must be this one (RFC 6455 section 10.2). */
const crossesOrigin = (asked: Asked, { byCookie }: Visitor): boolean =>
  asked.upgrade !== undefined && byCookie && asked.origin !== undefined && asked.origin !== originOf(asked)
