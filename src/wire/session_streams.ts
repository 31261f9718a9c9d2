import type { Http2Session } from 'node:http2'

/** The state of a session in node:http2, private to Node. */
interface State {
  readonly streams: unknown
  readonly pendingStreams: unknown
}

/** Streams by their id, with the methods of Map that node:http2 uses. */
class StreamTable<T> {
  readonly #ids: number[] = []
  readonly #streams: T[] = []

  get size(): number {
    return this.#ids.length
  }

  get(id: number): T | undefined {
    const place = this.#ids.lastIndexOf(id)
    return place < 0 ? undefined : this.#streams[place]
  }

  set(id: number, stream: T): void {
    this.delete(id)
    this.#ids.push(id)
    this.#streams.push(stream)
  }

  delete(id: number): boolean {
    const place = this.#ids.lastIndexOf(id)
    if (place < 0) return false
    const lastId = this.#ids.pop()!
    const last = this.#streams.pop()!
    if (place < this.#ids.length) {
      this.#ids[place] = lastId
      this.#streams[place] = last
    }
    return true
  }

  /** Iterates over a copy, because `visit` may remove streams. */
  forEach(visit: (stream: T) => void): void {
    for (const stream of this.#streams.slice()) visit(stream)
  }
}

/** Streams without an id, with the methods of Set that node:http2 uses. The stream of a client is here only for a moment. */
class PendingStreams<T> {
  readonly #streams: T[] = []

  get size(): number {
    return this.#streams.length
  }

  add(stream: T): void {
    this.#streams.push(stream)
  }

  delete(stream: T): boolean {
    const place = this.#streams.lastIndexOf(stream)
    if (place < 0) return false
    this.#streams.splice(place, 1)
    return true
  }

  forEach(visit: (stream: T) => void): void {
    for (const stream of this.#streams.slice()) visit(stream)
  }
}

/** Whether this is an empty collection with every property that `other` has. */
const isEmptyLike = (kept: unknown, other: object): boolean =>
  typeof kept === 'object' &&
  kept !== null &&
  (kept as { size?: unknown }).size === 0 &&
  Object.getOwnPropertyNames(other).every((name) => name in kept)

/**
 * Makes a new session keep its streams in lists. node:http2 keeps them in a Map and a Set, which get an entry for every request; see
 * `OpenList` for the cost. Returns false and changes nothing if this version of Node keeps them in another way.
 */
export const keepStreamsInLists = (session: Http2Session): boolean => {
  const key = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'state')
  const state = key && (session as unknown as Record<symbol, Partial<State> | undefined>)[key]
  if (!isEmptyLike(state?.streams, StreamTable.prototype)) return false
  if (!isEmptyLike(state?.pendingStreams, PendingStreams.prototype)) return false
  Object.assign(state!, { streams: new StreamTable(), pendingStreams: new PendingStreams() })
  return true
}
