/** Remembers what was seen, to log it once. Bounded, because clients choose what is seen: after that nothing is new. */
export class FirstTimes {
  readonly #seen = new Set<string>()
  readonly #most: number

  constructor(most = 100) {
    this.#most = most
  }

  /** True for a key that was not seen before, as long as there is room for it. */
  is(key: string): boolean {
    if (this.#seen.size >= this.#most || this.#seen.has(key)) return false
    this.#seen.add(key)
    return true
  }
}
