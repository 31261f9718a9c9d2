import type { Database } from './database.ts'
import type { Subject } from './schema.ts'

/**
 * A value computed from the database, and recomputed once one of its subjects changes. When current, it costs no query
 * and no promise.
 */
export class Cached<T> {
  readonly #database: Database
  readonly #subjects: readonly Subject[]
  readonly #load: () => Promise<T>
  #value: T | undefined
  #madeAt: readonly number[] = []
  #loading: { readonly madeAt: readonly number[]; readonly value: Promise<T> } | undefined

  constructor(database: Database, subjects: readonly Subject[], load: () => Promise<T>) {
    this.#database = database
    this.#subjects = subjects
    this.#load = load
  }

  /** The value if it is known to be current. */
  warm(): T | undefined {
    const { revisions, writing } = this.#database
    if (writing || revisions.refresh() !== undefined) return undefined
    return this.#fresh() ? this.#value : undefined
  }

  /** The value as it was last, which may be out of date; undefined before the first one. */
  last(): T | undefined {
    return this.#value
  }

  get(): T | Promise<T> {
    return this.warm() ?? this.#cold()
  }

  #fresh(): boolean {
    const { revisions } = this.#database
    for (let i = 0; i < this.#subjects.length; i++) {
      if (this.#madeAt[i] !== revisions.of(this.#subjects[i]!)) return false
    }
    return true
  }

  async #cold(): Promise<T> {
    // What a transaction reads may be rolled back: use it, but do not cache it.
    if (this.#database.writing) return this.#load()
    await this.#database.revisions.refresh()
    if (this.#fresh()) return this.#value as T
    // Read the revision before the rows: a change in between makes the value look older than it is, never newer.
    const madeAt = this.#subjects.map((subject) => this.#database.revisions.of(subject))
    // A load that began before the last change may return old data: share only one that is as recent as this.
    if (this.#loading?.madeAt.every((revision, i) => revision === madeAt[i])) return this.#loading.value
    const loading = { madeAt, value: this.#reload(madeAt) }
    this.#loading = loading
    return loading.value.finally(() => {
      if (this.#loading === loading) this.#loading = undefined
    })
  }

  async #reload(madeAt: readonly number[]): Promise<T> {
    const value = await this.#load()
    // A slow load must not replace the result of a more recent one.
    if (madeAt.every((revision, i) => revision >= (this.#madeAt[i] ?? 0))) {
      this.#value = value
      this.#madeAt = madeAt
    }
    return value
  }
}
