import type { RawBuilder, SelectQueryBuilder } from 'kysely'
import { invalidParams } from '../contract/errors.ts'

export interface PageParams {
  readonly limit?: number
  readonly cursor?: string
}

/** Reads a cursor back to the sort key it was made from; a made-up one is refused. */
const afterCursor = (cursor: string | undefined): string => {
  if (cursor === undefined) return ''
  const key = Buffer.from(cursor, 'base64url').toString('utf8')
  // A control character is in no key of ours, and PostgreSQL would take NUL for a fault.
  if (
    key === '' ||
    /[\u0000-\u001f]/.test(key) ||
    Buffer.from(key, 'utf8').toString('base64url') !== cursor
  ) {
    throw invalidParams('cursor', 'the next_cursor of the page before')
  }
  return key
}

/** What sorts a list. No two rows share a key, so that a page begins right behind the one before. */
interface Order<Row> {
  readonly by: RawBuilder<string | number>
  readonly descending?: boolean
  /** The same of a row that was read, as text for the cursor. */
  readonly keyOf: (row: Row) => string
  /** The key as the database compares it, where that is no text. */
  readonly readKey?: (key: string) => number
}

/** Reads one page of a query: of the rows behind the cursor as many as the limit says. Throws invalid_params for a cursor that is not ours. */
export const readPage = async <DB, TB extends keyof DB, Row>(
  query: SelectQueryBuilder<DB, TB, Row>,
  { limit = 100, cursor }: PageParams,
  { by, descending = false, keyOf, readKey }: Order<Row>,
): Promise<{ items: Row[]; next_cursor: string | null }> => {
  const after = afterCursor(cursor)
  const rows = await query
    .$if(after !== '', (all) => all.where(by, descending ? '<' : '>', readKey?.(after) ?? after))
    .orderBy(by, descending ? 'desc' : 'asc')
    // One more than the page holds says whether there is a next page.
    .limit(limit + 1)
    .execute()
  const items = rows.slice(0, limit)
  const last = rows.length > limit ? items.at(-1) : undefined
  return { items, next_cursor: last ? Buffer.from(keyOf(last), 'utf8').toString('base64url') : null }
}
