import type { Compilable, CompiledQuery, Kysely } from 'kysely'
import type { Schema } from './schema.ts'

/** The values of one call, by name. */
export type Values = Readonly<Record<string, string | number | null>>

/** A query that is built already: the first row for these values, without a promise where the database takes none. */
export type Prepared<V extends Values, R> = (values: V) => R | undefined | Promise<R | undefined>

/** Stands for the value of that name while a query is built. */
class Placeholder {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** A query that is built once, for any values. */
export class PreparedQuery<V extends Values, R> {
  readonly #compiled: CompiledQuery<R>

  /** `build` passes its values on and looks at none of them: they are placeholders. */
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
