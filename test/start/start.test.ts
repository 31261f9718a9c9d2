import assert from 'node:assert/strict'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { HeroProxy } from '../../sdk/index.ts'
import { readConfig } from '../../src/config/read.ts'
import { createLog } from '../../src/log/log.ts'
import { startDaemon } from '../../src/main.ts'
import { goodPassword, startTestDaemon } from '../support/daemon.ts'
import { ask } from '../support/http.ts'
import { postgresMissing, startPostgres } from '../support/postgres.ts'
import { refused } from '../support/refused.ts'

const start = (dir: string, settings: Record<string, string> = {}) =>
  startDaemon(
    readConfig(
      { data_dir: join(dir, 'data'), socket_dir: join(dir, 's'), listen: '127.0.0.1:0', ...settings },
      {},
    ),
    createLog('silent'),
  )

/** The folder of a stopped instance that has its first administrator. */
const setUp = async (t: TestContext, settings: Record<string, string> = {}) => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const daemon = await start(dir, settings)
  assert.match(daemon.setupLink!, /\/auth\/setup\?token=/)
  const hero = new HeroProxy({ socket: daemon.socketPath })
  await hero.auth.setup({ username: 'ada', email: 'ada@example.org', password: goodPassword })
  hero.close()
  await daemon.close()
  return dir
}

const removeDatabase = (dir: string) => {
  for (const end of ['', '-wal', '-shm']) rmSync(join(dir, 'data', `hero_proxy.db${end}`), { force: true })
}

/** Asserts that the start fails with one line, and that nothing listens. */
const refusesToStart = async (dir: string, why: RegExp, settings: Record<string, string> = {}) => {
  const error = await start(dir, settings).then(
    async (daemon) => {
      await daemon.close()
      return assert.fail('it started')
    },
    (reason: Error) => reason,
  )
  assert.match(error.message, why)
  assert.ok(!error.message.includes('\n'), error.message)
  assert.ok(!existsSync(join(dir, 's', 'hero_proxy', 'rpc.sock')))
}

test('an instance that was set up starts again without a set-up link', async (t) => {
  const dir = await setUp(t)
  const daemon = await start(dir)
  assert.equal(daemon.setupLink, undefined)
  await daemon.close()
})

test('the data folder, the master secret and the database are readable by the owner only', async (t) => {
  const dir = await setUp(t)
  assert.equal(statSync(join(dir, 'data')).mode & 0o777, 0o700)
  for (const file of ['master.key', 'hero_proxy.db', 'initialised'])
    assert.equal(statSync(join(dir, 'data', file)).mode & 0o777, 0o600)
  assert.ok(readFileSync(join(dir, 'data', 'master.key'), 'utf8').trim().length >= 43)
})

test('the start fails if the master secret is missing', async (t) => {
  const dir = await setUp(t)
  rmSync(join(dir, 'data', 'master.key'))
  await refusesToStart(dir, /^the master secret is not the one this database was sealed with; restore/)
})

test('the start fails with another master secret', async (t) => {
  const dir = await setUp(t)
  await refusesToStart(dir, /^the master secret is not the one/, { secret: 'x'.repeat(40) })
})

test('the start fails if others can read the master secret', async (t) => {
  const dir = await setUp(t)
  for (const mode of [0o640, 0o604, 0o644]) {
    chmodSync(join(dir, 'data', 'master.key'), mode)
    await refusesToStart(dir, /master\.key is readable by others; chmod 600 it$/)
  }
})

test('the start fails with a truncated master secret', async (t) => {
  const dir = await setUp(t)
  truncateSync(join(dir, 'data', 'master.key'), 10)
  await refusesToStart(dir, /master\.key contains fewer than 32 characters/)
})

test('the start fails with a database that is damaged at its beginning or truncated', async (t) => {
  const dir = await setUp(t)
  const path = join(dir, 'data', 'hero_proxy.db')
  const whole = readFileSync(path)
  for (const broken of [
    Buffer.concat([Buffer.from('no database at all'), whole.subarray(18)]),
    // The schema begins after the header of 100 bytes.
    Buffer.concat([whole.subarray(0, 100), Buffer.alloc(200, 0xff), whole.subarray(300)]),
    whole.subarray(0, 4096 * 5),
    whole.subarray(0, 5000),
  ]) {
    writeFileSync(path, broken)
    await refusesToStart(dir, /^the database file .+hero_proxy\.db is damaged \(.+\); restore it/)
    assert.equal(readFileSync(path).length, broken.length)
    removeDatabase(dir)
    writeFileSync(path, whole, { mode: 0o600 })
  }
  await (await start(dir)).close()
})

for (const workers of ['1', '2'])
  test(`damage elsewhere in the database is found after the start and stops all writes, with ${workers} workers`, async (t) => {
    const dir = await setUp(t)
    const path = join(dir, 'data', 'hero_proxy.db')
    const raw = new Sqlite(path)
    const page = raw.prepare("select rootpage from sqlite_schema where name = 'consents'").pluck().get()
    raw.close()
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.alloc(4096, 0xff), 0, 4096, 4096 * (Number(page) - 1))
    closeSync(file)

    const daemon = await startTestDaemon({ workers }, dir)
    t.after(() => daemon.close())
    const { hero } = daemon
    const state = async () => (await hero.health()).database
    while ((await state()) === 'checking') await delay(5)
    assert.equal(await state(), 'damaged')
    assert.ok(daemon.logged.some(({ msg }) => String(msg).includes(`${path} is damaged`)))
    const { data } = await refused(hero.users.add({ username: 'grace' }), 'unavailable')
    assert.equal(data.reason, 'damaged')
    assert.equal((await hero.users.get({ username: 'ada' })).username, 'ada')
    const params = { login: 'ada', password: goodPassword }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'auth.login', params })
    const headers = ['content-type', 'application/json']
    const login = async () =>
      JSON.parse((await ask(daemon, 'localhost', '/rpc', { method: 'POST', headers, body })).body) as {
        error?: { data: unknown }
      }
    // Workers learn of it a moment later.
    for (const end = Date.now() + 15_000; Date.now() < end && !(await login()).error;) await delay(20)
    assert.deepEqual((await login()).error?.data, { code: 'unavailable', reason: 'damaged' })
  })

test('the start fails if the database of an instance that was set up is missing', async (t) => {
  const dir = await setUp(t)
  removeDatabase(dir)
  await refusesToStart(dir, /^the database .+ is gone, and this instance was set up before; restore it/)
  assert.ok(!existsSync(join(dir, 'data', 'hero_proxy.db')))
})

test('the start fails if the database of an instance that was set up is empty', async (t) => {
  const dir = await setUp(t)
  removeDatabase(dir)
  closeSync(openSync(join(dir, 'data', 'hero_proxy.db'), 'w', 0o600))
  await refusesToStart(dir, /^the database is empty, and this instance was set up before; restore it/)
})

test('without the file "initialised" a new instance begins, as the error message says', async (t) => {
  const dir = await setUp(t)
  removeDatabase(dir)
  rmSync(join(dir, 'data', 'initialised'))
  const daemon = await start(dir)
  assert.match(daemon.setupLink!, /token=/)
  await daemon.close()
})

test('an empty PostgreSQL database of an instance that was set up is refused, without revealing its address', async (t) => {
  const missing = postgresMissing()
  if (missing !== undefined) return t.skip(missing)
  const postgres = await startPostgres()
  t.after(() => postgres.stop())
  const dir = await setUp(t, { database_url: postgres.newDatabase('empty') })
  await refusesToStart(dir, /^the database is empty, and/, { database_url: postgres.newDatabase('empty') })
})

test('the file "initialised" is written soon after set-up, before the daemon stops', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const daemon = await start(dir)
  const hero = new HeroProxy({ socket: daemon.socketPath })
  assert.ok(!existsSync(join(dir, 'data', 'initialised')))
  await hero.auth.setup({ username: 'ada', email: 'ada@example.org', password: goodPassword })
  const deadline = Date.now() + 10_000
  while (!existsSync(join(dir, 'data', 'initialised')) && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20))
  assert.ok(existsSync(join(dir, 'data', 'initialised')))
  hero.close()
  await daemon.close()
})
