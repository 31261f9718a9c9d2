import { LRUCache } from 'lru-cache'

export type BoundedMap<V extends {}, K extends {} = string> = LRUCache<K, V>

/**
 * A map that holds up to `maxEntries` entries and then drops the least recently used one. Storing undefined removes an
 * entry: to remember an absence, store a value of your own.
 */
export const boundedMap = <V extends {}, K extends {} = string>(maxEntries: number): BoundedMap<V, K> =>
  // With `max`, lru-cache allocates all slots at once: megabytes for each cache that a revision replaces.
  new LRUCache({ maxSize: maxEntries, sizeCalculation: () => 1 })
