import { sql, type Kysely } from 'kysely'
import { logRevisions, type Raised } from './revision_log.ts'
import type { Schema, Subject } from './schema.ts'

/** How far each subject has changed. Caches compare it before every use and are never used past it. */
export interface Revisions {
  /**
   * Returns a promise only when the present state has to be asked for; caches wait for it before they answer. Silence
   * counts as no change for `trust` milliseconds.
   */
  refresh(trust?: number): Promise<void> | undefined
  of(subject: Subject): number
  /** Another number once anything of any subject has changed. */
  readonly stamp: number
  /** Another process says that it has changed something: what is known counts no more, and a question under way neither. */
  forget(): void
  /** After a commit of our own that raised some. */
  committed(): Promise<void>
  close(): Promise<void>
}

const raise = (query: Kysely<Schema>, raised: Raised) =>
  query
    .updateTable('revisions')
    .set((eb) => ({ value: eb('value', '+', 1) }))
    .where('subject', 'in', [...raised.keys()])
    .returning(['subject', 'value'])
    .execute()

/** Raises the revisions inside the transaction of the change; on PostgreSQL other nodes are told when it commits. */
export const raiseRevisions = async (query: Kysely<Schema>, raised: Raised, notify: boolean) => {
  if (raised.size === 0) return
  await logRevisions(query, raised, await raise(query, raised))
  if (notify) await sql`select pg_notify('hero_proxy_revisions', '')`.execute(query)
}
