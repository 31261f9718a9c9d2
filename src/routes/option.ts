import { bit, type Bit } from '../storage/schema.ts'
import type { Static, TSchema } from '../contract/schema_builder.ts'
import type { AuthMode } from './auth_modes.ts'

/** How a column stores the value of an option. */
interface Column<V, C> {
  readonly write: (value: V) => C
  readonly read: (column: C) => V
}

export const unchanged = <V>(): Column<V, V> => ({ write: (value) => value, read: (column) => column })
export const flag: Column<boolean, Bit> = { write: bit, read: (column) => column === 1 }
export const list: Column<string[], string> = {
  write: (value) => JSON.stringify(value),
  read: (column) => JSON.parse(column) as string[],
}
/** An empty string means null. */
export const textOrNull: Column<string | null, string> = {
  write: (value) => value ?? '',
  read: (column) => column || null,
}

export interface Option<S extends TSchema, C> {
  readonly schema: S
  /** The value for a route that is added without the option; a function if it depends on the mode of the route. */
  readonly fallback: Static<S> | ((mode: AuthMode) => Static<S>)
  /** The column of the same name in the table `routes`. */
  readonly column: Column<Static<S>, C>
  /** The value in the documented example; the fallback if omitted. */
  readonly example?: Static<S>
}

export const option = <S extends TSchema, C>(row: Option<S, C>): Option<S, C> => row
