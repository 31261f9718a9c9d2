import type { Kysely } from 'kysely'
import type { Schema, Subject } from './schema.ts'

/** What a transaction changed in each subject: a set of entries, or any. */
export type ChangedEntries = Map<Subject, ReadonlySet<string> | 'any'>

/** Subjects whose changes are logged: their caches are too large to rebuild after every change. */
const logged: ReadonlySet<string> = new Set<Subject>(['groups'])
/**
 * How many revisions the log keeps, and how many entries one revision may have. A cache that is further behind is
 * rebuilt.
 */
const maxRevisions = 1000
const maxEntries = 100
/** Markers that are no real entry: nothing in any cache changed, and anything may have changed. */
const nothing = ''
const anything = '*'

/** Logs what each revision changed, inside the transaction that raised it. */
export const logRevisions = async (
  query: Kysely<Schema>,
  raised: ChangedEntries,
  revisions: readonly { subject: string; value: number }[],
): Promise<void> => {
  for (const { subject, value: revision } of revisions) {
    if (!logged.has(subject)) continue
    const changed = raised.get(subject as Subject)!
    const entries =
      changed === 'any' || changed.size > maxEntries ? [anything] : changed.size === 0 ? [nothing] : changed
    await query
      .insertInto('revision_log')
      .values([...entries].map((entry) => ({ subject, revision, entry })))
      .execute()
    await query
      .deleteFrom('revision_log')
      .where('subject', '=', subject)
      .where('revision', '<=', revision - maxRevisions)
      .execute()
  }
}

/** The entries that changed after `from`, up to at least `to`. `unknown` if a revision in between is not in the log. */
export const entriesSince = async (
  query: Kysely<Schema>,
  subject: Subject,
  from: number,
  to: number,
): Promise<ReadonlySet<string> | 'unknown'> => {
  // This also covers a database restored from an older backup.
  if (from < 0 || to < from || to - from > maxRevisions) return 'unknown'
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
