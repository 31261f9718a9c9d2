import { setImmediate as turn } from 'node:timers/promises'
import type { Database } from '../storage/database.ts'
import type { Graph, GroupNode } from './graph.ts'
import { chunkGroups, readAbove } from './nodes.ts'

/**
 * Number of cached groups. Beyond it, the whole cache is cleared: an answer needs all groups above it at the same time.
 */
const maxGroups = 200_000

/**
 * Caches the groups that claims have been resolved through. After a change, only what the revision log names is
 * removed; if the log does not go back far enough, everything is. Missing groups are read on demand: nothing ever reads
 * all groups.
 */
export class CachedGraph {
  readonly #database: Database
  readonly #groups = new Map<string, GroupNode>()
  /** Ids of groups that do not exist. */
  readonly #absent = new Set<string>()
  /** The reserved group: null if it does not exist, undefined if not looked up yet. */
  #adminGroup: string | null | undefined
  /** The revision of everything in this cache. */
  #revision = -1
  /** How often entries were removed: anything read before may be older than the change. */
  #removals = 0
  #catchingUp: Promise<void> | undefined

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Calls `use` with a graph of these groups, all groups above them and the reserved one. The call is synchronous, so
   * all it sees belongs to one revision, the newest one known.
   */
  async above<T>(ids: readonly string[], use: (graph: Graph) => T): Promise<T> {
    // What a transaction reads may be rolled back: use it, but do not cache it.
    if (this.#database.writing) return new CachedGraph(this.#database).#fill(ids, use)
    if (this.#groups.size + this.#absent.size >= maxGroups) this.#forgetAll()
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
    // A Set iterates in insertion order, including entries added during the iteration.
    for (const id of seen) {
      const group = this.#groups.get(id)
      if (group) for (const { group: outer } of group.outer) seen.add(outer)
      else if (!this.#absent.has(id)) missing.push(id)
    }
    return missing
  }

  async #load(missing: readonly string[]): Promise<void> {
    const { writing, kind, query, revisions } = this.#database
    const removals = this.#removals
    const read = (query: Database['query']) => readAbove(query, missing, this.#groups)
    // All rows must be of one moment. On SQLite the revision is read last and shows whether anything was committed
    // since it was known.
    const found =
      kind === 'postgres' && !writing
        ? await query.transaction().setIsolationLevel('repeatable read').execute(read)
        : await read(query)
    // More rows may follow: let others have a turn of the event loop.
    if (found.ids.length >= chunkGroups) await turn()
    if (!writing && (removals !== this.#removals || found.revision !== this.#revision))
      return revisions.invalidate()
    this.#adminGroup = found.adminGroup
    for (const id of found.ids) {
      const node = found.nodes.get(id)
      if (node) this.#groups.set(id, node)
      else this.#absent.add(id)
    }
  }

  /** Removes what has changed since the last call. */
  async #catchUp(): Promise<void> {
    const { revisions, writing } = this.#database
    if (writing) return
    await revisions.refresh()
    while (this.#revision !== revisions.of('groups')) {
      this.#catchingUp ??= this.#catchUpTo(revisions.of('groups')).finally(
        () => (this.#catchingUp = undefined),
      )
      await this.#catchingUp
    }
  }

  async #catchUpTo(present: number): Promise<void> {
    const changed = await this.#database.changedSince('groups', this.#revision, present)
    this.#removals++
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
