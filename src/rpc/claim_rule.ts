import type { Caller } from '../caller.ts'
import { AppError } from '../errors.ts'
import type { Method } from '../method.ts'

const selfTemplate = /^users\.\{([a-z_]+)(\?)?\}$/

/** The one gate: throws unless the caller satisfies the method's rule. Sees the parameters before they are validated. */
export const authorise = (
  { claim: rule }: Method,
  params: Readonly<Record<string, unknown>>,
  caller: Caller,
): void => {
  if (rule === null || caller.kind === 'operator') return
  if (caller.kind === 'guest') throw new AppError('unauthenticated')
  if (rule === 'self' || rule.some((claim) => holds(claim, params, caller))) return
  const claims = rule.filter((claim) => !selfTemplate.test(claim))
  throw new AppError('claim_required', `This takes the claim ${claims.join(' or ')}`, { claims })
}

const holds = (claim: string, params: Readonly<Record<string, unknown>>, caller: Caller): boolean => {
  const template = selfTemplate.exec(claim)
  if (!template) return caller.claims.has(claim)
  const [, name = '', mayBeLeftOut] = template
  if (!Object.hasOwn(params, name)) return mayBeLeftOut !== undefined
  const value = params[name]
  return typeof value === 'string' && value.toLowerCase() === caller.name.toLowerCase()
}
