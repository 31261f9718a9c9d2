/** A small object as text: its first value, then the other fields. For example `wiki.pages.write (service wiki)`. */
const brief = (item: object): string => {
  const [first, ...rest] = Object.entries(item).filter(([, value]) => value !== null)
  const more = rest.map(([name, value]) => `${name} ${cell(value, name)}`).join(', ')
  return more === '' ? cell(first?.[1], '') : `${cell(first?.[1], '')} (${more})`
}

const cell = (value: unknown, name: string): string => {
  if (value === null || value === undefined || value === '') return '—'
  if (typeof value === 'number' && (name === 'at' || name.endsWith('_at'))) {
    return new Date(value * 1000).toISOString().slice(0, 19).replace('T', ' ')
  }
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.length === 0 ? '—' : value.map((item) => cell(item, '')).join(', ')
  return typeof value === 'object' ? brief(value) : JSON.stringify(value)
}

const columns = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows
    .map((row) =>
      row
        .map((text, i) => text.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const table = (items: readonly Record<string, unknown>[]): string => {
  if (items.length === 0) return '(none)'
  // Omit columns that are empty in every row.
  const names = Object.keys(items[0]!).filter((name) => items.some((item) => cell(item[name], name) !== '—'))
  return columns([names, ...items.map((item) => names.map((name) => cell(item[name], name)))])
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Aligned lines of names and values. */
export const pairs = (rows: readonly (readonly [string, string])[]): string => columns(rows)

/** The fields of a result that are printed as a table: why a user has a claim, the steps of a route test. */
const tabled = new Set(['why', 'steps'])

/** Prints a result: as tables at a terminal, as JSON into pipes and with --json. */
export const print = (result: unknown, json = !process.stdout.isTTY): void => {
  if (json) return console.log(JSON.stringify(result, null, 2))
  if (!isRecord(result)) return console.log(result === null ? 'done' : cell(result, ''))
  const { items, next_cursor } = result
  if (Array.isArray(items)) {
    console.log(table(items as Record<string, unknown>[]))
    if (next_cursor) console.log(`\nmore: --cursor ${String(next_cursor)}`)
    return
  }
  const fields = Object.entries(result)
  const [, rows] = fields.find(([name, value]) => tabled.has(name) && Array.isArray(value)) ?? []
  console.log(
    columns(fields.filter(([, value]) => value !== rows).map(([name, value]) => [name, cell(value, name)])),
  )
  if (rows !== undefined) console.log(`\n${table(rows as Record<string, unknown>[])}`)
}
