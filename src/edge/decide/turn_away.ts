import type { Principal } from '../../contract/principal.ts'
import { proofQuery, type ProofRule } from '../../contract/proofs.ts'
import { authModes, takesSessions } from '../../routes/auth_modes.ts'
import type { RoutePlan } from '../../routes/route_table.ts'
import type { Home } from '../../contract/home.ts'
import type { Refusal } from '../../wire/refusal.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import * as refusals from './refusals.ts'

/** A refusal that is the same for people and programs. */
export interface Tell {
  readonly act: 'tell'
  readonly refusal: Refusal
}

/** The request has no identity that could pass: people go to the sign-in, programs get the refusal. */
export interface SignIn {
  readonly act: 'sign in'
  /** Where people go, with the way back to their request. */
  readonly location: string
  /** For programs: 401. */
  readonly refusal: Refusal
  /** For people, if the way in does not exist yet: they get this refusal instead of a redirect. */
  readonly missing?: Refusal
}

export const tell = (refusal: Refusal): Tell => ({ act: 'tell', refusal })

/** Returns the answer to a request without any credential that counts on this route. */
export const turnAway = (
  request: Pick<EdgeRequest, 'host' | 'target'>,
  plan: Pick<RoutePlan, 'route' | 'siblings'>,
  providers: readonly string[],
  home: Home,
): SignIn | Tell => {
  const { auth_mode, provider } = plan.route
  const { credentials, without } = authModes[auth_mode]
  if (without === 'ask for a token') return tell(refusals.tokenNeeded)
  if (without === 'ask for a signature') return tell(refusals.notSigned('missing'))
  const address = signInAddress(request.host, plan, home)
  const location = `${address}?return_to=${encodeURIComponent(request.target)}`
  if (without === 'send to a provider') {
    const ready = provider === null ? providers.length > 0 : providers.includes(provider)
    if (ready)
      return {
        act: 'sign in',
        location: byProvider(request, provider, home) ?? location,
        refusal: refusals.providerNeeded(address),
      }
    const [missing, refusal] = [true, false].map((people) =>
      refusals.providerMissing(provider, people, address),
    )
    return { act: 'sign in', location, refusal: refusal!, missing: missing! }
  }
  // If no session counts here, signing in changes nothing, and a redirect would send people in circles.
  if (!credentials.includes('session')) return tell(refusals.nobodyKnown)
  return { act: 'sign in', location, refusal: refusals.signInNeeded(address) }
}

/** Returns the answer to a person who must prove more, or again, who they are. The claims are not the reason, so nothing says them. */
export const askForProof = (
  { host, target }: Pick<EdgeRequest, 'host' | 'target'>,
  plan: RoutePlan,
  { proof: { by } }: Principal,
  rule: ProofRule,
  home: Home,
): SignIn | Tell => {
  // Where no cookie counts, signing in changes nothing.
  if (by === 'token' || by === 'key' || !takesSessions(plan.route.auth_mode))
    return tell(refusals.proofOfToken(rule))
  const address = signInAddress(host, plan, home)
  const here = `return_to=${encodeURIComponent(target)}`
  const location = home.is(host)
    ? `${home.origin}/auth/prove?${here}&${proofQuery(rule)}`
    : `${address}?${here}`
  return { act: 'sign in', location, refusal: refusals.proofNeeded(address, rule) }
}

/** Where people sign in who stand at the host of a route: at home, or by the way that leads there and back. */
export const signInAddress = (host: string, { siblings }: Pick<RoutePlan, 'siblings'>, home: Home): string =>
  home.is(host) ? `${home.origin}/auth/login` : `${siblings.originOf(host, home)}/.hero_proxy/sign_in`

/** The page of home where a person may sign in as somebody else, for the page that they asked for. */
export const switchAddress = (
  { host, target }: Pick<EdgeRequest, 'host' | 'target'>,
  { siblings }: Pick<RoutePlan, 'siblings'>,
  home: Home,
): string =>
  home.is(host)
    ? `${home.origin}/auth/switch?return_to=${encodeURIComponent(target)}`
    : `${home.origin}/auth/switch?service=${encodeURIComponent(siblings.originOf(host, home) + target)}`

/** A service that shares home: nothing hands people over, so they go to the provider from here. */
const byProvider = (
  { host, target }: Pick<EdgeRequest, 'host' | 'target'>,
  provider: string | null,
  home: Home,
): string | undefined => {
  if (!home.is(host)) return undefined
  const named = provider === null ? '' : `provider=${encodeURIComponent(provider)}&`
  return `${home.origin}/login?${named}next=${encodeURIComponent(target)}`
}
