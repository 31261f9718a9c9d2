import type { Granter, RuleCheck } from '../../claims/result_schemas.ts'
import type { AuthMethod, Principal } from '../../contract/principal.ts'
import type { Route } from '../../routes/route.ts'
import type { RoutePlan } from '../../routes/route_table.ts'
import { hasEnded, maySignIn } from '../../storage/schema.ts'
import type { User } from '../../users/user.ts'
import * as english from '../../strings/en/refusals.ts'
import { wordsOf, type Refusal } from '../../wire/refusal.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import { authModes } from '../../routes/auth_modes.ts'
import type { CookieState } from '../../wire/cookie_policy.ts'
import type { Decision } from '../decide/decision.ts'

// Explains decisions to the person who set up the routes.

const inEnglish = (refusal: Refusal): string => wordsOf(english, refusal).text

export const noHost = ({ host }: EdgeRequest): string => `no route for the host ${host}`

export const ownPath = ({ path }: EdgeRequest): string =>
  `${path} belongs to hero_proxy itself here; routes do not get it`

export const forwardAuth = ({ path }: EdgeRequest): string =>
  `services could read ${path} as the path of forward auth; it is never forwarded`

export const noPlan = ({ host, path }: EdgeRequest, plan: RoutePlan | 'ambiguous' | undefined): string => {
  if (plan === 'ambiguous')
    return `services could read ${path} as belonging to different routes of ${host}, or in too many ways to look at`
  return plan === undefined
    ? `no route of the host ${host} covers ${path}`
    : 'the route is disabled; it keeps its paths, so that no weaker rule gets them'
}

/** The request has no identity: it is a guest's, or its proof does not count here. */
export const guest = (
  { auth_mode, required_claims }: Route,
  decision: Decision,
  user: User | undefined,
  cookies: CookieState,
): string => {
  const { credentials } = authModes[auth_mode]
  const sessionsCount = credentials.includes('session') || credentials.includes('provider session')
  const nobody = absence(user, cookies, sessionsCount)
  if (decision.act === 'forward') {
    if (decision.identity)
      return `auth_mode ${auth_mode}: ${decision.identity.username} is known by the address`
    return auth_mode === 'none'
      ? 'auth_mode none: everybody is a guest'
      : `auth_mode ${auth_mode}: guests pass, and ${nobody}`
  }
  if (decision.act === 'tell') return `auth_mode ${auth_mode}: ${inEnglish(decision.refusal)}`
  const asks = required_claims.length > 0 ? ` asking for ${required_claims.join(' or ')}` : ''
  return `auth_mode ${auth_mode}${asks}: ${nobody}`
}

const absence = (user: User | undefined, cookies: CookieState, sessionsCount: boolean): string => {
  if (!user) return 'nobody is signed in'
  if (!user.is_active) return `${user.username} is not active, which is nobody`
  if (user.awaits_approval) return `the registration of ${user.username} is not approved, which is nobody`
  if (hasEnded(user)) return `the account of ${user.username} has ended, which is nobody`
  if (!maySignIn(user)) return `${user.username} has not confirmed their email address, which is nobody`
  if (sessionsCount && cookies === 'refused')
    return `${user.username} has no session over plain HTTP, unless insecure_cookies is set`
  return `nothing that ${user.username} has counts here`
}

/** The person is known, and the route requires no claims. */
export const known = ({ auth_mode }: Route, decision: Decision, { username, method }: Principal): string => {
  const text = `auth_mode ${auth_mode}: ${username} ${shown[method] ?? 'is signed in'}`
  return decision.act === 'tell' ? `${text}, but: ${inEnglish(decision.refusal)}` : text
}

const shown: Partial<Record<AuthMethod, string>> = {
  bearer: 'shows a token',
  oauth: 'is signed in by a provider',
  signature: 'signs the request',
}

/** The person is known, and the route requires claims. */
export const claims = (decision: Decision, { username }: User, { because, missing }: RuleCheck): string => {
  if (decision.act !== 'forward' && decision.check === 'claims')
    return `${username} lacks ${missing.map(lack).join(', or ')}`
  const held = `${username} holds ${because.map(({ claim }) => claim).join(', ')}`
  return decision.act === 'tell' ? `${held}, but: ${inEnglish(decision.refusal)}` : held
}

const lack = ({ claim, granted_by }: RuleCheck['missing'][number]): string => {
  if (granted_by.length === 0) return `${claim}; granted by no group`
  return `${claim}; granted by ${granted_by.map(granter).join(', ')}`
}

const granter = ({ group, role, service, context }: Granter): string => {
  const by = [
    ...(role === null ? [] : [`by role ${role}`]),
    ...(service === null ? [] : [`for service ${service}`]),
    ...(context === null ? [] : [`in context ${context}`]),
  ]
  return by.length === 0 ? `group ${group}` : `group ${group} (${by.join(', ')})`
}
