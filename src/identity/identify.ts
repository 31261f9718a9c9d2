import { timingSafeEqual } from 'node:crypto'
import type { Principal, Proof } from '../contract/principal.ts'
import { authModes, type Credential } from '../routes/auth_modes.ts'
import type { RoutePlan } from '../routes/route_table.ts'
import { digest } from '../secrets/digest.ts'
import type { LiveSession } from '../sessions/live_session.ts'
import type { LiveSessions } from '../sessions/live_sessions.ts'
import { whenReady } from '../storage/when_ready.ts'
import type { CachedNetworks } from '../users/cached_networks.ts'
import type { RecognisedUser } from '../users/person.ts'
import { sessionCookieName, type CookiePolicy, type CookieState } from '../wire/cookie_policy.ts'
import { readCookie } from '../wire/cookies.ts'
import type { Refusal } from '../wire/refusal.ts'
import { originOf, type EdgeRequest } from '../wire/request.ts'
import type { BearerTokens } from './bearer_tokens.ts'
import type { SignatureProblem, Signatures, Signed, Signing } from './signed_request.ts'
import { leadsTo } from './token_audience.ts'

/** `Authorization: Bearer <token>` (RFC 6750 section 2.1: one space or more), or undefined for anything else. */
export const bearerToken = (authorization: string): string | undefined =>
  /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1]

/** Who sent a request to a route, by the credentials that count there. */
export interface Identified {
  readonly principal: Principal | undefined
  /** True if the request carries the static token of the route or of the daemon, and it counts here. The program may pass, but has no identity. */
  readonly staticToken: boolean
  /** True if the Authorization header holds a valid token of ours. No upstream may receive it, whether it counts here or not. */
  readonly ownToken: boolean
  /** The name of our cookie if the request carries it and it is no longer valid. */
  readonly staleCookie: string | undefined
  readonly signed: Signed | undefined
  /** What is wrong with the signature or the signed body, on a route where only signed requests count. */
  readonly notSigned: SignatureProblem | Refusal | undefined
}

export const nobody: Identified = {
  principal: undefined,
  staticToken: false,
  ownToken: false,
  staleCookie: undefined,
  signed: undefined,
  notSigned: undefined,
}

/** What is known so far about one request. A class, because copying an object at each step costs more. */
class Finding implements Identified {
  principal: Principal | undefined = undefined
  staticToken = false
  ownToken = false
  staleCookie: string | undefined = undefined
  signed: Signed | undefined = undefined
  notSigned: SignatureProblem | Refusal | undefined = undefined
  readonly request: EdgeRequest
  readonly plan: RoutePlan
  readonly credentials: readonly Credential[]
  readonly signing: Signing
  /** The token in the Authorization header. */
  readonly token: string | undefined

  constructor(request: EdgeRequest, plan: RoutePlan, signing: Signing) {
    const { authorizations } = request
    this.request = request
    this.plan = plan
    this.credentials = authModes[plan.route.auth_mode].credentials
    this.signing = signing
    this.token = authorizations.length === 1 ? bearerToken(authorizations[0]!) : undefined
  }
}

type Maybe<T> = T | undefined | Promise<T | undefined>

/** Looks for one kind of proof. Returns true if it settles who sent the request; otherwise the next way is tried. */
type Way = (by: Identification, finding: Finding) => boolean | Promise<boolean>

const staticToken: Way = (by, finding) => {
  const { token, plan, credentials } = finding
  finding.ownToken = token !== undefined && by.isStaticToken(token, plan)
  finding.staticToken = finding.ownToken && credentials.includes('static token')
  return finding.staticToken
}

const accessToken: Way = (by, finding) => {
  const { token, request, credentials } = finding
  if (token === undefined || finding.ownToken) return false
  return whenReady(by.byToken(token), (principal) => {
    if (!principal) return false
    const forService = principal.token !== undefined && principal.token.aud !== by.issuer
    const counts = credentials.includes('access token')
    const isFor = !forService || leadsTo(principal.token!.aud, request)
    // The service that a token is for can verify it by itself, so it may receive the token if tokens do not count on this route.
    finding.ownToken = counts || !forService || !isFor
    if (!counts || !isFor) return false
    finding.principal = principal
    return true
  })
}

const cookie: Way = (by, finding) => {
  const { request, plan, credentials } = finding
  const any = credentials.includes('session')
  if (!any && !credentials.includes('provider session')) return false
  return whenReady(by.byCookie(request), (session) => {
    if (typeof session !== 'object') {
      finding.staleCookie = session
      return false
    }
    if (any) finding.principal = session
    else if (vouchedFor(session, plan.route.provider)) finding.principal = asVouched(session)
    else return false
    return true
  })
}

const signature: Way = (by, finding) => {
  const { request, credentials, signing } = finding
  if (!credentials.includes('signature')) return false
  return by.bySignature(request, signing).then((signed) => {
    if (typeof signed === 'string' || 'status' in signed) finding.notSigned = signed
    else {
      finding.signed = signed
      finding.principal = withoutSession(signed.key.owner, 'signature', { by: 'key', id: signed.key.pubkey })
    }
    return true
  })
}

const network: Way = (by, finding) => {
  const { request, credentials } = finding
  if (!credentials.includes('network')) return false
  return whenReady(by.byNetwork(request), (principal) => {
    finding.principal = principal
    return principal !== undefined
  })
}

/** The ways to identify the sender of a request, in order of precedence. Over rpc.sock, the kernel identifies callers as well. */
const ways: readonly Way[] = [staticToken, accessToken, cookie, signature, network]

interface Parts {
  readonly sessions: LiveSessions
  readonly tokens: BearerTokens
  readonly cookies: CookiePolicy
  readonly networks: CachedNetworks
  readonly signatures: Signatures
  /** The public URL: the audience of our tokens unless they name a service. */
  readonly issuer: string
  /** The daemon's static token. */
  readonly bearerToken: string | undefined
}

/** Compares two SHA-256 digests in hex. */
const equalDigests = (first: string, second: string) =>
  first.length === second.length && timingSafeEqual(Buffer.from(first), Buffer.from(second))

/** Finds who sent a request. Warm, everything but a signature is answered from memory and without a promise. */
export class Identification {
  readonly #parts: Parts
  readonly #daemonToken: string
  readonly #home: string

  constructor(parts: Parts) {
    this.#parts = parts
    this.#home = new URL(parts.issuer).hostname
    this.#daemonToken = parts.bearerToken === undefined ? '' : digest(parts.bearerToken)
  }

  get issuer(): string {
    return this.#parts.issuer
  }

  /** Finds who sent this request, by the credentials that count on its route. */
  identify(request: EdgeRequest, plan: RoutePlan, signing: Signing): Identified | Promise<Identified> {
    return this.#try(0, new Finding(request, plan, signing))
  }

  #try(first: number, finding: Finding): Identified | Promise<Identified> {
    for (let i = first; i < ways.length; i++) {
      const settled = ways[i]!(this, finding)
      if (settled instanceof Promise)
        return settled.then((known) => (known ? finding : this.#try(i + 1, finding)))
      if (settled) return finding
    }
    return finding
  }

  isStaticToken(token: string, { bearerTokenHash }: RoutePlan): boolean {
    if (bearerTokenHash === '' && this.#daemonToken === '') return false
    const given = digest(token)
    return equalDigests(given, bearerTokenHash) || equalDigests(given, this.#daemonToken)
  }

  byToken(token: string, audience?: string): Maybe<Principal> {
    return this.#parts.tokens.find(token, audience)
  }

  /**
   * Returns the valid session of our cookie, or the name of our cookie if it is no longer valid. At home it is a sign-in, at every
   * other host a child of one.
   */
  byCookie(request: EdgeRequest): Maybe<LiveSession | string> {
    return whenReady(this.#parts.cookies.at(request), (state): Maybe<LiveSession | string> => {
      const token = shownCookie(request, state)
      if (token === undefined) return undefined
      const { sessions } = this.#parts
      const found =
        request.host === this.#home ? sessions.findSignIn(token, request) : sessions.findChild(token, request)
      return whenReady(found, (session) => session ?? sessionCookieName(state))
    })
  }

  /** Whether a request carries our cookie, valid or not. */
  async showsCookie(request: EdgeRequest): Promise<boolean> {
    return shownCookie(request, await this.#parts.cookies.at(request)) !== undefined
  }

  bySignature(request: EdgeRequest, signing: Signing): Promise<Signed | SignatureProblem | Refusal> {
    return this.#parts.signatures.verify(request, signing)
  }

  /**
   * Finds the person whose network the client's address belongs to. No cookie rule protects an address from pages of other
   * sites, so a request from such a page counts as a guest's.
   */
  byNetwork(request: EdgeRequest): Maybe<Principal> {
    if (!request.addressKnown) return undefined
    if (request.origin !== undefined && request.origin !== originOf(request)) return undefined
    return whenReady(
      this.#parts.networks.find(request.address),
      (person) => person && withoutSession(person, 'network', { by: 'network', id: person.user_id }),
    )
  }
}

/** On such a route, the provider's word is what counts, whichever proof opened the sign-in. */
const asVouched = (session: LiveSession): LiveSession =>
  session.method === 'oauth' ? session : { ...session, method: 'oauth' }

const shownCookie = ({ cookies }: EdgeRequest, state: CookieState): string | undefined =>
  state === 'refused' ? undefined : readCookie(cookies, sessionCookieName(state))

const withoutSession = (person: RecognisedUser, method: Principal['method'], proof: Proof): Principal => ({
  ...person,
  proof,
  method,
})

/** Whether the provider that a route names has vouched for a sign-in, or any if it names none. */
export const vouchedFor = ({ vouched }: LiveSession, wanted: string | null): boolean =>
  wanted === null ? vouched.length > 0 : vouched.includes(wanted)
