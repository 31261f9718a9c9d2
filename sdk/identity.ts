import { satisfiesRule } from './claim_rule.ts'
import { ClaimRequired, Unauthenticated } from './errors.ts'

/** The caller of a forwarded request, as a service behind hero_proxy reads it from three headers. */
export interface Identity {
  /** For a program that acts for itself: `client.` or `service.` and its name. No user can have such a name. */
  readonly username: string
  /** Present if a program acts for itself. */
  readonly program?: true
  /** The Hero context; 0 is internal trust. */
  readonly context: number
  readonly claims: readonly string[]
  readonly email: string | undefined
  /** The administrator who acts as this user, while impersonating. */
  readonly impersonator: string | undefined
  /** The id of the session, as `onRevoked` reports it. Only a signed identity (`verifyAssertion`) has it. */
  readonly session_id?: string | undefined
  /**
   * How strongly the person proved who they are: `0`, `1`, `http://schemas.openid.net/pape/policies/2007/06/multi-factor` or `phr`.
   * Only a signed identity has it, and not while impersonating.
   */
  readonly acr?: string | undefined
  /** When they gave that proof, in Unix seconds. */
  readonly auth_time?: number | undefined
  /** How they signed in (RFC 8176). */
  readonly amr?: readonly string[] | undefined
}

/** Node's `request.headers`, a fetch `Headers`, or anything with `get`. */
export type HeadersLike =
  | { get(name: string): string | null | undefined }
  | Readonly<Record<string, string | readonly string[] | undefined>>

const segment = /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$/
/** The name of a program that acts for itself. Names of users contain no dot. */
const program = /^(client|service)\.[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/
const claim = /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}(\.[a-zA-Z0-9][a-zA-Z0-9_-]{0,62})*$/

const read = (headers: HeadersLike, name: string): string | undefined => {
  if (typeof headers.get === 'function')
    return (headers as { get(name: string): string | null }).get(name) ?? undefined
  const value = (headers as Record<string, unknown>)[name]
  return typeof value === 'string' ? value : undefined
}

/**
 * The identity of a forwarded request, or undefined for a guest. Headers that are not exactly in the form that hero_proxy sends
 * count as those of a guest. Trust these headers only if nothing except hero_proxy can reach the service.
 */
export const identityFrom = (headers: HeadersLike): Identity | undefined => {
  const username = read(headers, 'x-hero-user')
  const context = read(headers, 'x-hero-context')
  const claims = read(headers, 'x-hero-claims')
  if (username === undefined || context === undefined || claims === undefined) return undefined
  const list = claims === '' ? [] : claims.split(',')
  const byProgram = program.test(username)
  if (
    !(byProgram || segment.test(username)) ||
    !/^[0-9]{1,10}$/.test(context) ||
    !list.every((text) => claim.test(text))
  )
    return undefined
  const email = read(headers, 'x-proxy-user-email')
  const impersonator = read(headers, 'x-hero-impersonator')
  if (email !== undefined && !/^[^\s,]{1,254}$/.test(email)) return undefined
  if (impersonator !== undefined && !segment.test(impersonator)) return undefined
  return {
    username,
    ...(byProgram && { program: true }),
    context: Number(context),
    claims: list,
    email,
    impersonator,
  }
}

/**
 * Makes the check of a rule: a claim, `prefix.*`, or a list, any one of which is sufficient. The check returns the identity in the
 * headers of a request. It throws {@link Unauthenticated} (status 401) for a guest, and {@link ClaimRequired} (status 403) if no
 * claim satisfies the rule.
 */
export const requireClaim = (rule: string | readonly string[]): ((headers: HeadersLike) => Identity) => {
  const claims = typeof rule === 'string' ? [rule] : [...rule]
  if (claims.length === 0) throw new TypeError('a rule must name at least one claim')
  return (headers) => {
    const identity = identityFrom(headers)
    if (!identity) throw new Unauthenticated('Not signed in', 'unauthenticated', -32001)
    if (!satisfiesRule(claims, identity.claims)) {
      throw new ClaimRequired(`This needs the claim ${claims.join(' or ')}`, 'claim_required', -32001, {
        claims,
      })
    }
    return identity
  }
}
