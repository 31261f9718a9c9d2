import {
  anyProof,
  asksForProof,
  satisfiedUntil,
  type AdministratorProof,
  type ProofRule,
  type ProofTimes,
} from '../contract/proofs.ts'
import { anotherDevice } from '../contract/caller.ts'
import type { Principal } from '../contract/principal.ts'
import { claimsOfNoAdministrator, claimsWithin } from '../contract/token_scopes.ts'
import type { Resolved } from './resolve.ts'

/** The claims that a session does not hold, and the proof that brings them. */
export interface Withheld {
  /** All claims of the person, these included. */
  readonly all: readonly string[]
  readonly rule: ProofRule
}

interface Held {
  readonly claims: readonly string[]
  /** Unix time in seconds at which the session loses claims although nothing changes; Infinity if it does not. */
  readonly until: number
  readonly withheld: Withheld | undefined
}

/** What a session with these proofs holds of the claims of its person. */
export const heldBySession = (
  { withAdministration: all, administrators }: Resolved,
  proofs: ProofTimes,
  at: number,
  provider?: string,
): Held => {
  const without = provider === anotherDevice ? claimsOfNoAdministrator(all) : claimsWithin(all, 'write')
  if (without.length === all.length) return { claims: all, until: Infinity, withheld: undefined }
  const rule = lackingOfAdministrators(administrators, proofs, at)
  if (rule) return { claims: without, until: Infinity, withheld: { all, rule } }
  return { claims: all, until: satisfiedUntil(ofAge(administrators), proofs, at), withheld: undefined }
}

const ofAge = ({ age }: AdministratorProof): ProofRule => ({ ...anyProof, proof_age: age })

/**
 * What the settings ask of a session before it holds claims of administrators, if these proofs do not satisfy it. What it makes then has
 * not the scope `admin` either, for every person, because anybody may become an administrator later.
 */
export const lackingOfAdministrators = (
  administrators: AdministratorProof,
  proofs: ProofTimes,
  at: number,
): ProofRule | undefined => {
  const fresh = ofAge(administrators)
  const strong: ProofRule = { ...anyProof, proof: administrators.factor ? 'second' : 'any' }
  const isFresh = satisfiedUntil(fresh, proofs, at) > 0
  if (isFresh && satisfiedUntil(strong, proofs, at) > 0) return undefined
  return { proof: strong.proof, proof_age: isFresh ? null : fresh.proof_age }
}

/** What a principal holds: a session and a token of a sign-in by what was proved there, and any token within its scope. */
export const heldBy = (
  { proofs, token, provider }: Pick<Principal, 'proofs' | 'token' | 'provider'>,
  resolved: Resolved,
  at: number,
): Held => {
  const held = proofs
    ? heldBySession(resolved, proofs, at, provider)
    : { ...unlimited, claims: resolved.claims }
  return token ? { ...held, claims: claimsWithin(held.claims, token.scope) } : held
}

const unlimited = { until: Infinity, withheld: undefined }

/** What the groups of a person ask of their sessions, if these proofs do not satisfy it. */
export const lackingOfGroups = (
  { proof }: Pick<Resolved, 'proof'>,
  proofs: ProofTimes,
  at: number,
): ProofRule | undefined => {
  const rule: ProofRule = { ...anyProof, proof }
  return asksForProof(rule) && satisfiedUntil(rule, proofs, at) === 0 ? rule : undefined
}
