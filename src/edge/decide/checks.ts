import type { AskTokens } from '../../asking/ask_tokens.ts'
import { sentByBrowser } from '../../contract/principal.ts'
import type { Identification, Identified } from '../../identity/identify.ts'
import { admitsGuests, routeRef } from '../../contract/place.ts'
import { guestEnters, type Judge, type Lack, type Verdict } from '../../identity/judge.ts'
import type { Person, SeenPeople } from '../../identity/seen_person.ts'
import type { Signing } from '../../identity/signed_request.ts'
import type { Route } from '../../routes/route.ts'
import type { CheckName } from '../../routes/route_test.ts'
import type { RoutePlan } from '../../routes/route_table.ts'
import { whenReady } from '../../storage/when_ready.ts'
import type { Home } from '../../contract/home.ts'
import { notFoundRefusal, type Refusal } from '../../wire/refusal.ts'
import { originOf, type EdgeRequest } from '../../wire/request.ts'
import * as refusals from './refusals.ts'
import {
  askForProof,
  signInAddress,
  switchAddress,
  tell,
  turnAway,
  type SignIn,
  type Tell,
} from './turn_away.ts'

/** A longer claims header is refused, never shortened: with a part of the list missing, it would be another identity. */
const maxClaimsText = 8192

/** What the checks look at: a request, its route, and who sent it, as far as earlier checks have found out. */
export class Question {
  readonly request: EdgeRequest
  readonly plan: RoutePlan | 'ambiguous' | undefined
  readonly signing: Signing
  /** Who sent the request. A route test sets it to an assumed user. */
  identified: Identified | undefined
  /** Whether the response has begun. */
  readonly running: boolean
  /** What the judge said. */
  verdict: Verdict | undefined

  constructor(
    request: EdgeRequest,
    plan: RoutePlan | 'ambiguous' | undefined,
    signing: Signing,
    identified: Identified | undefined,
    running: boolean,
  ) {
    this.request = request
    this.plan = plan
    this.signing = signing
    this.identified = identified
    this.running = running
    this.verdict = undefined
  }

  get route(): Route {
    return (this.plan as RoutePlan).route
  }

  /** The identity that the service receives; undefined for a guest and for a program with a static token. */
  get person(): Person | undefined {
    return this.verdict?.person
  }
}

export interface CheckParts {
  readonly home: Home
  readonly identification: Identification
  readonly people: SeenPeople
  readonly judge: Judge
  readonly askTokens: Pick<AskTokens, 'issue'>
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

/** Any page in the world can open a WebSocket, and the browser sends our cookie with it, so its Origin must be ours (RFC 6455 section 10.2). */
const foreignPage = ({ request, identified }: Question): Answer => {
  if (request.upgrade === undefined || request.origin === undefined) return undefined
  const { principal } = identified!
  if (!principal || !sentByBrowser[principal.method]) return undefined
  return request.origin === originOf(request) ? undefined : tell(refusals.foreignPage)
}

/** Whether a request only reads. A WebSocket could carry any change. */
const isSafe = ({ method, upgrade }: Pick<EdgeRequest, 'method' | 'upgrade'>): boolean =>
  upgrade === undefined && (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')

/** A token with the scope `read` may use safe methods only (RFC 9110 section 9.2.1), and no WebSocket, which could carry any change. */
const tokenScope = ({ request: { method, upgrade }, identified }: Question): Answer =>
  identified!.principal?.token?.scope === 'read' && !isSafe({ method, upgrade })
    ? tell(refusals.scopeTooSmall)
    : undefined

/** Makes the check for one thing that people may lack. The first of these checks asks the judge. */
const lacking =
  (answers: Partial<Record<Lack, (question: Question, parts: CheckParts) => Answer>>): Check['refuse'] =>
  (question, parts) =>
    whenReady(
      question.verdict ?? parts.judge.enter(question.identified!, (question.plan as RoutePlan).place),
      (verdict): Answer => {
        question.verdict = verdict
        return verdict.lack && answers[verdict.lack]?.(question, parts)
      },
    )

const claimMissing = (question: Question, parts: CheckParts): Answer => {
  const refusal = refusals.claimMissing(question.route, question.person!, isSignedIn(question))
  const href = askAddress(question, parts)
  return refusePerson(
    href === undefined ? refusal : { ...refusal, link: { href, name: 'ask' } },
    question,
    parts,
  )
}

/** Where a person asks for access, if the route says whom to ask. */
const askAddress = (question: Question, { home, askTokens }: CheckParts): string | undefined => {
  const { route, identified } = question
  const { principal } = identified!
  if (route.ask_group === null || !isSignedIn(question) || !principal || principal.overlay) return undefined
  return `${home.origin}/auth/ask?token=${askTokens.issue(principal.user_id, routeRef(route))}`
}

const emailNotAllowed = (question: Question, parts: CheckParts): Answer =>
  refusePerson(refusals.emailNotAllowed(question.person!, isSignedIn(question)), question, parts)

/** People prove more at home and come back. Where guests are welcome, they stay guests until then. */
const proofMissing = (question: Question, { home }: CheckParts): Answer => {
  const { request, plan, identified, verdict, running } = question
  if (running) return undefined
  const { place } = plan as RoutePlan
  if (admitsGuests(place) && isSafe(request)) {
    question.identified = { ...identified!, principal: undefined }
    question.verdict = guestEnters
    return undefined
  }
  return askForProof(request, plan as RoutePlan, identified!.principal!, verdict!.asks!, home)
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

/** Every check that a request must pass, in this order. */
export const checks: readonly Check[] = [
  { name: 'path', refuse: ambiguousPath },
  { name: 'route', refuse: enabledRoute },
  { name: 'signature', refuse: wrongSignature },
  { name: 'foreign_page', refuse: foreignPage },
  { name: 'scope', refuse: tokenScope },
  {
    name: 'sign_in',
    refuse: lacking({ sign_in: askToSignIn, name: () => tell(refusals.tokenNamesNobody) }),
  },
  { name: 'account', refuse: lacking({ account: askToSignIn }) },
  { name: 'claims', refuse: lacking({ claims: claimMissing }) },
  { name: 'email', refuse: lacking({ email: emailNotAllowed }) },
  { name: 'proof', refuse: lacking({ proof: proofMissing }) },
  { name: 'claims_size', refuse: sizeOfClaims },
  { name: 'nonce', refuse: usedNonce },
]
