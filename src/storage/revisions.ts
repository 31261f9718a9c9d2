import { sql, type Kysely } from 'kysely'
import { logRevisions, type ChangedEntries } from './revision_log.ts'
import type { Schema, Subject } from './schema.ts'

/** The revision of each subject. Caches compare it before every use, and are never used past it. */
export interface Revisions {
  /**
   * Returns a promise only if the current state must be queried; caches wait for it before they answer. Silence counts
   * as no change for `trustSilenceMs` milliseconds.
   */
  refresh(trustSilenceMs?: number): Promise<void> | undefined
  of(subject: Subject): number
  /** Changes whenever anything in any subject changes. */
  readonly stamp: number
  /** Another process changed something: discards what is known, including a query in progress. */
  invalidate(): void
  /** Call after a commit of our own that raised revisions. */
  committed(): Promise<void>
  close(): Promise<void>
}

const raise = (query: Kysely<Schema>, raised: ChangedEntries) =>
  query
    .updateTable('revisions')
    .set((eb) => ({ value: eb('value', '+', 1) }))
    .where('subject', 'in', [...raised.keys()])
    .returning(['subject', 'value'])
    .execute()

/** Raises the revisions inside the transaction of the change. PostgreSQL notifies other nodes when it commits. */
export const raiseRevisions = async (query: Kysely<Schema>, raised: ChangedEntries, notify: boolean) => {
  if (raised.size === 0) return
  await logRevisions(query, raised, await raise(query, raised))
  if (notify) await sql`select pg_notify('hero_proxy_revisions', '')`.execute(query)
}
