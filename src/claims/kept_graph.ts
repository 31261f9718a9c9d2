import { setImmediate as turn } from 'node:timers/promises'
import type { Database } from '../storage/database.ts'
import type { Graph, GroupNode } from './graph.ts'
import { chunk, readAbove } from './nodes.ts'

/** Groups that are kept. Past it all of them go at once: an answer needs every group above it at the same time. */
const keep = 200_000

/**
 * The groups that somebody's claims took so far. A change takes out of it only what it changed, by the log of the last revisions; where
 * the log does not say, all goes. What is missing is read when it is asked for: nothing ever reads all groups.
 */
export class KeptGraph {
  readonly #database: Database
  readonly #groups = new Map<string, GroupNode>()
  /** Ids that no group has. */
  readonly #absent = new Set<string>()
  /** The reserved group: null if there is none, undefined until it was looked for. */
  #adminGroup: string | null | undefined
  /** The revision that all of it belongs to. */
  #revision = -1
  /** How often something was taken out: what was read before may be older than the change. */
  #drops = 0
  #catching: Promise<void> | undefined

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * What `use` makes of the graph with these groups, all above them and the reserved one. It is called without a wait in between: all
   * that it sees belongs to one revision, the newest that is known of.
   */
  async above<T>(ids: readonly string[], use: (graph: Graph) => T): Promise<T> {
    // What a transaction sees may be rolled back: use it, do not keep it.
    if (this.#database.writing) return new KeptGraph(this.#database).#fill(ids, use)
    if (this.#groups.size + this.#absent.size >= keep) this.#forgetAll()
    return this.#fill(ids, use)
  }

  async #fill<T>(ids: readonly string[], use: (graph: Graph) => T): Promise<T> {
    for (;;) {
      await this.#catchUp()
      const missing = this.#missingAbove(ids)
      if (missing.length === 0 && this.#adminGroup !== undefined)
        return use({ groups: this.#groups, adminGroup: this.#adminGroup ?? undefined })
      await this.#load(missing)
    }
  }

  #missingAbove(ids: readonly string[]): string[] {
    const seen = new Set(ids)
    if (this.#adminGroup) seen.add(this.#adminGroup)
    const missing: string[] = []
    // A Set is walked in insertion order, also over what is added meanwhile.
    for (const id of seen) {
      const group = this.#groups.get(id)
      if (group) for (const { group: outer } of group.outer) seen.add(outer)
      else if (!this.#absent.has(id)) missing.push(id)
    }
    return missing
  }

  async #load(missing: readonly string[]): Promise<void> {
    const { writing, kind, query, revisions } = this.#database
    const drops = this.#drops
    const read = (query: Database['query']) => readAbove(query, missing, this.#groups)
    // Of one moment: on SQLite the revision is read last, and tells whether anything was committed since it was known.
    const found =
      kind === 'postgres' && !writing
        ? await query.transaction().setIsolationLevel('repeatable read').execute(read)
        : await read(query)
    // More of them may be to come: everybody else has a turn.
    if (found.ids.length >= chunk) await turn()
    if (!writing && (drops !== this.#drops || found.revision !== this.#revision)) return revisions.forget()
    this.#adminGroup = found.adminGroup
    for (const id of found.ids) {
      const node = found.nodes.get(id)
      if (node) this.#groups.set(id, node)
      else this.#absent.add(id)
    }
  }

  /** Takes out what has changed since, if anything has. */
  async #catchUp(): Promise<void> {
    const { revisions, writing } = this.#database
    if (writing) return
    await revisions.refresh()
    while (this.#revision !== revisions.of('groups')) {
      this.#catching ??= this.#take(revisions.of('groups')).finally(() => (this.#catching = undefined))
      await this.#catching
    }
  }

  async #take(present: number): Promise<void> {
    const changed = await this.#database.changedSince('groups', this.#revision, present)
    this.#drops++
    if (changed === 'unknown') this.#forgetAll()
    else {
      for (const id of changed) {
        this.#groups.delete(id)
        this.#absent.delete(id)
      }
    }
    this.#revision = present
  }

  #forgetAll(): void {
    this.#groups.clear()
    this.#absent.clear()
    this.#adminGroup = undefined
  }
}
