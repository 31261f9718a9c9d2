import { machine } from './processes.ts'
import type { Spread } from './round.ts'

const text = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2)

/** `median (min–max)`. */
export const told = ({ median, min, max }: Spread): string => `${text(median)} (${text(min)}–${text(max)})`

export const heading = (title: string, versions: Readonly<Record<string, string>>): void => {
  const list = Object.entries({ node: process.version, ...versions }).map(
    ([name, version]) => `${name} ${version}`,
  )
  console.log(`\n${title}\n${machine()}; ${list.join(', ')}\n`)
}

export const table = (rows: readonly (readonly string[])[]): void => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
  }
}

/** The last line, for programs. */
export const figures = (bench: string, values: Readonly<Record<string, number>>): void => {
  const rounded = Object.entries(values).map(([name, value]) => [name, Number(value.toPrecision(3))])
  console.log(`\n${JSON.stringify({ bench, figures: Object.fromEntries(rounded) })}`)
}
