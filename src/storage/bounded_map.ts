import { LRUCache } from 'lru-cache'

export type BoundedMap<V extends {}, K extends {} = string> = LRUCache<K, V>

/**
 * A map that holds `most` entries and drops the least recently used one for the next.
 * Storing undefined removes an entry: a known absence needs a value of its own.
 */
export const boundedMap = <V extends {}, K extends {} = string>(most: number): BoundedMap<V, K> =>
  // With `max`, lru-cache allocates every slot at once: megabytes for each cache that a revision replaces.
  new LRUCache({ maxSize: most, sizeCalculation: () => 1 })
