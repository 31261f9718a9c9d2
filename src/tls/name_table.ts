/** Maps host names to values. A name that begins with `*.` matches exactly one label there. */
export class NameTable<T> {
  readonly #exact = new Map<string, T>()
  readonly #suffixes = new Map<string, T>()

  /** Ignored if the name already has a value. */
  add(name: string, value: T): void {
    const [map, key] = name.startsWith('*.') ? [this.#suffixes, name.slice(1)] : [this.#exact, name]
    if (!map.has(key)) map.set(key, value)
  }

  exact(name: string): T | undefined {
    return this.#exact.get(name)
  }

  wildcard(name: string): T | undefined {
    const dot = name.indexOf('.')
    return dot > 0 ? this.#suffixes.get(name.slice(dot)) : undefined
  }
}
