import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { now } from '../../src/storage/ids.ts'
import { SqliteThread } from '../../src/storage/sqlite/threads.ts'
import { SqliteMaintenance } from '../../src/storage/sqlite/upkeep.ts'
import { CachedKeys } from '../../src/users/cached_keys.ts'
import { onBothDatabases } from '../support/databases.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const log = createLog('silent')

const onSqlite = async (t: TestContext, open = true) => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-threads-'))
  const file = join(dir, 'x.db')
  const database = await openDatabase(`sqlite:${file}`, log)
  t.after(async () => {
    if (open) await database.close()
    rmSync(dir, { recursive: true })
  })
  return { database, file }
}
const keep = (database: Database, key: string) =>
  database.query.insertInto('instance').values({ key, value: '' }).execute()
const kept = async ({ query }: Database) =>
  (await query.selectFrom('instance').select('key').where('key', 'like', 'k%').orderBy('key').execute()).map(
    ({ key }) => key,
  )

test('a thread that dies in a transaction rolls it back, and the next thread works', async (t) => {
  const { database, file } = await onSqlite(t)
  const thread = new SqliteThread({ file, readonly: false })
  t.after(() => thread.close())
  const module = new URL('./dying_task.ts', import.meta.url).href
  const transaction = thread.kysely.transaction().execute(async (query) => {
    await query.insertInto('instance').values({ key: 'k1', value: '' }).execute()
    await thread.request({ module, argument: null }).catch(() => {})
    await query.insertInto('instance').values({ key: 'k2', value: '' }).execute()
  })
  await assert.rejects(transaction, { code: 'SQLITE_IOERR' })
  assert.deepEqual(await kept(database), [])
  await thread.kysely.transaction().execute(async (query) => {
    await query.insertInto('instance').values({ key: 'k3', value: '' }).execute()
  })
  assert.deepEqual(await kept(database), ['k3'])
})

test('the reading thread cannot write', async (t) => {
  const { database } = await onSqlite(t)
  await assert.rejects(database.reading.insertInto('instance').values({ key: 'k', value: '' }).execute(), {
    code: 'SQLITE_READONLY',
  })
})

test('closing waits for a thread that is working, and refuses further work', async (t) => {
  const { database } = await onSqlite(t, false)
  const slow = sql<{ n: number }>`
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000) select count(*) as n from n`
  const answer = slow.execute(database.reading)
  await turn()
  await database.close()
  assert.equal((await answer).rows[0]!.n, 300_000)
  await assert.rejects(slow.execute(database.reading))
})

/** Returns the number of pages in the write-ahead log. */
const logged = async ({ query }: Database): Promise<number> => {
  const { rows } = await sql<{ log: number }>`pragma wal_checkpoint(noop)`.execute(query)
  return rows[0]!.log
}
const write = (database: Database, i: number) =>
  database.write(() => keep(database, `k${i} ${'x'.repeat(4000)}`))

test('no commit of a daemon checkpoints the log; the maintenance thread does, while others write', async (t) => {
  const { database, file } = await onSqlite(t)
  await database.disableAutoCheckpoint()
  const before = statSync(file).size
  let i = 0
  while (i < 1100) await write(database, i++)
  assert.equal(statSync(file).size, before)
  assert.ok((await logged(database)) > 2000)
  const upkeep = new SqliteMaintenance(database, file, log, () => {})
  upkeep.start()
  for (const end = Date.now() + 90_000; Date.now() < end && (await logged(database)) > 1000; i++) {
    await write(database, i)
    // The log restarts between two writes: a slow disk needs more time there than a fast one.
    await delay(100)
  }
  await upkeep.close()
  assert.ok((await logged(database)) <= 1000, 'the log was restarted')
  assert.ok(statSync(file).size > before + 2_000_000)
  assert.equal(database.condition, 'ok')
})

test('a small database is checked without a thread, and a short log is not checkpointed', async (t) => {
  const { database, file } = await onSqlite(t)
  // What the migrations wrote makes a long log.
  await sql`pragma wal_checkpoint(truncate)`.execute(database.query)
  await database.disableAutoCheckpoint()
  const upkeep = new SqliteMaintenance(database, file, log, () => {})
  upkeep.start()
  while (database.condition === 'checking') await delay(5)
  await write(database, 0)
  await database.inBackground(() => kept(database))
  const pages = await logged(database)
  await delay(2500)
  await upkeep.close()
  assert.equal(database.condition, 'ok')
  assert.equal(database.threads!.jobs.running, undefined)
  assert.ok(pages > 0 && pages === (await logged(database)))
})

onBothDatabases('a sweep of many rows', (newUrl, kind) => {
  test('it keeps valid rows, and lets others write and the event loop turn meanwhile', async () => {
    const database = await openDatabase(newUrl(), log)
    const keys = new CachedKeys(database)
    const nonces = async () =>
      Number(
        (
          await database.query
            .selectFrom('signature_nonces')
            .select(({ fn }) => fn.countAll<number>().as('count'))
            .executeTakeFirstOrThrow()
        ).count,
      )
    const text = kind === 'sqlite' ? sql`'' || i` : sql`i::text`
    await sql`
      with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
      insert into signature_nonces (pubkey, nonce, expires_at) select 'one', ${text}, 7 from n`.execute(
      database.query,
    )
    for (const [pubkey, nonce] of [
      ['one', 'x'],
      ['two', '7'],
    ] as const)
      await keys.useNonce(pubkey, nonce, now() + 60)
    const delays = monitorEventLoopDelay({ resolution: 1 })
    delays.enable()
    let best = Infinity
    const state = { sweeping: true }
    const sweeping = database.inBackground(() => keys.sweep()).finally(() => (state.sweeping = false))
    let written = 0
    // Other processes may take the processor, so the shortest of several delays counts.
    while (state.sweeping) {
      delays.reset()
      await delay(20)
      await database.write(() => keep(database, `k${written++}`))
      await delay(5)
      best = Math.min(best, delays.max / 1e6)
    }
    await sweeping
    assert.equal(await nonces(), 2)
    assert.ok(written >= 3, `${written} writes during the sweep`)
    assert.ok(best < 50, `the shortest block of the event loop was ${best} ms`)
    await database.close()
  })
})
