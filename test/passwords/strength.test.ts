import assert from 'node:assert/strict'
import { test } from 'node:test'
import { strength } from '../../src/passwords/strength.ts'

test('the thread with the dictionaries keeps a process alive only while somebody waits for a score', async () => {
  const keepsAlive = () => process.getActiveResourcesInfo().includes('MessagePort')
  assert.equal(keepsAlive(), false)
  const scores = [strength.score('password', []), strength.score('mosaic-lantern-42-orbit', [])]
  assert.equal(keepsAlive(), true)
  const [weak, strong] = await Promise.all(scores)
  assert.ok(weak! < 3 && strong! >= 3)
  assert.equal(keepsAlive(), false)
})
