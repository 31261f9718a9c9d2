import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import type { Subject } from '../../src/storage/schema.ts'
import { onBothDatabases } from '../support/databases.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

onBothDatabases('whoever watches', (newUrl, kind) => {
  let here: Database
  let there: Database
  before(async () => {
    const url = newUrl()
    here = await openDatabase(url, createLog('silent'))
    there = await openDatabase(url, createLog('silent'))
  })
  after(() => Promise.all([here.close(), there.close()]))

  const raise = (database: Database, subject: Subject) =>
    database.write(async () => {
      database.changed(subject)
      await database.query.selectFrom('instance').select('key').execute()
    })
  const watching = async (subjects: readonly Subject[]) => {
    let calls = 0
    const stop = there.changes.watch(subjects, () => void calls++)
    // What it is told first is how things are.
    await delay(400)
    calls = 0
    const told = () => calls
    const until = async (count: number) => {
      for (const end = performance.now() + 15_000; performance.now() < end && told() < count;) await delay(10)
      assert.equal(told(), count)
    }
    return { stop, until, told }
  }

  test('is told of changes of its subjects, made here or at another node, and of no others', async () => {
    const { stop, until, told } = await watching(['users', 'sessions'])
    await raise(there, 'users')
    await until(1)
    await raise(here, 'sessions')
    await until(2)
    await raise(here, 'routes')
    await here.write(() => here.query.deleteFrom('removed_usernames').execute())
    await delay(600)
    assert.equal(told(), 2)
    stop()
  })

  test('is told no more once it has stopped, while others are', async () => {
    const [one, two] = [await watching(['users']), await watching(['users'])]
    one.stop()
    await raise(here, 'users')
    await two.until(1)
    assert.equal(one.told(), 0)
    two.stop()
    await raise(here, 'users')
    await delay(400)
    assert.equal(two.told(), 1)
  })

  // SQLite has no notifications that could be missing.
  if (kind === 'postgres')
    test('is told of a change that nobody announced', async () => {
      const { stop, until } = await watching(['users'])
      await sql`update revisions set value = value + 1 where subject = 'users'`.execute(here.query)
      await until(1)
      stop()
    })
})
