import type { Database } from './database.ts'
import type { Subject } from './schema.ts'

/** A value made from the database, made anew once one of its subjects has changed. Warm, it costs no query and no promise. */
export class Cached<T> {
  readonly #database: Database
  readonly #subjects: readonly Subject[]
  readonly #load: () => Promise<T>
  #value: T | undefined
  #made: readonly number[] = []
  #loading: { readonly made: readonly number[]; readonly value: Promise<T> } | undefined

  constructor(database: Database, subjects: readonly Subject[], load: () => Promise<T>) {
    this.#database = database
    this.#subjects = subjects
    this.#load = load
  }

  /** The value if it is certain to be current. */
  warm(): T | undefined {
    const { revisions, writing } = this.#database
    if (writing || revisions.refresh() !== undefined) return undefined
    return this.#fresh() ? this.#value : undefined
  }

  get(): T | Promise<T> {
    return this.warm() ?? this.#cold()
  }

  #fresh(): boolean {
    const { revisions } = this.#database
    for (let i = 0; i < this.#subjects.length; i++) {
      if (this.#made[i] !== revisions.of(this.#subjects[i]!)) return false
    }
    return true
  }

  async #cold(): Promise<T> {
    // What a transaction sees may be rolled back: use it, do not keep it.
    if (this.#database.writing) return this.#load()
    await this.#database.revisions.refresh()
    if (this.#fresh()) return this.#value as T
    // The revision is read before the rows: a change in between makes the value look older than it is, never newer.
    const made = this.#subjects.map((subject) => this.#database.revisions.of(subject))
    // A load that began before the last change may bring what was before it: only one as young as this is shared.
    if (this.#loading?.made.every((revision, i) => revision === made[i])) return this.#loading.value
    const loading = { made, value: this.#reload(made) }
    this.#loading = loading
    return loading.value.finally(() => {
      if (this.#loading === loading) this.#loading = undefined
    })
  }

  async #reload(made: readonly number[]): Promise<T> {
    const value = await this.#load()
    // A slow load does not replace the fruit of a younger one.
    if (made.every((revision, i) => revision >= (this.#made[i] ?? 0))) {
      this.#value = value
      this.#made = made
    }
    return value
  }
}
