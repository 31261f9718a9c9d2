import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { machine } from './processes.ts'
import type { Results, Spread } from './round.ts'

const text = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2)

/** `median (min–max)`. */
export const spreadText = ({ median, min, max }: Spread): string =>
  `${text(median)} (${text(min)}–${text(max)})`

type Rows = readonly (readonly string[])[]

/** The results of one measurement, as saved in each file in BENCH_SAVE (one per line). */
export interface Saved {
  readonly title: string
  readonly machine: string
  readonly tables: readonly Rows[]
  readonly figures: Readonly<Record<string, number>>
  /** All figures of all contestants. */
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

const isSaved = (value: unknown): value is Record<string, Saved> =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value as Record<string, Partial<Saved> | null>).every(
    (saved) => typeof saved?.figures === 'object' && Array.isArray(saved.tables),
  )

/** Reads the measurements in a file, by name. Throws an error with a one-line message if it cannot be read. */
export const readSaved = (file: string): Record<string, Saved> => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`cannot read ${file}: ${(error as Error).message}`, { cause: error })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Error(`${file} is not JSON: ${(error as Error).message}`, { cause: error })
  }
  if (!isSaved(value)) throw new Error(`${file} was not written by npm run bench -- --save`)
  return value
}

/** Prints the last line, which is for programs, and saves the measurement. */
export const figures = (bench: string, values: Readonly<Record<string, number>>, results?: Results): void => {
  const rounded = Object.entries(values).map(([name, value]) => [name, Number(value.toPrecision(3))])
  const summary = { bench, figures: Object.fromEntries(rounded) as Record<string, number> }
  const files = (process.env.BENCH_SAVE ?? '').split('\n').filter((file) => file !== '')
  for (const file of files) {
    const saved: Saved = { ...shown, figures: summary.figures, contestants: results?.all() ?? {} }
    const others = existsSync(file) ? readSaved(file) : {}
    writeFileSync(file, `${JSON.stringify({ ...others, [bench]: saved }, null, 1)}\n`)
  }
  console.log(`\n${JSON.stringify(summary)}`)
}
