const cell = (value: unknown): string => {
  if (value === null || value === undefined) return '—'
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ')
  return JSON.stringify(value)
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
  const names = Object.keys(items[0]!)
  return columns([names, ...items.map((item) => names.map((name) => cell(item[name])))])
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Prints a result: tables at a terminal, JSON into pipes and with --json. */
export const print = (result: unknown, json = !process.stdout.isTTY): void => {
  if (json) return console.log(JSON.stringify(result, null, 2))
  if (!isRecord(result)) return console.log(result === null ? 'done' : cell(result))
  const { items, next_cursor } = result
  if (Array.isArray(items)) {
    console.log(table(items as Record<string, unknown>[]))
    if (next_cursor) console.log(`\nmore: --cursor ${String(next_cursor)}`)
    return
  }
  const { why, ...rest } = result
  console.log(columns(Object.entries(rest).map(([name, value]) => [name, cell(value)])))
  if (Array.isArray(why)) console.log(`\n${table(why as Record<string, unknown>[])}`)
}
