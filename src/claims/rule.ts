import { matchesClaim } from '../../sdk/claim_rule.ts'
import { claimGrammar, reservedClaims, segmentPattern } from '../contract/schemas.ts'

export { matchesClaim, satisfiesRule } from '../../sdk/claim_rule.ts'

const grammar = new RegExp(claimGrammar.pattern, 'u')
const reserved = new RegExp(reservedClaims, 'u')

const segment = new RegExp(segmentPattern, 'u')

/** Whether a name is valid as one segment of a claim. */
export const isSegment = (name: string): boolean => segment.test(name)

/** Whether a claim may be granted by hand: it follows the grammar, and is not one that only we issue. */
export const isGrantable = (claim: string): boolean =>
  claim.length <= claimGrammar.maxLength && grammar.test(claim) && !reserved.test(claim)

/** The patterns of a rule that these claims do not satisfy. */
export const missing = (rule: readonly string[], claims: readonly string[]): string[] =>
  rule.filter((pattern) => !matchesClaim(pattern, claims))
