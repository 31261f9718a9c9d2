import type { ProofLevel } from '../contract/proofs.ts'

/** A grant applies to one service and context, or everywhere if they are empty and null. */
interface Scoped {
  readonly service: string
  readonly context: number | null
}

export interface GroupNode {
  readonly slug: string
  readonly is_active: boolean
  /** What its members must have proved wherever they use a session. */
  readonly proof: ProofLevel
  /** The groups of which this group is a member, and until when. */
  readonly outer: readonly { readonly group: string; readonly expires_at: number | null }[]
  readonly claims: readonly (Scoped & { readonly claim: string })[]
  readonly roles: readonly (Scoped & { readonly role: RoleNode })[]
}

export interface RoleNode {
  readonly name: string
  readonly claims: readonly (Scoped & { readonly claim: string })[]
}

/** Groups by id, with nesting, roles and claims, but without users. It changes when groups or roles change. */
export interface Graph {
  readonly groups: ReadonlyMap<string, GroupNode>
  readonly adminGroup: string | undefined
}
