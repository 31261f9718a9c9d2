import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import type { Subject } from '../../src/storage/schema.ts'
import { onBothDatabases } from '../support/databases.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

onBothDatabases('watching for changes', (newUrl, kind) => {
  let here: Database
  let there: Database
  before(async () => {
    const url = newUrl()
    here = await openDatabase(url, createLog('silent'))
    there = await openDatabase(url, createLog('silent'))
  })
  after(() => Promise.all([here.close(), there.close()]))

  const change = (database: Database, subject: Subject) =>
    database.write(async () => {
      database.changed(subject)
      await database.query.selectFrom('instance').select('key').execute()
    })
  const watching = async (subjects: readonly Subject[]) => {
    let calls = 0
    const stop = there.changes.watch(subjects, () => void calls++)
    // The first call reports the initial state.
    await delay(400)
    calls = 0
    const seen = () => calls
    const until = async (count: number) => {
      for (const end = performance.now() + 15_000; performance.now() < end && seen() < count;) await delay(10)
      assert.equal(seen(), count)
    }
    return { stop, until, seen }
  }

  test('a watcher is notified of changes to its subjects, here or at another node, and of no others', async () => {
    const { stop, until, seen } = await watching(['users', 'sessions'])
    await change(there, 'users')
    await until(1)
    await change(here, 'sessions')
    await until(2)
    await change(here, 'routes')
    await here.write(() => here.query.deleteFrom('removed_usernames').execute())
    await delay(600)
    assert.equal(seen(), 2)
    stop()
  })

  test('a stopped watcher gets no more notifications, and others still do', async () => {
    const [one, two] = [await watching(['users']), await watching(['users'])]
    one.stop()
    await change(here, 'users')
    await two.until(1)
    assert.equal(one.seen(), 0)
    two.stop()
    await change(here, 'users')
    await delay(400)
    assert.equal(two.seen(), 1)
  })

  // SQLite does not use notifications, so none can be lost.
  if (kind === 'postgres')
    test('a watcher notices a change whose notification was lost', async () => {
      const { stop, until } = await watching(['users'])
      await sql`update revisions set value = value + 1 where subject = 'users'`.execute(here.query)
      await until(1)
      stop()
    })
})
