import { satisfiesRule } from '../claims/rule.ts'
import type { Assertions } from '../keys/assertions.ts'
import type { RoutePlan } from '../routes/table.ts'
import { notHere, type Told } from './answers.ts'
import { originOf, type Asked } from './asked.ts'
import { authModes } from './auth_modes.ts'
import type { AuthMethod, Identity } from './headers.ts'
import { ambiguousPath, claimMissing, claimsTooLarge, foreignPage } from './refusals.ts'
import type { Visitor, Visitors } from './visitor.ts'

/** A claims header beyond this is refused, never shortened: a list with a part missing is another identity. */
const maxClaimsText = 8192

/** What happens to a request that a route covers. */
export type Decision =
  | Pass
  | { readonly act: 'tell'; readonly told: Told }
  /** Nobody is known who could pass: people are shown the way in, programs are told 401. */
  | { readonly act: 'sign in' }

/** The request goes on, as this person or as a guest. */
export interface Pass {
  readonly act: 'forward'
  readonly identity: Identity | undefined
  readonly method: AuthMethod
  /** True where the Authorization header is ours and ends here. */
  readonly authorizationUsed: boolean
  /** The name of our cookie, when it was sent and is worth nothing any more. */
  readonly staleCookie: string | undefined
  /** Who passed and by which proof: while a connection is open, the same answer must come out again. */
  readonly who: string
}

interface Parts {
  readonly visitors: Visitors
  readonly assertions: Assertions
  /** Writes down that somebody's claims did not fit. */
  readonly reportOversize: (username: string, domain: string) => void
}

/**
 * May this request pass, and as whom? One way for plain requests, upgrades, forward auth and trials: whoever asks
 * about the same request gets the same answer. Warm, everything comes from memory.
 */
export class Decisions {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async decide(asked: Asked, plan: RoutePlan | 'ambiguous' | undefined): Promise<Decision> {
    if (plan === 'ambiguous') return tell(ambiguousPath)
    if (plan === undefined || !plan.route.enabled) return tell(notHere)
    const { route } = plan
    const { visitors, assertions } = this.#parts
    const mode = authModes[route.auth_mode]
    const visitor = await visitors.identify(asked, mode.credentials)
    if (!visitor.session) {
      const guestsPass = mode.without === 'forward as guest' && route.required_claims.length === 0
      return guestsPass ? pass(visitor, undefined) : { act: 'sign in' }
    }
    if (crossesOrigin(asked, visitor)) return tell(foreignPage)
    const person = await visitors.person(visitor.session, route.service)
    if (!person) return { act: 'sign in' }
    if (!satisfiesRule(route.required_claims, person.claims)) return tell(claimMissing(route, person))
    const claims = visitors.claimsText(person.claims)
    if (claims.length > maxClaimsText) {
      this.#parts.reportOversize(person.username, route.domain)
      return tell(claimsTooLarge)
    }
    const assertion = route.audience === null ? undefined : assertions.assert(person, route.audience)
    return pass(visitor, {
      ...person,
      claims,
      assertion: assertion instanceof Promise ? await assertion : assertion,
    })
  }
}

const tell = (told: Told): Decision => ({ act: 'tell', told })

const pass = ({ session, proof, ownToken, staleCookie }: Visitor, identity: Identity | undefined): Pass => ({
  act: 'forward',
  identity,
  method: identity ? (proof === 'token' ? 'bearer' : 'local') : 'none',
  authorizationUsed: ownToken,
  staleCookie,
  who: session ? `${session.id} ${identity?.username}` : '',
})

/** A WebSocket is open to every page of the world and sends our cookie along: its Origin must be this one (RFC 6455 section 10.2). */
const crossesOrigin = (asked: Asked, { proof }: Visitor): boolean =>
  asked.upgrade !== undefined &&
  proof === 'cookie' &&
  asked.origin !== undefined &&
  asked.origin !== originOf(asked)
