import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boundedMap } from '../../src/storage/bounded_map.ts'

test('a full map drops its least recently used entry alone', () => {
  const map = boundedMap<number>(3)
  for (const [i, key] of ['a', 'b', 'c'].entries()) map.set(key, i)
  assert.equal(map.get('a'), 0)
  map.set('d', 3)
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => map.get(key)),
    [0, undefined, 2, 3],
  )
  assert.equal(map.size, 3)
})
