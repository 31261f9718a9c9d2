import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { createLog } from '../../src/log/log.ts'
import { Cached } from '../../src/storage/cached.ts'
import type { Database } from '../../src/storage/database.ts'
import { now } from '../../src/storage/ids.ts'
import { onBothDatabases } from '../support/databases.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

onBothDatabases('two nodes on one database', (newUrl, kind) => {
  let here: Database
  let there: Database
  let url: string
  const logged: string[] = []
  before(async () => {
    url = newUrl()
    here = await openDatabase(url, createLog('silent'))
    there = await openDatabase(url, createLog('debug', { write: (line) => void logged.push(line) }))
  })
  after(() => Promise.all([here.close(), there.close()]))

  const put = (database: Database, value: string) =>
    database.write(async () => {
      database.changed('settings')
      await database.query
        .insertInto('settings')
        .values({ key: 'shared', value, updated_at: now() })
        .onConflict((taken) => taken.column('key').doUpdateSet({ value }))
        .execute()
    })
  const cacheOf = (database: Database) =>
    new Cached(database, ['settings'], async () => {
      const row = await database.query
        .selectFrom('settings')
        .select('value')
        .where('key', '=', 'shared')
        .executeTakeFirst()
      return row?.value ?? 'none'
    })
  /** Waits for the value: another node sees it within a second, or much later on a busy machine. */
  const within = async (cached: Cached<string>, expected: string) => {
    const deadline = Date.now() + 15_000
    let value = await cached.get()
    while (value !== expected && Date.now() < deadline) {
      await delay(5)
      value = await cached.get()
    }
    return value
  }

  test('a node sees a change at once on SQLite, and soon on PostgreSQL', async () => {
    const cached = cacheOf(there)
    for (let i = 0; i < 20; i++) {
      await put(here, `value ${i}`)
      if (kind === 'sqlite') assert.equal(cached.warm() ?? (await cached.get()), `value ${i}`)
      else assert.equal(await within(cached, `value ${i}`), `value ${i}`)
    }
  })

  test('after a notification, the first read returns the new value, concurrent reads included', async () => {
    const cached = cacheOf(there)
    for (let i = 0; i < 10; i++) {
      await cached.get()
      await put(here, `notified ${i}`)
      // Longer than a notification takes, and shorter than the time without one that is trusted.
      await delay(150)
      const both = [cached.get(), cached.get()]
      assert.deepEqual(await Promise.all(both), [`notified ${i}`, `notified ${i}`])
    }
  })

  test('a node sees its own change at once, and its cache stays warm without changes', async () => {
    const cached = cacheOf(there)
    for (let i = 0; i < 20; i++) {
      await put(there, `own ${i}`)
      assert.equal(await cached.get(), `own ${i}`)
    }
    assert.equal(await cached.get(), cached.warm())
  })

  test('a rolled-back change invalidates nothing elsewhere', async () => {
    const cached = cacheOf(there)
    const kept = await cached.get()
    await assert.rejects(
      here.write(async () => {
        await put(here, 'lost')
        throw new TypeError('no')
      }),
    )
    await delay(20)
    assert.equal(await cached.get(), kept)
  })

  test('concurrent writers of two nodes lose no update', async () => {
    await put(here, '0')
    const increment = (database: Database) =>
      database.write(async () => {
        const { value } = await database.query
          .selectFrom('settings')
          .select('value')
          .where('key', '=', 'shared')
          .executeTakeFirstOrThrow()
        await put(database, String(Number(value) + 1))
      })
    await Promise.all(Array.from({ length: 20 }, (_, i) => increment(i % 2 ? here : there)))
    assert.equal(await cacheOf(here).get(), '20')
  })

  test('a writer that waits for another node does not block other work', async () => {
    const waiting = Promise.withResolvers<void>()
    await here.write(async () => {
      await put(here, 'first')
      put(there, 'second').then(waiting.resolve, waiting.reject)
      // If it blocked, this would not be reached: the other writer waits for this transaction.
      for (let i = 0; i < 20; i++) await delay(5)
    })
    await waiting.promise
    assert.equal(await within(cacheOf(here), 'second'), 'second')
  })

  // SQLite does not use notifications.
  if (kind === 'postgres')
    test('a value without notifications is trusted for a second, even if the clock is set back', async (t) => {
      const cached = cacheOf(there)
      await cached.get()
      const { now: present } = Date
      t.mock.method(Date, 'now', () => present() - 3_600_000)
      // Raises the revision without a notification, as if it were lost.
      await sql`update settings set value = '"unnotified"' where key = 'shared'`.execute(here.query)
      await sql`update revisions set value = value + 1 where subject = 'settings'`.execute(here.query)
      await delay(1100)
      assert.equal(await cached.get(), '"unnotified"')
    })

  // SQLite has no notification connection.
  if (kind === 'postgres')
    test('a node sees changes after its notification connection was killed, and after a lost notification', async () => {
      const cached = cacheOf(there)
      await cached.get()
      for (let round = 0; round < 2; round++) {
        // In the second round the connection may not be back yet.
        for (let killed = 0; killed === 0; await delay(20)) {
          const { rows } = await sql`select pg_terminate_backend(pid)
            from pg_stat_activity where datname = current_database() and query ilike 'listen%'`.execute(
            here.query,
          )
          killed = rows.length
        }
        await put(here, `after kill ${round}`)
        assert.equal(await within(cached, `after kill ${round}`), `after kill ${round}`)
      }
      assert.ok(logged.some((line) => line.includes('the connection for change notifications was lost')))
      // Raises the revision without a notification, as if it were lost.
      await sql`update settings set value = '"silent"' where key = 'shared'`.execute(here.query)
      await sql`update revisions set value = value + 1 where subject = 'settings'`.execute(here.query)
      const deadline = Date.now() + 15_000
      while ((await cached.get()) !== '"silent"' && Date.now() < deadline) await delay(20)
      assert.equal(await cached.get(), '"silent"')
    })
})
