import type { Compilable, CompiledQuery, Kysely } from 'kysely'
import type { Schema } from './schema.ts'

/** The values of one call, by name. */
export type Values = Readonly<Record<string, string | number | null>>

/**
 * A query that is already built: returns the first row for these values, without a promise if the database needs none.
 */
export type Prepared<V extends Values, R> = (values: V) => R | undefined | Promise<R | undefined>

/** Stands for the value of this name while a query is built. */
class Placeholder {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** A query that is built once and runs with any values. */
export class PreparedQuery<V extends Values, R> {
  readonly #compiled: CompiledQuery<R>

  /** `build` must only pass its values on, never inspect them: they are placeholders. */
  constructor(query: Kysely<Schema>, build: (query: Kysely<Schema>, values: V) => Compilable<R>) {
    const placeholders = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) })
    this.#compiled = build(query, placeholders as V).compile()
  }

  get sql(): string {
    return this.#compiled.sql
  }

  /** The query with these values, for Kysely to execute. */
  with(values: V): CompiledQuery<R> {
    return { ...this.#compiled, parameters: this.parameters(values) }
  }

  /** These values in the order of the parameters of `sql`. */
  parameters(values: V): unknown[] {
    return this.#compiled.parameters.map((parameter) =>
      parameter instanceof Placeholder ? values[parameter.name] : parameter,
    )
  }
}
