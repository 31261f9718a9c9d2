/** A member of an OpenList: it carries its own position. */
export interface Listed {
  /** Index in the list; -1 while it is in none. Only the list writes it. */
  place: number
}

/**
 * Things in progress, in no order. Use it wherever members come and go with every request.
 *
 * A Set would do the same, but V8 rebuilds a Set's table every few dozen changes, and each old table points to the next.
 * Once one old table is promoted to old space, it keeps all later ones alive, and every request in flight with them.
 */
export class OpenList<T extends Listed> implements Iterable<T> {
  readonly #members: T[] = []

  get size(): number {
    return this.#members.length
  }

  add(member: T): void {
    member.place = this.#members.push(member) - 1
  }

  /** Does nothing if `member` is not in the list. */
  delete(member: T): void {
    const { place } = member
    if (place < 0) return
    member.place = -1
    const last = this.#members.pop()!
    if (last === member) return
    this.#members[place] = last
    last.place = place
  }

  /** Iterates over the current members, and skips those that leave during the iteration. */
  *[Symbol.iterator](): Generator<T, void> {
    const present = this.#members.slice()
    for (const member of present) if (member.place >= 0) yield member
  }
}
