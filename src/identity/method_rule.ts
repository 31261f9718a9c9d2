import type { Caller } from '../contract/caller.ts'
import { AppError } from '../contract/errors.ts'
import { proofRequired, refuseStale } from '../contract/fresh_proof.ts'
import type { Method } from '../contract/method.ts'
import { now } from '../storage/ids.ts'
import { coversScope, type TokenScope } from '../contract/token_scopes.ts'

/**
 * `users.{param}`: the parameter names the caller. `groups.{param}.admin`: the caller administers the group that the parameter names.
 * `groups.{request}.admin`: they administer some group; the method asks again, for the group of the request.
 */
const template = /^(users|groups)\.\{([a-z_]+)(\?)?\}(?:\.admin)?$/

/** The only gate: throws unless the caller satisfies the method's rule, including a fresh proof if it needs one. `params` are not validated yet. */
export const authorise = (
  method: Method,
  params: Readonly<Record<string, unknown>>,
  caller: Caller,
): void => {
  if (caller.atService) refuseAtService(method)
  refuseWithoutClaim(method, params, caller)
  const { fresh } = method
  const asksForProof = typeof fresh === 'function' ? fresh(params) : fresh !== undefined
  if (caller.token) refuseBeyondScope(method, params, caller, caller.token.scope, asksForProof)
  if (asksForProof) refuseStale(caller, now())
}

/** At the host of a service, a caller learns who they are and nothing else. No method of ours belongs to a service. */
const refuseAtService = ({ name }: Method): void => {
  if (name !== 'auth.me')
    throw new AppError('claim_required', 'This method is served at the public URL only', { claims: [] })
}

/**
 * A token has fewer rights than its owner: with `read` it changes nothing, and it never gives its owner another way to sign in. With
 * `admin` it may do to others what the owner's own claim allows.
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
    throw new AppError('claim_required', `This needs a token with the scope ${wanted}`, { scope: wanted })
  if (!asksForProof) return
  const byClaim = Array.isArray(rule) && rule.some((claim: string) => caller.claims.has(claim))
  // An administrator's claim does not help for their own account: a thief of the token could keep access for good.
  if (!byClaim || isAboutItself(rule, params, caller))
    throw new AppError('proof_required', 'This needs a sign-in: a token gives its person no other way in')
}

/** Throws unless the caller satisfies a rule with these parameters. A method whose rule depends on what it reads asks again. */
export const refuseWithoutClaim = (
  { claim: rule, near }: Pick<Method, 'claim' | 'near'>,
  params: Readonly<Record<string, unknown>>,
  caller: Caller,
): void => {
  if (rule === null || caller.kind === 'operator') return
  if (caller.kind === 'guest' && near && caller.networkUser) return
  if (caller.kind === 'guest') throw new AppError('unauthenticated')
  if (rule === 'self' || rule.some((claim) => holds(claim, params, caller))) return
  const { lacks } = caller
  if (lacks && rule.some((claim) => holds(claim, params, { ...caller, claims: lacks.claims })))
    throw proofRequired(lacks.rule)
  const claims = rule.filter((claim) => !template.test(claim))
  throw new AppError('claim_required', `This needs the claim ${claims.join(' or ')}`, { claims })
}

/** Whether a call is about the caller: it names them, or it names nobody and that means the caller. */
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
  // A service may have the name of a person, but is not that person.
  if (caller.kind !== 'user') return false
  if (!Object.hasOwn(params, name)) return mayBeLeftOut !== undefined
  const value = params[name]
  if (name === 'request') return [...caller.claims].some((held) => /^groups\.[^.]+\.admin$/i.test(held))
  if (typeof value !== 'string') return false
  if (noun === 'users') return value.toLowerCase() === caller.name.toLowerCase()
  const wanted = `groups.${value}.admin`.toLowerCase()
  return [...caller.claims].some((held) => held.toLowerCase() === wanted)
}
