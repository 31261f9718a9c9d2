import { inbox } from './parser.ts'

export interface HeaderName<T> {
  /** As received. */
  readonly text: string
  readonly lower: string
  readonly bytes: Buffer
  readonly treatment: T
}

const slots = 4096
/** Bounds the steps of a lookup when many names have the same hash. */
const maxSteps = 8
/** Longer names are not cached: a client could fill every slot with a whole head. */
const maxCachedBytes = 64

/** A cache that finds header names by their bytes, without making a string. Bounded, because clients choose the names. */
export class HeaderNames<T> {
  readonly #treat: (text: string, lower: string) => T
  readonly #names: (HeaderName<T> | undefined)[] = Array.from({ length: slots }, () => undefined)

  /** `treat` returns the treatment of a header name. */
  constructor(treat: (text: string, lower: string) => T) {
    this.#treat = treat
  }

  /** The name between these positions of the inbox. */
  at(start: number, end: number): HeaderName<T> {
    const names = this.#names
    const length = end - start
    let hash = 0
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + inbox[i]!) | 0
    const first = (hash ^ (hash >>> 12)) & (slots - 1)
    let slot = first
    for (let step = 0; step < maxSteps; step++) {
      slot = (first + step) & (slots - 1)
      const name = names[slot]
      if (name === undefined) break
      if (name.bytes.length === length && isAt(name.bytes, start)) return name
    }
    const text = inbox.latin1Slice(start, end)
    const lower = text.toLowerCase()
    const name = { text, lower, bytes: Buffer.from(text, 'latin1'), treatment: this.#treat(text, lower) }
    // If no slot is free, the last one is replaced, so that unused names disappear.
    if (length <= maxCachedBytes) names[slot] = name
    return name
  }
}

const isAt = (bytes: Buffer, start: number): boolean => {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== inbox[start + i]) return false
  return true
}
