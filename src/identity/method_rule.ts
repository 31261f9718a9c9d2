import type { Caller } from '../contract/caller.ts'
import { AppError } from '../contract/errors.ts'
import type { Method } from '../contract/method.ts'
import { now } from '../storage/ids.ts'
import { coversScope, type TokenScope } from '../contract/token_scopes.ts'

/** Seconds for which a proof is fresh. */
const freshFor = 900

/** `users.{param}`: the person named is the caller. `groups.{param}.admin`: the caller administers the group named. */
const template = /^(users|groups)\.\{([a-z_]+)(\?)?\}(?:\.admin)?$/

/** The one gate: throws unless the caller satisfies the method's rule, by a fresh proof where it asks for one. Sees the parameters before they are validated. */
export const authorise = (
  method: Method,
  params: Readonly<Record<string, unknown>>,
  caller: Caller,
): void => {
  refuseWithoutClaim(method, params, caller)
  const { fresh } = method
  const asksForProof = typeof fresh === 'function' ? fresh(params) : fresh !== undefined
  if (caller.token) refuseBeyondScope(method, params, caller, caller.token.scope, asksForProof)
  if (!asksForProof || caller.session_id === undefined) return
  if (caller.atService && fresh !== 'anywhere')
    throw new AppError(
      'proof_required',
      'This is done at the public URL only: pages of other services share this host',
    )
  if ((caller.proven_at ?? 0) + freshFor <= now())
    throw new AppError('proof_required', 'Prove once more that it is you: auth.prove')
}

/**
 * A token is no person: with `read` it changes nothing, and it never gives its own person another way in. What an administrator may
 * do to others it may with `admin`, which takes the claim itself.
 */
const refuseBeyondScope = (
  { claim: rule, effect }: Method,
  params: Readonly<Record<string, unknown>>,
  caller: Caller,
  scope: TokenScope,
  asksForProof: boolean,
): void => {
  const wanted = asksForProof ? 'admin' : effect
  if (!coversScope(scope, wanted))
    throw new AppError('claim_required', `This takes a token with the scope ${wanted}`, { scope: wanted })
  if (!asksForProof) return
  const byClaim = Array.isArray(rule) && rule.some((claim: string) => caller.claims.has(claim))
  // The claim of an administrator gives way to nobody's own account: whoever finds the token would be in for good.
  if (!byClaim || isAboutItself(rule, params, caller))
    throw new AppError('proof_required', 'This takes a sign-in: a token gives its person no other way in')
}

const refuseWithoutClaim = (
  { claim: rule, near }: Method,
  params: Readonly<Record<string, unknown>>,
  caller: Caller,
): void => {
  if (rule === null || caller.kind === 'operator') return
  if (caller.kind === 'guest' && near && caller.networkUser) return
  if (caller.kind === 'guest') throw new AppError('unauthenticated')
  if (rule === 'self' || rule.some((claim) => holds(claim, params, caller))) return
  const claims = rule.filter((claim) => !template.test(claim))
  throw new AppError('claim_required', `This takes the claim ${claims.join(' or ')}`, { claims })
}

/** Whether the person whom a call names is the caller, or nobody is named where that means the caller. */
const isAboutItself = (
  rule: Method['claim'],
  params: Readonly<Record<string, unknown>>,
  { kind, name }: Caller,
): boolean => {
  if (kind !== 'user') return false
  const named = ['user', 'username'].map((key) => params[key]).filter((value) => value !== undefined)
  if (named.some((value) => typeof value === 'string' && value.toLowerCase() === name.toLowerCase()))
    return true
  return named.length === 0 && Array.isArray(rule) && rule.some((claim: string) => claim.endsWith('?}'))
}

const holds = (claim: string, params: Readonly<Record<string, unknown>>, caller: Caller): boolean => {
  const [, noun, name = '', mayBeLeftOut] = template.exec(claim) ?? []
  if (noun === undefined) return caller.claims.has(claim)
  // A service may be called like a person; it is nobody's self.
  if (caller.kind !== 'user') return false
  if (!Object.hasOwn(params, name)) return mayBeLeftOut !== undefined
  const value = params[name]
  if (typeof value !== 'string') return false
  if (noun === 'users') return value.toLowerCase() === caller.name.toLowerCase()
  const wanted = `groups.${value}.admin`.toLowerCase()
  return [...caller.claims].some((held) => held.toLowerCase() === wanted)
}
