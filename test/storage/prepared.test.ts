import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createLog } from '../../src/log.ts'
import { openDatabase, type Database } from '../../src/storage/database.ts'
import { now } from '../../src/storage/id.ts'
import type { Prepared } from '../../src/storage/prepared.ts'
import { onBothDatabases } from '../helpers/databases.ts'

interface Row {
  readonly key: string
  readonly value: string
}

onBothDatabases('prepared()', (newUrl, kind) => {
  let database: Database
  let settings: Prepared<{ key: string; other: string }, Row>
  const put = (key: string, value: string) =>
    database.query.insertInto('settings').values({ key, value, updated_at: now() }).execute()

  before(async () => {
    database = await openDatabase(newUrl(), createLog('silent'))
    settings = database.prepared((query, { key, other }: { key: string; other: string }) =>
      query
        .selectFrom('settings')
        .select(['key', 'value'])
        .where((eb) => eb.or([eb('key', '=', other), eb('key', '=', key), eb('value', '=', 'everywhere')]))
        .where('key', '!=', other)
        .orderBy('key'),
    )
    await put('a', '1')
    await put('b', '2')
    await put('c', 'everywhere')
  })
  after(() => database.close())

  test('each call has its own values, in any order and more than once', async () => {
    const first = async (key: string, other: string) => (await settings({ key, other }))?.key
    assert.equal(await first('a', ''), 'a')
    assert.equal(await first('b', 'c'), 'b')
    assert.deepEqual(await Promise.all([first('a', 'b'), first('b', 'a'), first('a', 'a')]), ['a', 'b', 'c'])
    assert.equal(await first('nobody', 'c'), undefined)
    assert.equal(await first("' or 1=1 --", 'c'), undefined)
  })

  test(kind === 'sqlite' ? 'it takes no promise' : 'it takes a promise', () => {
    const row = settings({ key: 'a', other: '' })
    assert.equal(row instanceof Promise, kind === 'postgres')
    return row instanceof Promise ? row.then(() => {}) : undefined
  })

  test('inside write it reads the transaction, and nobody else does before the commit', async () => {
    const value = async () => (await settings({ key: 'mine', other: 'c' }))?.value
    let outside: Promise<string | undefined> | undefined
    let look = () => {}
    const looking = new Promise<void>((resolve) => (look = resolve)).then(() => (outside = value()))
    await database.write(async () => {
      await put('mine', 'kept')
      assert.equal(await value(), 'kept')
      look()
      await looking
      assert.equal(await outside, undefined)
    })
    assert.equal(await value(), 'kept')
  })

  test('what a transaction read and lost is not read again', async () => {
    const value = async () => (await settings({ key: 'lost', other: 'c' }))?.value
    const failing = database.write(async () => {
      await put('lost', '1')
      assert.equal(await value(), '1')
      throw new TypeError('rolled back')
    })
    await assert.rejects(failing, /rolled back/)
    assert.equal(await value(), undefined)
  })
})
