import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../src/storage/ids.ts'
import { Seal } from '../../src/secrets/seal.ts'

const secret = 'a master secret of forty-two characters...'

test('a sealed value opens in its row with its secret, and is a different text each time', () => {
  const seal = new Seal(secret)
  const sealed = seal.seal('the text – ü', 'settings:smtp_password')
  assert.equal(new Seal(secret).open(sealed, 'settings:smtp_password'), 'the text – ü')
  assert.notEqual(seal.seal('the text – ü', 'settings:smtp_password'), sealed)
  assert.ok(!sealed.includes('text'))
})

test('another row, another secret and any flipped bit are refused', () => {
  const seal = new Seal(secret)
  const sealed = seal.seal('text', 'row:1')
  assert.throws(() => seal.open(sealed, 'row:2'))
  assert.throws(() => new Seal(`${secret}!`).open(sealed, 'row:1'))
  const bytes = Buffer.from(sealed.slice(3), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    assert.throws(() => seal.open(`v1.${flipped.toString('base64url')}`, 'row:1'), `bit ${bit}`)
  }
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => seal.open(`v1.${bytes.subarray(0, length).toString('base64url')}`, 'row:1'))
  assert.throws(() => seal.open(sealed.replace('v1', 'v2'), 'row:1'), /not a sealed value/)
  assert.throws(() => seal.open('', 'row:1'), /not a sealed value/)
})

test('keys for different purposes differ', () => {
  const seal = new Seal(secret)
  assert.notDeepEqual(seal.derive('one'), seal.derive('other'))
  assert.deepEqual(seal.derive('one'), new Seal(secret).derive('one'))
  assert.equal(seal.derive('one').length, 32)
})

test('IDs are version 7 UUIDs that sort by creation, within a millisecond as well', () => {
  const from = Date.now()
  const ids = Array.from({ length: 20_000 }, newId)
  const until = Date.now()
  assert.deepEqual([...ids].sort(), ids)
  assert.equal(new Set(ids).size, ids.length)
  for (const id of ids)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  const time = (id: string) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
  assert.ok(time(ids[0]!) >= from)
  // More than 4,096 IDs in a millisecond borrow from the next ones.
  assert.ok(time(ids.at(-1)!) <= until + 20_000 / 4096 + 1)
})
