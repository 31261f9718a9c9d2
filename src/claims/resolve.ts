import { strongerOf, type AdministratorProof, type ProofLevel } from '../contract/proofs.ts'
import { claimsWithin } from '../contract/token_scopes.ts'
import type { Graph } from './graph.ts'
import type { Why } from './result_schemas.ts'
import { isSegment } from './rule.ts'

/** A user whose claims are resolved, with the groups of which they are a direct member. */
export interface Person {
  readonly username: string
  /** Whether the account may sign in until it ends: otherwise it is nobody. */
  readonly is_active: boolean
  readonly ends_at: number | null
  readonly is_admin: boolean
  readonly has_factor: boolean
  readonly context: number
  readonly groups: readonly { readonly group: string; readonly expires_at: number | null }[]
  /** The groups that this user administers, by id. */
  readonly administers: readonly string[]
}

export interface Resolved {
  /** Sorted, without duplicates. */
  readonly claims: readonly string[]
  /** The same, with those that administrators without a second factor do not get. A session shows whether a factor was used. */
  readonly withAdministration: readonly string[]
  /** What the groups of the person ask of their sessions. */
  readonly proof: ProofLevel
  /** What the settings ask of a session that holds claims of administrators. */
  readonly administrators: AdministratorProof
  readonly why: readonly Why[]
  /** Unix time at which a membership that was used expires, or the account ends; Infinity if nothing does. */
  readonly until: number
}

const noneAsked: AdministratorProof = { factor: false, age: 86_400 }

/**
 * Resolves the claims of a user: breadth first from the user's groups to the groups above them. Inactive groups grant
 * nothing and lead nowhere, and a user who may not sign in has no claims. A grant with a scope applies only if the scope is given
 * and equal. If there are several ways to one claim, reports the shortest.
 */
export const resolveClaims = (
  graph: Graph,
  person: Person,
  service: string,
  context: number,
  at: number,
  administrators: AdministratorProof = noneAsked,
): Resolved => {
  const why = new Map<string, Why>()
  let until = person.ends_at ?? Infinity
  if (!person.is_active || until <= at)
    return { ...answer(why, false), until: Infinity, proof: 'any', administrators }
  let proof: ProofLevel = 'any'
  const grantClaim = (
    claim: string,
    because: Why['because'],
    path: readonly string[],
    role: string | null,
  ) => {
    if (!why.has(claim)) why.set(claim, { claim, because, path: [...path], role })
  }
  const applies = (grant: { service: string; context: number | null }) =>
    (grant.service === '' || grant.service === service) &&
    (grant.context === null || grant.context === context)
  const isCurrent = (expires: number | null) => {
    if (expires === null) return true
    if (expires > at) until = Math.min(until, expires)
    return expires > at
  }

  if (isSegment(person.username)) grantClaim(`users.${person.username}`, 'user', [], null)
  if (person.is_admin) grantClaim('admin', 'is_admin', [], null)

  for (const id of person.administers) {
    const group = graph.groups.get(id)
    if (group?.is_active && id !== graph.adminGroup)
      grantClaim(`groups.${group.slug}.admin`, 'group_admin', [group.slug], null)
  }
  const paths = new Map<string, readonly string[]>()
  const enter = (id: string, path: readonly string[]) => {
    const group = graph.groups.get(id)
    if (group?.is_active && !paths.has(id)) paths.set(id, [...path, group.slug])
  }
  if (person.is_admin && graph.adminGroup !== undefined) enter(graph.adminGroup, [])
  for (const { group, expires_at } of person.groups) {
    if (group !== graph.adminGroup && isCurrent(expires_at)) enter(group, [])
  }

  for (const [id, path] of paths) {
    const group = graph.groups.get(id)!
    proof = strongerOf(proof, group.proof)
    grantClaim(`groups.${group.slug}`, 'group', path, null)
    for (const grant of group.claims) if (applies(grant)) grantClaim(grant.claim, 'group_claim', path, null)
    for (const carried of group.roles) {
      if (!applies(carried)) continue
      for (const grant of carried.role.claims)
        if (applies(grant)) grantClaim(grant.claim, 'role', path, carried.role.name)
    }
    // A Map iterates in insertion order, including entries added during the iteration: this is the breadth-first queue.
    for (const { group: outer, expires_at } of group.outer) if (isCurrent(expires_at)) enter(outer, path)
  }

  return { ...answer(why, administrators.factor && !person.has_factor), until, proof, administrators }
}

const answer = (why: ReadonlyMap<string, Why>, withholds: boolean) => {
  const withAdministration = [...why.keys()].sort()
  const claims = withholds ? claimsWithin(withAdministration, 'write') : withAdministration
  return { claims, withAdministration, why: claims.map((claim) => why.get(claim)!) }
}
