import type Sqlite from 'better-sqlite3'

/** The start parameters of a thread. */
export interface ThreadData {
  readonly file: string
  readonly readonly: boolean
}

/** Work that a thread does on its connection: the default export of a module. It takes about a second at most. */
export type Task<A, R> = (database: Sqlite.Database, argument: A) => R

export type ThreadRequest =
  | { readonly id: number; readonly sql: string; readonly parameters: readonly unknown[] }
  | { readonly id: number; readonly module: string; readonly argument: unknown }
  | 'close'

export type ThreadResponse =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string; readonly code?: string }
