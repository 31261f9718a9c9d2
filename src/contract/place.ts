import type { ProofRule } from './proofs.ts'

/**
 * Where somebody wants to go, as the judge sees it: what a principal must hold there, and nothing about how they get there. The room
 * that owns the place makes it from its own object: `routes/` from a route.
 */
export interface Place extends ProofRule {
  /** The service whose scoped claims count; null where only unscoped claims do. */
  readonly service: string | null
  /** Whether it serves people whom nobody knows, unless it asks for a claim or an address. */
  readonly guests: boolean
  /** Patterns of claims, of which one must match. An empty list asks for none. */
  readonly required_claims: readonly string[]
  /** Patterns of verified addresses, of which one must match. An empty list asks for none. */
  readonly allowed_emails: readonly string[]
}

/** Whether a place asks for a claim or an address, which guests and static tokens cannot have, or for a proof, which a token cannot be. */
export const asksForPerson = ({ required_claims, allowed_emails }: Place): boolean =>
  required_claims.length > 0 || allowed_emails.length > 0

/** Whether guests may enter. */
export const admitsGuests = (place: Place): boolean => place.guests && !asksForPerson(place)

/** A route or a client as one name, which says which of both it is. */
export const routeRef = ({ id }: { readonly id: string }): string => `route ${id}`
export const clientRef = ({ client }: { readonly client: string }): string => `client ${client}`
