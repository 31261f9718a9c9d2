/** What one round of one contestant gave: a rate, and other figures to be told beside it. */
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

export class Results {
  readonly #rounds = new Map<string, Measured[]>()

  add(name: string, measured: Measured): void {
    this.#rounds.set(name, [...(this.#rounds.get(name) ?? []), measured])
  }

  has(name: string): boolean {
    return this.#rounds.has(name)
  }

  of(name: string, figure = 'rate'): Spread {
    return spread(this.#rounds.get(name)!.map((measured) => measured[figure]!))
  }

  /** The ratio of two contestants, taken within each round: what slows the whole machine slows both. */
  ratio(name: string, peer: string, figure = 'rate'): Spread {
    const peers = this.#rounds.get(peer)!
    return spread(
      this.#rounds.get(name)!.map((measured, round) => measured[figure]! / peers[round]![figure]!),
    )
  }
}

/** Lets all take turns, round by round, each round beginning with another one. The first round warms up and is thrown away. */
export const takeTurns = async (contestants: readonly Contestant[], rounds: number): Promise<Results> => {
  const results = new Results()
  for (let round = 0; round <= rounds; round++) {
    for (let i = 0; i < contestants.length; i++) {
      const { name, measure } = contestants[(i + round) % contestants.length]!
      const measured = await measure()
      if (round > 0) results.add(name, measured)
    }
  }
  return results
}
