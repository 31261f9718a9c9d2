import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createLog } from '../../src/log/log.ts'
import { Cached } from '../../src/storage/cached.ts'
import type { Database } from '../../src/storage/database.ts'
import { now } from '../../src/storage/ids.ts'
import { onBothDatabases } from '../support/databases.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const log = createLog('silent')

onBothDatabases('write()', (newUrl) => {
  let database: Database
  before(async () => (database = await openDatabase(newUrl(), log)))
  after(() => database.close())

  const put = (key: string, value: string) =>
    database.query
      .insertInto('settings')
      .values({ key, value, updated_at: now() })
      .onConflict((taken) => taken.column('key').doUpdateSet({ value }))
      .execute()
  const value = async (key: string) =>
    (await database.query.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst())
      ?.value
  const revision = async () => {
    await database.revisions.refresh()
    return database.revisions.of('settings')
  }

  test('a write that throws leaves nothing behind and raises no revision', async () => {
    const before = await revision()
    const failing = database.write(async () => {
      await put('lost', '1')
      database.changed('settings')
      throw new TypeError('rolled back')
    })
    await assert.rejects(failing, /^TypeError: rolled back$/)
    assert.equal(await value('lost'), undefined)
    assert.equal(await revision(), before)
  })

  test('a nested write joins the outer one, and rolls back with it', async () => {
    const failing = database.write(async () => {
      await database.write(() => put('inner', '1'))
      assert.equal(await value('inner'), '1')
      throw new TypeError('rolled back')
    })
    await assert.rejects(failing, /^TypeError: rolled back$/)
    assert.equal(await value('inner'), undefined)
  })

  test('a revision is raised once for each commit, however often it was marked', async () => {
    const before = await revision()
    await database.write(async () => {
      database.changed('settings')
      database.changed('settings')
      await put('kept', '1')
    })
    assert.equal(await revision(), before + 1)
  })

  test('changed() outside write() is a programming error', () => {
    assert.throws(() => database.changed('settings'), TypeError)
  })

  test('writes run one at a time, so no read-modify-write loses an update', async () => {
    await database.write(() => put('count', '0'))
    const increment = () =>
      database.write(async () => {
        const seen = Number(await value('count'))
        await new Promise(setImmediate)
        await put('count', String(seen + 1))
      })
    await Promise.all(Array.from({ length: 20 }, increment))
    assert.equal(await value('count'), '20')
  })

  test('no cache keeps a value from a rolled-back transaction', async () => {
    const load = async () => (await value('cached')) ?? 'none'
    const cached = new Cached(database, ['settings'], load)
    const madeInside = new Cached(database, ['settings'], load)
    assert.equal(await cached.get(), 'none')
    const failing = database.write(async () => {
      await put('cached', 'lost')
      database.changed('settings')
      assert.equal(await cached.get(), 'lost')
      assert.equal(await madeInside.get(), 'lost')
      throw new TypeError('rolled back')
    })
    await assert.rejects(failing, /^TypeError: rolled back$/)
    assert.equal(await cached.get(), 'none')
    assert.equal(await madeInside.get(), 'none')
    await database.write(async () => {
      await put('cached', 'kept')
      database.changed('settings')
    })
    assert.equal(await cached.get(), 'kept')
  })

  test('others see nothing of an open transaction, in the tables or in caches', async () => {
    const cached = new Cached(database, ['settings'], async () => (await value('open')) ?? 'none')
    assert.equal(await cached.get(), 'none')
    let inside = () => {}
    const halfway = new Promise<void>((resolve) => (inside = resolve))
    let finish = () => {}
    const held = new Promise<void>((resolve) => (finish = resolve))
    const writing = database.write(async () => {
      await put('open', 'yes')
      database.changed('settings')
      inside()
      await held
    })
    await halfway
    assert.equal(await cached.get(), 'none')
    finish()
    await writing
    assert.equal(await cached.get(), 'yes')
  })

  test('a read after a change does not share a load that began before it', async () => {
    let slow: Promise<void> | undefined
    const cached = new Cached(database, ['settings'], async () => {
      const seen = (await value('race')) ?? 'old'
      await slow
      return seen
    })
    let release = () => {}
    slow = new Promise<void>((resolve) => (release = resolve))
    const early = Promise.resolve(cached.get())
    // The first load has read its row once a transaction of the same database has finished.
    await database.write(async () => {
      await put('race', 'new')
      database.changed('settings')
    })
    const late = Promise.resolve(cached.get())
    release()
    assert.ok(['old', 'new'].includes(await early))
    assert.equal(await late, 'new')
    assert.equal(await cached.get(), 'new')
  })
})
