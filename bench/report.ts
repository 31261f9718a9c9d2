import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { machine } from './processes.ts'
import type { Results, Spread } from './round.ts'

const text = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2)

/** `median (min–max)`. */
export const told = ({ median, min, max }: Spread): string => `${text(median)} (${text(min)}–${text(max)})`

type Rows = readonly (readonly string[])[]

/** What one measurement found, as it is kept in the file that BENCH_SAVE names. */
export interface Saved {
  readonly title: string
  readonly machine: string
  readonly tables: readonly Rows[]
  readonly figures: Readonly<Record<string, number>>
  /** Every figure of every contestant. */
  readonly contestants: Readonly<Record<string, Readonly<Record<string, Spread>>>>
}

const shown: { title: string; machine: string; tables: Rows[] } = { title: '', machine: '', tables: [] }

export const heading = (title: string, versions: Readonly<Record<string, string>>): void => {
  const list = Object.entries({ node: process.version, ...versions }).map(
    ([name, version]) => `${name} ${version}`,
  )
  shown.title = title
  shown.machine = `${machine()}; ${list.join(', ')}`
  console.log(`\n${title}\n${shown.machine}\n`)
}

export const table = (rows: Rows): void => {
  shown.tables.push(rows)
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
  }
}

/** The measurements in a file, by name; none where there is no file yet. */
export const readSaved = (file: string): Record<string, Saved> =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Saved>) : {}

/** The last line, for programs. */
export const figures = (bench: string, values: Readonly<Record<string, number>>, results?: Results): void => {
  const rounded = Object.entries(values).map(([name, value]) => [name, Number(value.toPrecision(3))])
  const told = { bench, figures: Object.fromEntries(rounded) as Record<string, number> }
  const file = process.env.BENCH_SAVE
  if (file !== undefined) {
    const saved: Saved = { ...shown, figures: told.figures, contestants: results?.all() ?? {} }
    writeFileSync(file, `${JSON.stringify({ ...readSaved(file), [bench]: saved }, null, 1)}\n`)
  }
  console.log(`\n${JSON.stringify(told)}`)
}
