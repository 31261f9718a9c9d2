import type { Bit } from './columns.ts'

export interface AttributeRow {
  id: string
  name: string
  /** text, number, boolean or list. */
  type: string
  /** person, administrator, or the name of a provider. */
  source: string
  /** JSON list; empty allows any value. */
  allowed_values: string
  /** Of RE2; empty allows any value. */
  pattern: string
  is_unique: Bit
  /** The scope that brings it to applications; empty for none. */
  scope: string
  created_at: number
  updated_at: number
}

export interface AttributesTables {
  attributes: AttributeRow
  user_attributes: {
    user_id: string
    attribute_id: string
    /** JSON. */
    value: string
    /** What no other person may have, for a unique attribute; null for any other. */
    unique_key: string | null
  }
}
