import { timingSafeEqual } from 'node:crypto'
import { bearerToken } from './identify.ts'
import type { Caller } from '../contract/caller.ts'
import type { Claims } from '../claims/claims.ts'
import type { AuthMethod, Proof } from '../contract/principal.ts'
import { digest } from '../secrets/digest.ts'
import type { Asserted } from '../keys/assertions.ts'
import type { RoutePlan } from '../routes/route_table.ts'
import { openedByProvider } from '../sessions/session.ts'
import { impersonated, type LiveSession, type Overlay } from '../sessions/live_session.ts'
import type { LiveSessions } from '../sessions/live_sessions.ts'
import { claimsWithin } from '../contract/token_scopes.ts'
import type { KnownNetworks } from '../users/cached_networks.ts'
import type { KnownPerson } from '../users/person.ts'
import { whenReady } from '../storage/when_ready.ts'
import { originOf, type Asked } from '../wire/request.ts'
import type { Credential } from '../routes/auth_modes.ts'
import { sessionCookieName, type CookiePolicy, type CookieState } from '../wire/cookie_policy.ts'
import { readCookie } from '../wire/cookies.ts'
import type { TokenHolders } from './token_audience.ts'
import { type Known, withoutSession } from './known.ts'

/** Who is asking, by the credentials that count on a route. */
export interface Visitor {
  readonly known: Known | undefined
  readonly method: AuthMethod
  /** Whether the browser sends the proof along by itself, also for pages of others. */
  readonly byCookie: boolean
  /** True when the Authorization header holds a living token of ours: no upstream may have it, whether it counts here or not. */
  readonly ownToken: boolean
  /** The name of our cookie, when it was sent and is worth nothing any more. */
  readonly staleCookie: string | undefined
}

/** The identity of a forwarded request. */
export interface Person extends Asserted {
  readonly email_verified: boolean
}

interface Parts {
  readonly sessions: LiveSessions
  readonly claims: Claims
  readonly cookies: CookiePolicy
  readonly networks: KnownNetworks
  /** The daemon's static token. */
  readonly bearerToken: string | undefined
  readonly holders: TokenHolders
}

/** A living session, or the name of a cookie without one. */
type Cookie = LiveSession | string | undefined

/** Both are SHA-256 in hex. */
const same = (one: string, other: string) =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))

/** Finds who is behind a request. Warm, everything here is answered from memory. */
export class Visitors {
  readonly #parts: Parts
  readonly #daemonToken: string
  /** The header text of a list of claims; lists are the same object until something changes. */
  readonly #texts = new WeakMap<readonly string[], string>()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#daemonToken = parts.bearerToken === undefined ? '' : digest(parts.bearerToken)
  }

  /** Signatures are another matter: they cover more than headers. Warm, it returns no promise. */
  identify(asked: Asked, plan: RoutePlan, credentials: readonly Credential[]): Visitor | Promise<Visitor> {
    const token = presented(asked)
    if (token === undefined) return this.#withoutToken(asked, plan, credentials, false)
    if (this.#isStatic(token, plan)) {
      if (!credentials.includes('static token')) return this.#withoutToken(asked, plan, credentials, true)
      return { ...nobody, method: 'bearer', ownToken: true }
    }
    const counts = credentials.includes('access token')
    return whenReady(this.#parts.holders.find(token, asked), (holder) =>
      holder?.known && counts
        ? { ...nobody, known: holder.known, method: 'bearer', ownToken: true }
        : this.#withoutToken(asked, plan, credentials, holder !== undefined && !holder.ofService),
    )
  }

  #withoutToken(
    asked: Asked,
    { route }: RoutePlan,
    credentials: readonly Credential[],
    ownToken: boolean,
  ): Visitor | Promise<Visitor> {
    const any = credentials.includes('session')
    if (!any && !credentials.includes('provider session'))
      return this.#withoutSession(asked, credentials, ownToken, undefined)
    return whenReady(this.#cookie(asked), (cookie) => {
      if (typeof cookie !== 'object') return this.#withoutSession(asked, credentials, ownToken, cookie)
      if (!any && !fromProvider(cookie, route.provider))
        return this.#withoutSession(asked, credentials, ownToken, undefined)
      const method = openedByProvider(cookie) ? 'oauth' : 'local'
      return { known: cookie, method, byCookie: true, ownToken, staleCookie: undefined }
    })
  }

  #withoutSession(
    asked: Asked,
    credentials: readonly Credential[],
    ownToken: boolean,
    staleCookie: string | undefined,
  ): Visitor | Promise<Visitor> {
    const guest: Visitor = { ...nobody, ownToken, staleCookie }
    if (!credentials.includes('network')) return guest
    return whenReady(this.#byNetwork(asked), (known) =>
      known ? { ...guest, known, method: 'network' } : guest,
    )
  }

  /** The living session of our cookie, or the name of a cookie that is worth nothing any more. */
  #cookie(asked: Asked): Cookie | Promise<Cookie> {
    return whenReady(this.#parts.cookies.at(asked), (state) => this.#session(asked, state))
  }

  #session({ cookies, host }: Asked, state: CookieState): Cookie | Promise<Cookie> {
    if (state === 'refused') return undefined
    const name = sessionCookieName(state)
    const token = readCookie(cookies, name)
    if (token === undefined) return undefined
    return whenReady(this.#parts.sessions.findCookie(token, host), (session) => session ?? name)
  }

  /**
   * Who is known by the client's address alone. A page of another site could borrow it, as no cookie rule guards it: what
   * such a page sends is a guest's.
   */
  #byNetwork(asked: Asked): Known | undefined | Promise<Known | undefined> {
    if (asked.origin !== undefined && asked.origin !== originOf(asked)) return undefined
    return whenReady(this.#parts.networks.find(asked.address), nearby)
  }

  /** The same, as callers of methods carry it. */
  async near(asked: Asked): Promise<Caller['near']> {
    const known = await this.#byNetwork(asked)
    return known && { user_id: known.user_id, name: known.username }
  }

  #isStatic(token: string, { bearerTokenHash }: RoutePlan): boolean {
    if (bearerTokenHash === '' && this.#daemonToken === '') return false
    const given = digest(token)
    return same(given, bearerTokenHash) || same(given, this.#daemonToken)
  }

  /**
   * Whom a service sees: the known person, or whom that administrator acts as. Undefined if the person has just gone.
   * Warm, it returns no promise.
   */
  person(known: Known, service: string | null): Person | undefined | Promise<Person | undefined> {
    const { program, scope } = known
    if (program) return seen(known, known.proof, claimsWithin(program.claims, scope), undefined)
    return whenReady(this.#held(known.user_id, service, known.context), (all) => {
      const held = all && claimsWithin(all, scope)
      if (!held) return undefined
      const acted = impersonated(known, held)
      if (!acted) return seen(known, known.proof, held, undefined)
      return whenReady(this.#held(acted.user_id, service, acted.context), (theirs) =>
        theirs ? seen(acted, known.proof, theirs, known.username) : seen(known, known.proof, held, undefined),
      )
    })
  }

  #held(userId: string, service: string | null, context: number) {
    return this.#parts.claims.of(userId, { service: service ?? '', context })
  }

  claimsText(claims: readonly string[]): string {
    let text = this.#texts.get(claims)
    if (text === undefined) this.#texts.set(claims, (text = claims.join(',')))
    return text
  }
}

const nobody: Visitor = {
  known: undefined,
  method: 'none',
  byCookie: false,
  ownToken: false,
  staleCookie: undefined,
}

const seen = (
  { username, context, email, email_verified_at }: Known | Overlay,
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

const presented = ({ authorizations }: Asked): string | undefined =>
  authorizations.length === 1 ? bearerToken(authorizations[0]!) : undefined

const fromProvider = (session: LiveSession, wanted: string | null): boolean =>
  openedByProvider(session) && (wanted === null || session.provider === wanted)

const nearby = (person: KnownPerson | undefined): Known | undefined =>
  person && withoutSession(person, { by: 'network', id: person.user_id })
