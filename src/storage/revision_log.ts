import type { Kysely } from 'kysely'
import type { Schema, Subject } from './schema.ts'

/** What a transaction changed of each subject: these entries, or any. */
export type Raised = Map<Subject, ReadonlySet<string> | 'any'>

/** Subjects of which is written down what changed: their caches are too large to be made anew. */
const logged: ReadonlySet<string> = new Set<Subject>(['groups'])
/** Revisions that are remembered, and entries of one: who is further behind begins anew. */
const mostRevisions = 1000
const mostEntries = 100
/** No entry of any subject is called so: nothing that a cache holds changed, and everything may have. */
const nothing = ''
const anything = '*'

/** Writes down, inside the transaction that raised them, what each revision changed. */
export const logRevisions = async (
  query: Kysely<Schema>,
  raised: Raised,
  revisions: readonly { subject: string; value: number }[],
): Promise<void> => {
  for (const { subject, value: revision } of revisions) {
    if (!logged.has(subject)) continue
    const changed = raised.get(subject as Subject)!
    const entries =
      changed === 'any' || changed.size > mostEntries ? [anything] : changed.size === 0 ? [nothing] : changed
    await query
      .insertInto('revision_log')
      .values([...entries].map((entry) => ({ subject, revision, entry })))
      .execute()
    await query
      .deleteFrom('revision_log')
      .where('subject', '=', subject)
      .where('revision', '<=', revision - mostRevisions)
      .execute()
  }
}

/** The entries that changed after `from`, up to `to` at least; `unknown` where a revision on the way is not in the log. */
export const entriesSince = async (
  query: Kysely<Schema>,
  subject: Subject,
  from: number,
  to: number,
): Promise<ReadonlySet<string> | 'unknown'> => {
  // Also where a database was put back that is older.
  if (from < 0 || to < from || to - from > mostRevisions) return 'unknown'
  const rows = await query
    .selectFrom('revision_log')
    .select(['revision', 'entry'])
    .where('subject', '=', subject)
    .where('revision', '>', from)
    .execute()
  const entries = new Set(rows.map(({ entry }) => entry))
  const known = new Set(rows.map(({ revision }) => Number(revision)))
  for (let revision = from + 1; revision <= to; revision++) if (!known.has(revision)) return 'unknown'
  if (entries.has(anything)) return 'unknown'
  entries.delete(nothing)
  return entries
}
