// What all columns have in common: ids are UUID v7 text, times are integer seconds, booleans are 0 or 1. This holds in
// both databases.

export type Bit = 0 | 1

/** A boolean as its column stores it. */
export const bit = (value: boolean): Bit => (value ? 1 : 0)

/** `service` is empty and `context` null where a grant holds everywhere. */
export interface Scoped {
  service: string
  context: number | null
}

/** A row of which a user may have several. */
export interface OfUser {
  id: string
  user_id: string
  created_at: number
}
