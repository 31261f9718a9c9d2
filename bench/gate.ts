import { goals } from './goals.ts'
import type { Saved } from './report.ts'

/** The gate reports a figure that gets worse by more than this fraction. */
const tolerance = 0.1

type Measurements = Readonly<Record<string, Saved>>

/** A figure before and now. */
export interface Change {
  readonly bench: string
  readonly figure: string
  readonly before: number
  /** Undefined if the new run did not measure it. */
  readonly now: number | undefined
  /** The fraction of the earlier value by which it is worse; negative if it is better. */
  readonly worse: number
}

/** Which figures are compared: times and rates drift with the machine, but ratios are medians of paired rounds, and memory is steady. */
const isSteady = (figure: string) => !figure.endsWith('_ms')

/** How the figures that have a direction changed, for the measurements in `names`. */
export const changes = (before: Measurements, now: Measurements, names: readonly string[]): Change[] =>
  names.flatMap((bench) =>
    Object.entries(goals[bench] ?? {}).flatMap(([figure, { better }]) => {
      const [earlier, later] = [before[bench]?.figures[figure], now[bench]?.figures[figure]]
      if (earlier === undefined || !isSteady(figure)) return []
      const growth = later === undefined ? Infinity : later / earlier - 1
      const worse = later !== undefined && better === 'more' ? -growth : growth
      return [{ bench, figure, before: earlier, now: later, worse }]
    }),
  )

/** The changes for the worse by more than a tenth. */
export const worsened = (all: readonly Change[]): Change[] => all.filter(({ worse }) => worse > tolerance)

/** The changes that a second run confirms: other work on the machine rarely disturbs the same figure twice. */
export const confirmed = (first: readonly Change[], second: readonly Change[]): Change[] =>
  worsened(first).filter(({ bench, figure }) =>
    worsened(second).some((change) => change.bench === bench && change.figure === figure),
  )

export const described = ({ bench, figure, before, now, worse }: Change): string =>
  now === undefined
    ? `${bench} ${figure}: ${before} before, not measured now`
    : `${bench} ${figure}: ${before} before, ${now} now, ${Math.abs(100 * worse).toFixed(0)} % ${worse > 0 ? 'worse' : 'better'}`
