import { Type } from './schema_builder.ts'
import { Nullable } from './schemas.ts'

/** How strongly a person has proved who they are, from the weakest to the strongest. */
export const proofLevels = ['any', 'second', 'passkey'] as const
export type ProofLevel = (typeof proofLevels)[number]

/**
 * When a person last proved who they are, in Unix seconds; 0 for never. `second_at`: with a second factor on top of a first.
 * `passkey_at`: with a passkey that verified its user, which counts for all three.
 */
export interface ProofTimes {
  readonly proven_at: number
  readonly second_at: number
  readonly passkey_at: number
}

export const nothingProved: ProofTimes = { proven_at: 0, second_at: 0, passkey_at: 0 }

/** What a place asks for. `proof_age`: how many seconds ago the person may have given a proof of that strength; null sets no limit. */
export interface ProofRule {
  readonly proof: ProofLevel
  readonly proof_age: number | null
}

export const anyProof: ProofRule = { proof: 'any', proof_age: null }

/** Seconds by which the clock of another node may be ahead of ours. */
const clockSkewSeconds = 60

export const asksForProof = ({ proof, proof_age }: ProofRule): boolean =>
  proof !== 'any' || proof_age !== null

/** When a proof of this strength was given; 0 for never, and for a time in the future. */
export const provedAt = (times: ProofTimes, level: ProofLevel, at: number): number => {
  const time = timeOf(times, level)
  return time > at + clockSkewSeconds ? 0 : time
}

/** When a proof of this strength was given, in Unix seconds; 0 for never. */
export const timeOf = ({ proven_at, second_at, passkey_at }: ProofTimes, level: ProofLevel): number =>
  level === 'any' ? proven_at : level === 'second' ? second_at : passkey_at

/** Until when these proofs satisfy a rule, in Unix seconds; 0 if they do not. */
export const satisfiedUntil = (rule: ProofRule, times: ProofTimes, at: number): number => {
  if (!asksForProof(rule)) return Infinity
  const time = provedAt(times, rule.proof, at)
  if (time === 0) return 0
  const until = rule.proof_age === null ? Infinity : time + rule.proof_age
  return until > at ? until : 0
}

export const strongerOf = (a: ProofLevel, b: ProofLevel): ProofLevel =>
  proofLevels.indexOf(a) >= proofLevels.indexOf(b) ? a : b

/** One rule that asks for all that two ask for. */
export const bothRules = (a: ProofRule, b: ProofRule): ProofRule => ({
  proof: strongerOf(a.proof, b.proof),
  proof_age:
    a.proof_age === null
      ? b.proof_age
      : b.proof_age === null
        ? a.proof_age
        : Math.min(a.proof_age, b.proof_age),
})

export const ProofOption = Type.Enum(proofLevels, {
  description:
    'How strongly people must have proved who they are. any: in any way; second: with a second factor or a passkey; passkey: with a passkey that verifies its user',
})

export const ProofAge = Nullable(
  Type.Integer({
    minimum: 60,
    maximum: 2_592_000,
    description:
      'How many seconds ago people may have given that proof: 60 to 2592000 (30 days); null sets no limit',
  }),
)

/** What the settings ask of a session before it holds the claims of administrators. */
export interface AdministratorProof {
  /** Whether it must have used a second factor. */
  readonly factor: boolean
  /** How many seconds ago its person may have proved who they are. */
  readonly age: number
}

/** The names of the levels in `acr` (OpenID Connect Core section 2): `phr` is of OpenID EAP ACR Values 1.0. */
export const acrOf: Readonly<Record<ProofLevel, string>> = {
  any: '1',
  second: 'http://schemas.openid.net/pape/policies/2007/06/multi-factor',
  passkey: 'phr',
}

/** A rule as parameters of an address, for the page that asks for the proof. */
export const proofQuery = ({ proof, proof_age }: ProofRule): string =>
  `proof=${proof}${proof_age === null ? '' : `&proof_age=${proof_age}`}`

/** Reads such parameters. What is not written as `proofQuery` writes it asks for nothing. */
export const readProofQuery = (query: URLSearchParams): ProofRule => {
  const proof = proofLevels.find((level) => level === query.get('proof')) ?? 'any'
  const age = query.get('proof_age') ?? ''
  return {
    proof,
    proof_age: /^[1-9][0-9]{1,6}$/.test(age) ? Math.max(60, Math.min(Number(age), maxProofAge)) : null,
  }
}

const maxProofAge = 2_592_000

/** The names of each level, the weakest first: ours, and those in `acr`. A proof of unknown time counts as the weakest. */
export const acrLevels: readonly (readonly string[])[] = proofLevels.map((level) =>
  level === 'any' ? [level, acrOf[level], '0'] : [level, acrOf[level]],
)

/** A level and when it was reached, as one pair: of the level that was asked for if these proofs reach it, and otherwise of the newest. */
export const reachedBy = (
  times: ProofTimes,
  asked: ProofLevel | undefined,
  at: number,
): { readonly acr: string; readonly auth_time: number } => {
  const newest = proofLevels.findLast((level) => timeOf(times, level) >= times.proven_at)!
  const level = asked !== undefined && provedAt(times, asked, at) > 0 ? asked : newest
  const auth_time = provedAt(times, level, at)
  return { acr: auth_time === 0 ? '0' : acrOf[level], auth_time }
}

/** The proofs that a token records, as a pair of its level and its time. */
export const proofsOf = (acr: string, auth_time: number): ProofTimes => {
  const level = acrLevels.findIndex((names) => names.includes(acr))
  return {
    proven_at: level >= 0 && acr !== '0' ? auth_time : 0,
    second_at: level >= 1 ? auth_time : 0,
    passkey_at: level >= 2 ? auth_time : 0,
  }
}
