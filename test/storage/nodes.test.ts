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

onBothDatabases('a second node on the same database', (newUrl, kind) => {
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
  /** The value once it has come. Other nodes have a second for it; on a busy machine it may be many. */
  const within = async (cached: Cached<string>, expected: string) => {
    const deadline = Date.now() + 15_000
    let value = await cached.get()
    while (value !== expected && Date.now() < deadline) {
      await delay(5)
      value = await cached.get()
    }
    return value
  }

  test('sees a change: at once on SQLite, soon on PostgreSQL', async () => {
    const cached = cacheOf(there)
    for (let i = 0; i < 20; i++) {
      await put(here, `value ${i}`)
      if (kind === 'sqlite') assert.equal(cached.warm() ?? (await cached.get()), `value ${i}`)
      else assert.equal(await within(cached, `value ${i}`), `value ${i}`)
    }
  })

  test('once it was told, the very first answer is the new one, also while it is still asking', async () => {
    const cached = cacheOf(there)
    for (let i = 0; i < 10; i++) {
      await cached.get()
      await put(here, `told ${i}`)
      // Longer than a notification takes and shorter than silence is trusted.
      await delay(150)
      const both = [cached.get(), cached.get()]
      assert.deepEqual(await Promise.all(both), [`told ${i}`, `told ${i}`])
    }
  })

  test('sees its own change at once, and stays warm when nothing changes', async () => {
    const cached = cacheOf(there)
    for (let i = 0; i < 20; i++) {
      await put(there, `own ${i}`)
      assert.equal(await cached.get(), `own ${i}`)
    }
    assert.equal(await cached.get(), cached.warm())
  })

  test('a rolled-back change raises nothing elsewhere', async () => {
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

  test('writers of two nodes do not lose each other', async () => {
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

  test('a writer that waits for another holds up nothing else', async () => {
    const waiting = Promise.withResolvers<void>()
    await here.write(async () => {
      await put(here, 'first')
      put(there, 'second').then(waiting.resolve, waiting.reject)
      // Held up, this would never get so far: the other one waits for this very transaction.
      for (let i = 0; i < 20; i++) await delay(5)
    })
    await waiting.promise
    assert.equal(await within(cacheOf(here), 'second'), 'second')
  })

  // SQLite sends no notifications.
  if (kind === 'postgres')
    test('trusts silence for a second and no longer, also when the clock is set back', async (t) => {
      const cached = cacheOf(there)
      await cached.get()
      const { now: present } = Date
      t.mock.method(Date, 'now', () => present() - 3_600_000)
      // A revision that nobody told of: the notification was lost on its way.
      await sql`update settings set value = '"untold"' where key = 'shared'`.execute(here.query)
      await sql`update revisions set value = value + 1 where subject = 'settings'`.execute(here.query)
      await delay(1100)
      assert.equal(await cached.get(), '"untold"')
    })

  // SQLite has no such connection.
  if (kind === 'postgres')
    test('sees changes after the connection that tells of them was killed, and when it is silent', async () => {
      const cached = cacheOf(there)
      await cached.get()
      for (let round = 0; round < 2; round++) {
        // In the second round it first has to be there again.
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
      // A revision that nobody told of: the notification was lost on its way.
      await sql`update settings set value = '"silent"' where key = 'shared'`.execute(here.query)
      await sql`update revisions set value = value + 1 where subject = 'settings'`.execute(here.query)
      const deadline = Date.now() + 15_000
      while ((await cached.get()) !== '"silent"' && Date.now() < deadline) await delay(20)
      assert.equal(await cached.get(), '"silent"')
    })
})
