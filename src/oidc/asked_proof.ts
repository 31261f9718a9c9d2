import {
  acrLevels,
  proofLevels,
  reachedBy,
  satisfiedUntil,
  strongerOf,
  timeOf,
  type ProofLevel,
  type ProofRule,
  type ProofTimes,
} from '../contract/proofs.ts'
import { now } from '../storage/ids.ts'

/** The parameters of a request for authorization that ask for a proof. */
export interface ProofParams {
  readonly claims?: unknown
  readonly asked_acr?: unknown
  readonly asked_age?: unknown
  /** Those that a metadata document sets for its client. */
  readonly acr_values?: unknown
  readonly max_age?: unknown
}

/**
 * Our names for `acr_values`, `max_age` and, of a device, `prompt`. The engine takes them only beside `openid`, and reads them without
 * our levels.
 */
export const askedParams = ['asked_acr', 'asked_age', 'asked_login'] as const

/** Moves what asks for a proof to our names. A parameter that comes twice stays, so that the engine refuses it. */
export const moveAsked = (form: URLSearchParams, prompt: 'with prompt' | 'without prompt'): void => {
  for (const name of askedParams) form.delete(name)
  const move = (from: string, to: string) => {
    const values = form.getAll(from)
    if (values.length !== 1) return
    form.delete(from)
    if (values[0] !== '') form.set(to, values[0]!)
  }
  move('acr_values', 'asked_acr')
  move('max_age', 'asked_age')
  // A device has no such parameter in RFC 8628. The engine ignores it there.
  const login = prompt === 'with prompt' && form.getAll('prompt').join(' ').split(' ').includes('login')
  if (login) form.set('asked_login', 'yes')
}

/** Whether `max_age` is a number of seconds. */
export const isAge = (text: unknown): boolean =>
  text === undefined || (typeof text === 'string' && /^[0-9]{1,15}$/.test(text))

interface Acr {
  readonly essential?: unknown
  readonly value?: unknown
  readonly values?: unknown
}

/** What a request asks of the proofs of its person. */
export interface AskedProof {
  /** The level that it asks for, unless the person has declined it. */
  readonly level: ProofLevel
  /** The level that it cannot do without (OpenID Connect Core section 5.5.1.1). */
  readonly essential: ProofLevel
  /** The levels that it names, in its order. */
  readonly named: readonly ProofLevel[]
  /** `max_age` in seconds. */
  readonly age: number | undefined
}

/**
 * Reads what a request asks for; `unmet` if it cannot do without a level that we do not know. A stronger proof satisfies a weaker
 * demand. Unknown levels beside known ones are ignored, and unknown ones alone too, unless they are essential.
 */
export const askedProof = (params: ProofParams, declined = false): AskedProof | 'unmet' => {
  const { essential, ...acr } = acrIn(params.claims)
  const ofClaim = levelsOf(acr)
  const must = essential === true && ofClaim !== undefined
  if (must && ofClaim.length === 0) return 'unmet'
  const text = params.asked_acr ?? params.acr_values
  const ofValues = levelsOf({ values: typeof text === 'string' ? text.split(' ') : [] })!
  const hard = must ? weakest(ofClaim) : 'any'
  const wished = strongerOf(weakest(must ? [] : (ofClaim ?? [])), weakest(ofValues))
  const age = params.asked_age ?? params.max_age
  return {
    level: declined ? hard : strongerOf(hard, wished),
    essential: hard,
    named: [...(ofClaim ?? []), ...ofValues],
    age: age === undefined ? undefined : Number(age),
  }
}

/** Whether this person has declined what the request asks for, by what an interaction keeps. A demand of its essential `acr` stays. */
export const declinedBy = (result: object | undefined, userId: string): boolean =>
  (result as { readonly declined?: { readonly by?: string } } | undefined)?.declined?.by === userId

/** Whether the person has proved what a request asks for within its `max_age`. */
export const isRecent = ({ level, age }: AskedProof, proofs: ProofTimes): boolean =>
  age === undefined || satisfiedUntil({ proof: level, proof_age: age }, proofs, now()) > 0

/** Whether the newest proof is of the level that a request asks for. */
export const isNewest = ({ level }: AskedProof, proofs: ProofTimes): boolean =>
  timeOf(proofs, level) >= proofs.proven_at

/** What the page asks for, as a rule. */
export const ruleOf = ({ level }: AskedProof): ProofRule => ({ proof: level, proof_age: null })

/**
 * Level and time of a proof, as one pair: of the first level named that these proofs reach within `max_age` and the client's
 * `session_max`, after which it may not use what it gets; of the level of its own rule if that is stronger; and otherwise of the
 * newest proof.
 */
export const reported = (
  asked: AskedProof | 'unmet',
  { proof: own, session_max }: { readonly proof: ProofLevel; readonly session_max: number | null },
  proofs: ProofTimes,
) => {
  const { named, age: wanted } = asked === 'unmet' ? { named: [], age: undefined } : asked
  const ages = [wanted, session_max].filter((each) => typeof each === 'number')
  const age = ages.length > 0 ? Math.min(...ages) : undefined
  const held = named.filter((level) => timeOf(proofs, level) > 0)
  const recent = (level: ProofLevel) =>
    age === undefined ||
    timeOf(proofs, level) >= proofs.proven_at ||
    satisfiedUntil({ proof: level, proof_age: age }, proofs, now()) > 0
  const first = held.find(recent)
  if (first === undefined) return reachedBy(proofs, own === 'any' ? undefined : own, now())
  return reachedBy(proofs, strongerOf(own, first), now())
}

const acrIn = (claims: unknown): Acr => {
  try {
    const read = (typeof claims === 'string' ? JSON.parse(claims) : claims) as
      { readonly id_token?: { readonly acr?: Acr | null } } | undefined
    return read?.id_token?.acr ?? {}
  } catch {
    return {}
  }
}

/** The known levels among these names; undefined if none are given. */
const levelsOf = ({ value, values }: Acr): ProofLevel[] | undefined => {
  if (value === undefined && values === undefined) return undefined
  const names: readonly unknown[] = Array.isArray(values) ? values : [value]
  return names.flatMap((name) => {
    const level = acrLevels.findIndex((known) => known.slice(1).includes(name as string))
    return level < 0 ? [] : [proofLevels[level]!]
  })
}

const weakest = (levels: readonly ProofLevel[]): ProofLevel =>
  levels.length === 0 ? 'any' : proofLevels[Math.min(...levels.map((level) => proofLevels.indexOf(level)))]!
