/** Results of one contestant in one round: a rate and other figures. */
export interface Measured {
  readonly rate: number
  readonly [figure: string]: number
}

export interface Contestant {
  readonly name: string
  readonly measure: () => Promise<Measured>
}

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export const spread = (values: readonly number[]): Spread => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

/** A server that used less than this percentage of its core was not the bottleneck. */
export const busyFrom = 85

/** A ratio (higher is better) and the figure that it is based on. */
export interface Comparison extends Spread {
  readonly by: 'rate' | 'processor time'
}

export class Results {
  readonly #rounds = new Map<string, Measured[]>()

  add(name: string, measured: Measured): void {
    this.#rounds.set(name, [...(this.#rounds.get(name) ?? []), measured])
  }

  has(name: string): boolean {
    return this.#rounds.has(name)
  }

  /** The spread of every figure of every contestant. */
  all(): Record<string, Record<string, Spread>> {
    const each = [...this.#rounds].map(([name, [first]]) => {
      const names = Object.keys(first!)
      return [name, Object.fromEntries(names.map((figure) => [figure, this.of(name, figure)]))] as const
    })
    return Object.fromEntries(each)
  }

  of(name: string, figure = 'rate'): Spread {
    return spread(this.#rounds.get(name)!.map((measured) => measured[figure]!))
  }

  /** The ratio of two contestants, computed within each round: a machine that slows down slows both. */
  ratio(name: string, peer: string, figure = 'rate'): Spread {
    const peers = this.#rounds.get(peer)!
    return spread(
      this.#rounds.get(name)!.map((measured, round) => measured[figure]! / peers[round]![figure]!),
    )
  }

  /**
   * How many times as much work as `peer` the contestant `name` does with the same processor.
   * The rates count only if both kept their core busy. Otherwise they reflect the generator or other work on the machine, and the
   * processor time per request counts instead.
   */
  compare(name: string, peer: string): Comparison {
    const busy = [name, peer].every((contestant) => this.of(contestant, 'served').median >= busyFrom)
    return busy
      ? { ...this.ratio(name, peer), by: 'rate' }
      : { ...this.ratio(peer, name, 'cpu'), by: 'processor time' }
  }
}

/** The number of rounds; BENCH_ROUNDS replaces it. */
export const roundsOr = (usual: number): number => Number(process.env.BENCH_ROUNDS ?? usual)

const once = async ({ measure }: Contestant): Promise<void> => void (await measure())

/** The longest warm-up in seconds; BENCH_WARM replaces it. */
const longest = Number(process.env.BENCH_WARM ?? 20)

/**
 * Lets a contestant work until two turns in a row cost the same within a twentieth: V8 keeps compiling for ten seconds and more.
 * Compares processor time, because other work on the machine disturbs it less than the rate.
 */
export const untilSteady = async ({ measure }: Contestant): Promise<void> => {
  const deadline = performance.now() + longest * 1000
  let before = Number.NaN
  for (;;) {
    const { cpu } = await measure()
    if (Math.abs(cpu! / before - 1) < 0.05 || performance.now() > deadline) return
    before = cpu!
  }
}

/** Runs all contestants in turns, round by round. Each round starts with a different one. Results of the warm-up do not count. */
export const takeTurns = async (
  contestants: readonly Contestant[],
  rounds: number,
  warmUp: (contestant: Contestant) => Promise<void> = once,
): Promise<Results> => {
  const results = new Results()
  for (const contestant of contestants) await warmUp(contestant)
  for (let round = 1; round <= rounds; round++) {
    for (let i = 0; i < contestants.length; i++) {
      const { name, measure } = contestants[(i + round) % contestants.length]!
      results.add(name, await measure())
    }
  }
  return results
}
