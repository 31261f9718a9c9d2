import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import Sqlite from 'better-sqlite3'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { now } from '../../src/storage/ids.ts'
import type { Prepared } from '../../src/storage/prepared.ts'
import { onBothDatabases } from '../support/databases.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

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

  test('each call uses its own values, in any order and more than once', async () => {
    const first = async (key: string, other: string) => (await settings({ key, other }))?.key
    assert.equal(await first('a', ''), 'a')
    assert.equal(await first('b', 'c'), 'b')
    assert.deepEqual(await Promise.all([first('a', 'b'), first('b', 'a'), first('a', 'a')]), ['a', 'b', 'c'])
    assert.equal(await first('nobody', 'c'), undefined)
    assert.equal(await first("' or 1=1 --", 'c'), undefined)
  })

  test(kind === 'sqlite' ? 'it returns a value' : 'it returns a promise', () => {
    const row = settings({ key: 'a', other: '' })
    assert.equal(row instanceof Promise, kind === 'postgres')
    return row instanceof Promise ? row.then(() => {}) : undefined
  })

  test('inside write() it reads the transaction, which others do not see before the commit', async () => {
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

  test('a value from a rolled-back transaction is not read again', async () => {
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

describe('reads that share a snapshot', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-snapshot-'))
  const file = join(dir, 'test.db')
  let database: Database
  let other: Sqlite.Database
  let setting: Prepared<{ key: string }, Row>
  before(async () => {
    database = await openDatabase(`sqlite:${file}`, createLog('silent'))
    setting = database.prepared((query, { key }: { key: string }) =>
      query.selectFrom('settings').select(['key', 'value']).where('key', '=', key),
    )
    other = new Sqlite(file)
  })
  after(async () => {
    other.close()
    await database.close()
    rmSync(dir, { recursive: true, force: true })
  })
  /** Changes a setting as another process would, during a callback of ours. */
  const changeElsewhere = (key: string, value: string) =>
    other.transaction(() => {
      other
        .prepare(
          'insert into settings (key, value, updated_at) values (?, ?, 0) on conflict do update set value = ?',
        )
        .run(key, value, value)
      other.prepare("update revisions set value = value + 1 where subject = 'settings'").run()
    })()
  const value = (key: string) => {
    const row = setting({ key })
    assert.ok(!(row instanceof Promise))
    return row?.value
  }

  test('the next callback sees a change that was made during the previous one', async () => {
    for (const change of ['1', '2', '3']) {
      for (let i = 0; i < 3; i++) value('next')
      changeElsewhere('next', change)
      await new Promise(setImmediate)
      assert.equal(value('next'), change)
      assert.equal(value('next'), change)
    }
  })

  /** Returns the revision of the settings, in a callback of its own. */
  const revision = async () => {
    await new Promise(setImmediate)
    void database.revisions.refresh()
    await new Promise(setImmediate)
    return database.revisions.of('settings')
  }

  test('after a revision is refreshed, a read in the same callback returns the changed value', async () => {
    const before = await revision()
    for (let i = 0; i < 3; i++) value('asked')
    changeElsewhere('asked', '1')
    void database.revisions.refresh()
    assert.equal(database.revisions.of('settings'), before + 1)
    assert.equal(value('asked'), '1')
  })

  test('a change that a snapshot did not show is seen by the next callback', async () => {
    const before = await revision()
    for (let i = 0; i < 3; i++) value('missed')
    changeElsewhere('missed', '1')
    void database.revisions.refresh()
    for (let i = 0; i < 3; i++) value('missed')
    assert.equal(await revision(), before + 1)
  })

  test('our own change is read once it is committed', async () => {
    const readMany = async () => {
      for (let i = 0; i < 200; i++) {
        value('own')
        value('own')
        await undefined
      }
    }
    for (let i = 0; i < 20; i++) {
      const reading = readMany()
      await database.write(async () => {
        await database.query
          .insertInto('settings')
          .values({ key: 'own', value: String(i), updated_at: now() })
          .onConflict((taken) => taken.column('key').doUpdateSet({ value: String(i) }))
          .execute()
      })
      assert.equal(value('own'), String(i))
      await reading
    }
  })

  test('no snapshot outlives its callback, so the write-ahead log can be truncated', async () => {
    for (let i = 0; i < 3; i++) value('open')
    changeElsewhere('open', '1')
    await new Promise(setImmediate)
    const [{ busy }] = other.pragma('wal_checkpoint(TRUNCATE)') as [{ busy: number }]
    assert.equal(busy, 0)
  })
})
