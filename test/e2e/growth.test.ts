import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../../src/config/read.ts'
import type { Config } from '../../src/config/config.ts'
import { Records } from '../../src/oidc/engine/records.ts'
import { Seal } from '../../src/secrets/seal.ts'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { newId } from '../../src/storage/ids.ts'
import { openDatabase } from '../../src/storage/open_database.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { byHand } from '../support/people.ts'
import { sessionRow } from '../support/session_row.ts'
import { crowds, fill, largeCalls } from './large_instance.ts'
import { unlessLong } from '../long.ts'

/** A twentieth of the size that the requirement names. */
const size = { people: 50_000, groups: 5_000, audit: 50_000 }
/** A twentieth of the people who may lose a claim at once. */
const people = 500
/** Milliseconds for which one call may hold the event loop. */
const limit = 50
/**
 * The longest time in milliseconds that a call blocked the event loop, as CPU time of the thread: other load on the machine does not count.
 * Waiting instead of working, for example for a lock, shows in the elapsed time, for which the limit is generous.
 */
const heldBy = async (call: () => Promise<unknown>): Promise<number> => {
  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  let last = process.threadCpuUsage()
  let worked = 0
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(last)
    worked = Math.max(worked, (user + system) / 1000)
    last = process.threadCpuUsage()
  }, 1)
  // The first turn is not measured.
  await delay(10)
  worked = 0
  await call()
  await delay(5)
  clearInterval(timer)
  delays.disable()
  const waited = delays.max / 1e6
  return waited < 10 * limit ? worked : waited
}

onSqliteFirst('an instance with many users', (newUrl) => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-growth-'))
  let daemon: TestDaemon | undefined
  before(async () => {
    const database_url = newUrl()
    mkdirSync(join(dir, 'data'))
    await fill(readConfig({ data_dir: join(dir, 'data'), database_url }, {}), size)
    daemon = await startTestDaemon({ database_url }, dir)
    while ((await daemon.hero.health()).database !== 'ok') await delay(20)
  })
  after(async () => {
    await daemon?.close()
    rmSync(dir, { recursive: true, force: true })
  })

  test('no call blocks the event loop for long', async () => {
    const { hero } = daemon!
    for (const [name, call] of Object.entries(largeCalls(hero))) {
      let best = Infinity
      for (let i = 0; i < crowds && best > limit; i++) best = Math.min(best, await heldBy(() => call(i)))
      assert.ok(
        best <= limit,
        `${name} blocks the event loop for ${best.toFixed(0)} ms, the limit is ${limit} ms`,
      )
    }
    assert.equal((await hero.audit.verify()).first_bad, null)
  })

  test(
    'a claim taken from many people who use an application signs them out without blocking the event loop',
    { skip: unlessLong },
    async () => {
      const { hero, config } = daemon!
      await hero.groups.add_claim({ group: 'everybody', claim: 'shop.enter' })
      await hero.clients.add({
        client: 'shop',
        name: 'Shop',
        redirect_uris: ['http://localhost:4999/callback'],
        required_claims: ['shop.enter'],
      })
      const database = await openDatabase(config.database_url, createLog('silent'))
      const grants = async () => {
        const found = database.query.selectFrom('oidc_records').select(({ fn }) => fn.countAll().as('count'))
        return Number((await found.where('kind', '=', 'Grant').executeTakeFirstOrThrow()).count)
      }
      let blocked = Infinity
      for (let i = 0; i < 3 && blocked > limit; i++) {
        const visits = await byHand(daemon!, (own) => visit(config, own, 'shop', people, i * people))
        assert.equal(visits, people)
        // One of the first fails, and nobody else waits for that.
        if (i === 0)
          await byHand(daemon!, ({ query }) =>
            query
              .updateTable('oidc_records')
              .set({ payload_sealed: 'unreadable' })
              .where('id', '=', ({ selectFrom }) =>
                selectFrom('oidc_records').select('id').where('kind', '=', 'OurSession').limit(1),
              )
              .execute(),
          )
        const once = await heldBy(async () => {
          await hero.groups.remove_claim({ group: 'everybody', claim: 'shop.enter' })
          while ((await grants()) > 1) await delay(100)
        })
        blocked = Math.min(blocked, once)
        await hero.groups.add_claim({ group: 'everybody', claim: 'shop.enter' })
      }
      await database.close()
      assert.ok(
        blocked <= limit,
        `it blocks the event loop for ${blocked.toFixed(0)} ms, the limit is ${limit} ms`,
      )
    },
  )
})

/** Signs people in to an application, each in a session of their own. */
const visit = async (
  { data_dir }: Config,
  database: Database,
  client: string,
  count: number,
  offset: number,
): Promise<number> => {
  const records = new Records(database, new Seal(readFileSync(join(data_dir, 'master.key'), 'utf8').trim()))
  const users = await database.query
    .selectFrom('users')
    .select('id')
    .orderBy('id')
    .limit(count)
    .offset(offset)
    .execute()
  for (const { id: user_id } of users) {
    const session = sessionRow(user_id, newId())
    const { id } = session
    await database.query.insertInto('sessions').values(session).execute()
    await records.put('Grant', `grant ${id}`, { accountId: user_id, clientId: client } as never, 86_400)
    const authorizations = { [client]: { grantId: `grant ${id}`, sid: id } }
    await records.put('OurSession', id, { accountId: user_id, authorizations } as never, 86_400)
  }
  return users.length
}
