// What columns have in common: ids are UUID v7 text, times integer seconds, booleans 0 or 1: the same in both databases.

export type Bit = 0 | 1

/** A truth value as its column holds it. */
export const bit = (value: boolean): Bit => (value ? 1 : 0)

/** `service` is empty and `context` null where a grant holds everywhere. */
export interface Scoped {
  service: string
  context: number | null
}

/** What a person has several of. */
export interface OfUser {
  id: string
  user_id: string
  created_at: number
}
