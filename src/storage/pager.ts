import type { RawBuilder, SelectQueryBuilder } from 'kysely'
import { invalidParams } from '../contract/errors.ts'

export interface PageParams {
  readonly limit?: number
  readonly cursor?: string
}

/** Decodes a cursor to the sort key it was made from. Throws invalid_params for a forged one. */
const afterCursor = (cursor: string | undefined): string => {
  if (cursor === undefined) return ''
  const key = Buffer.from(cursor, 'base64url').toString('utf8')
  // None of our keys contains a control character, and PostgreSQL rejects NUL.
  if (
    key === '' ||
    /[\u0000-\u001f]/.test(key) ||
    Buffer.from(key, 'utf8').toString('base64url') !== cursor
  ) {
    throw invalidParams('cursor', 'the next_cursor of the page before')
  }
  return key
}

/** How a list is sorted. No two rows share a key, so a page begins right after the previous one. */
interface Order<Row> {
  readonly by: RawBuilder<string | number>
  readonly descending?: boolean
  /** The key of a row, as text for the cursor. */
  readonly keyOf: (row: Row) => string
  /** Converts the key to what the database compares, if that is not text. */
  readonly readKey?: (key: string) => number
}

/**
 * Reads one page of a query: up to `limit` rows after the cursor. Throws invalid_params for a cursor that we did not
 * make.
 */
export const readPage = async <DB, TB extends keyof DB, Row>(
  query: SelectQueryBuilder<DB, TB, Row>,
  { limit = 100, cursor }: PageParams,
  { by, descending = false, keyOf, readKey }: Order<Row>,
): Promise<{ items: Row[]; next_cursor: string | null }> => {
  const after = afterCursor(cursor)
  const rows = await query
    .$if(after !== '', (rest) => rest.where(by, descending ? '<' : '>', readKey?.(after) ?? after))
    .orderBy(by, descending ? 'desc' : 'asc')
    // One more than the page holds says whether there is a next page.
    .limit(limit + 1)
    .execute()
  const items = rows.slice(0, limit)
  const last = rows.length > limit ? items.at(-1) : undefined
  return { items, next_cursor: last ? Buffer.from(keyOf(last), 'utf8').toString('base64url') : null }
}
