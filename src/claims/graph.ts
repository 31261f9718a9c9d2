/** A grant holds for one service and context, or, where they are empty and null, everywhere. */
interface Scoped {
  readonly service: string
  readonly context: number | null
}

export interface GroupNode {
  readonly slug: string
  readonly is_active: boolean
  /** The groups that hold this one, and until when. */
  readonly outer: readonly { readonly group: string; readonly expires_at: number | null }[]
  readonly claims: readonly (Scoped & { readonly claim: string })[]
  readonly roles: readonly (Scoped & { readonly role: RoleNode })[]
}

export interface RoleNode {
  readonly name: string
  readonly claims: readonly (Scoped & { readonly claim: string })[]
}

/** Groups by id: nesting, roles, claims. People are not in it; it changes when groups or roles do. */
export interface Graph {
  readonly groups: ReadonlyMap<string, GroupNode>
  readonly adminGroup: string | undefined
}
