import { invalidParams } from '../errors.ts'

export interface PageParams {
  readonly limit?: number
  readonly cursor?: string
}

/** Reads a cursor back to the sort key it was made from; a made-up one is refused. */
export const afterCursor = (cursor: string | undefined): string => {
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

export const pageSize = (limit: number | undefined): number => limit ?? 100

/** `rows` were asked for with one more than the page holds; that one tells whether there is a next page. */
export const toPage = <Row, Item>(
  rows: Row[],
  { limit }: PageParams,
  key: (row: Row) => string,
  show: (row: Row) => Item,
): { items: Item[]; next_cursor: string | null } => {
  const size = pageSize(limit)
  const items = rows.slice(0, size)
  const last = items.at(-1)
  const more = rows.length > size && last !== undefined
  return {
    items: items.map(show),
    next_cursor: more ? Buffer.from(key(last), 'utf8').toString('base64url') : null,
  }
}
