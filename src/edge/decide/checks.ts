import { satisfiesRule } from '../../claims/rule.ts'
import { sentByBrowser } from '../../contract/principal.ts'
import type { Identification, Identified } from '../../identity/identify.ts'
import type { Person, SeenPeople } from '../../identity/seen_person.ts'
import type { Signing } from '../../identity/signed_request.ts'
import { allowsEmail } from '../../routes/allowed_emails.ts'
import { asksForPerson, guestsPass } from '../../routes/guests.ts'
import type { Route } from '../../routes/route.ts'
import type { CheckName } from '../../routes/route_test.ts'
import type { RoutePlan } from '../../routes/route_table.ts'
import { whenReady } from '../../storage/when_ready.ts'
import type { Home } from '../../contract/home.ts'
import { notFoundRefusal, type Refusal } from '../../wire/refusal.ts'
import { originOf, type EdgeRequest } from '../../wire/request.ts'
import * as refusals from './refusals.ts'
import { signInAddress, switchAddress, tell, turnAway, type SignIn, type Tell } from './turn_away.ts'

/** A longer claims header is refused, never shortened: with a part of the list missing, it would be another identity. */
const maxClaimsText = 8192

/** What the checks look at: a request, its route, and who sent it, as far as earlier checks have found out. */
export class Question {
  readonly request: EdgeRequest
  readonly plan: RoutePlan | 'ambiguous' | undefined
  readonly signing: Signing
  /** Who sent the request. A route test sets it to an assumed user. */
  identified: Identified | undefined
  /** The identity that the service receives; undefined for a guest and for a program with a static token. */
  person: Person | undefined

  constructor(
    request: EdgeRequest,
    plan: RoutePlan | 'ambiguous' | undefined,
    signing: Signing,
    identified: Identified | undefined,
  ) {
    this.request = request
    this.plan = plan
    this.signing = signing
    this.identified = identified
    this.person = undefined
  }

  get route(): Route {
    return (this.plan as RoutePlan).route
  }
}

export interface CheckParts {
  readonly home: Home
  readonly identification: Identification
  readonly people: SeenPeople
  /** Names of the identity providers that people can sign in with. Warm, it returns no promise. */
  readonly providers: () => readonly string[] | Promise<readonly string[]>
  /** Reports that the claims of a user were too long for the header. */
  readonly reportOversize: (username: string, domain: string) => void
}

type Answer = Tell | SignIn | undefined | Promise<Tell | SignIn | undefined>

interface Check {
  readonly name: CheckName
  /** Returns the refusal, or undefined if this check lets the request pass. Warm, it returns no promise. */
  readonly refuse: (question: Question, parts: CheckParts) => Answer
}

const ambiguousPath = ({ plan }: Question): Answer =>
  plan === 'ambiguous' ? tell(refusals.ambiguousPath) : undefined

const enabledRoute = ({ plan }: Question): Answer =>
  typeof plan === 'object' && plan.route.enabled ? undefined : tell(notFoundRefusal)

/** Identifies the sender of the request as well. */
const wrongSignature = (question: Question, { identification }: CheckParts): Answer => {
  const { request, plan, signing } = question
  return whenReady(
    question.identified ?? identification.identify(request, plan as RoutePlan, signing),
    (identified): Answer => {
      question.identified = identified
      const { notSigned } = identified
      if (notSigned === undefined) return undefined
      return tell(typeof notSigned === 'string' ? refusals.notSigned(notSigned) : notSigned)
    },
  )
}

/** Guests and programs with a static token have no identity, so they cannot have a claim or an address. */
const nobodyKnown = (question: Question, parts: CheckParts): Answer => {
  const { route, identified } = question
  if (identified!.principal) return undefined
  if (identified!.staticToken) return asksForPerson(route) ? tell(refusals.tokenNamesNobody) : undefined
  return guestsPass(route) ? undefined : askToSignIn(question, parts)
}

/** Any page in the world can open a WebSocket, and the browser sends our cookie with it, so its Origin must be ours (RFC 6455 section 10.2). */
const foreignPage = ({ request, identified }: Question): Answer => {
  if (request.upgrade === undefined || request.origin === undefined) return undefined
  const { principal } = identified!
  if (!principal || !sentByBrowser[principal.method]) return undefined
  return request.origin === originOf(request) ? undefined : tell(refusals.foreignPage)
}

/** Finds the identity that the service receives. An account that was just deleted has none. */
const livingAccount = (question: Question, parts: CheckParts): Answer => {
  const { route, identified } = question
  const { principal } = identified!
  if (!principal) return undefined
  return whenReady(parts.people.find(principal, route.service), (person): Answer => {
    question.person = person
    return person ? undefined : askToSignIn(question, parts)
  })
}

/** A token with the scope `read` may use safe methods only (RFC 9110 section 9.2.1), and no WebSocket, which could carry any change. */
const tokenScope = ({ request: { method, upgrade }, identified }: Question): Answer =>
  identified!.principal?.token?.scope === 'read' &&
  (upgrade !== undefined || (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS'))
    ? tell(refusals.scopeTooSmall)
    : undefined

const requiredClaims = (question: Question, parts: CheckParts): Answer => {
  const { route, person } = question
  if (!person || satisfiesRule(route.required_claims, person.claims)) return undefined
  return refusePerson(refusals.claimMissing(route, person, isSignedIn(question)), question, parts)
}

const allowedEmail = (question: Question, parts: CheckParts): Answer => {
  const { route, person } = question
  if (!person || allowsEmail(route.allowed_emails, person.email_verified ? person.email : null))
    return undefined
  return refusePerson(refusals.emailNotAllowed(person, isSignedIn(question)), question, parts)
}

const sizeOfClaims = (question: Question, parts: CheckParts): Answer => {
  const { route, person } = question
  if (!person || parts.people.claimsText(person.claims).length <= maxClaimsText) return undefined
  parts.reportOversize(person.username, route.domain)
  return refusePerson(refusals.claimsTooLarge, question, parts)
}

/** A signed request may pass once. This check is the last one, so that only requests that pass use their nonce. */
const usedNonce = ({ identified }: Question): Answer =>
  identified!.signed?.admit().then((first) => (first ? undefined : tell(refusals.notSigned('used'))))

/** Every check that a request must pass, in this order. */
export const checks: readonly Check[] = [
  { name: 'path', refuse: ambiguousPath },
  { name: 'route', refuse: enabledRoute },
  { name: 'signature', refuse: wrongSignature },
  { name: 'sign_in', refuse: nobodyKnown },
  { name: 'foreign_page', refuse: foreignPage },
  { name: 'account', refuse: livingAccount },
  { name: 'scope', refuse: tokenScope },
  { name: 'claims', refuse: requiredClaims },
  { name: 'email', refuse: allowedEmail },
  { name: 'claims_size', refuse: sizeOfClaims },
  { name: 'nonce', refuse: usedNonce },
]

const isSignedIn = ({ identified }: Question): boolean => identified!.principal?.proof.by === 'session'

/**
 * A person whom we know only by their network may have more rights after signing in, so the refusal offers that. A person who is
 * signed in may have another account.
 */
const refusePerson = (refusal: Refusal, question: Question, { home }: CheckParts): Tell => {
  const { request, plan, identified } = question
  if (isSignedIn(question)) {
    const switches = {
      href: switchAddress(request, plan as RoutePlan, home),
      name: 'switch_account',
    } as const
    return tell({ ...refusal, more: [switches], back: `${home.origin}/auth/me` })
  }
  if (identified!.principal?.method !== 'network') return tell(refusal)
  return tell({
    ...refusal,
    link: { href: signInAddress(request.host, plan as RoutePlan, home), name: 'sign_in' },
  })
}

const askToSignIn = ({ request, route, plan }: Question, { providers, home }: CheckParts): Answer => {
  // Only oauth routes need the providers, so the others do not read them.
  if (route.auth_mode !== 'oauth') return turnAway(request, plan as RoutePlan, [], home)
  return whenReady(providers(), (names) => turnAway(request, plan as RoutePlan, names, home))
}
