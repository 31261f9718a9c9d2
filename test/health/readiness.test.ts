import assert from 'node:assert/strict'
import { test } from 'node:test'
import Sqlite from 'better-sqlite3'
import { startTestDaemon } from '../support/daemon.ts'
import { ask } from '../support/http.ts'
import { databaseFile } from '../../src/storage/open_database.ts'

test('a database with the migrations of another version is not ready; only the socket and the log say why', async () => {
  await using daemon = await startTestDaemon({ public_url: 'http://localhost:9997' })
  const { hero, logged } = daemon
  const file = new Sqlite(databaseFile(daemon.config.database_url)!)
  const at = async (path: string, host = '127.0.0.1') => {
    const { status, body } = await ask(daemon, host, path)
    return [status, JSON.parse(body)]
  }
  const readiness = async () => {
    const { ready, causes } = await hero.health()
    return [ready, ...causes]
  }
  const entries = () =>
    logged
      .filter(({ msg }) => /^(not ready|ready again)/.test(String(msg)))
      .map(({ msg, cause }) => [msg, cause])
  const ok = [200, { status: 'ok' }]
  const unavailable = [503, { status: 'unavailable' }]
  try {
    assert.deepEqual(await at('/readyz'), ok)
    assert.deepEqual(await readiness(), [true])

    file.prepare("insert into schema_migrations values ('099_later', '')").run()
    const newer =
      'the database has the migration 099_later, which this version does not know; start the newer version'
    for (const host of ['127.0.0.1', 'localhost']) assert.deepEqual(await at('/readyz', host), unavailable)
    assert.deepEqual(await at('/livez'), ok)
    assert.deepEqual(await readiness(), [false, newer])

    file.prepare("delete from schema_migrations where name in ('099_later', '012_meaning')").run()
    assert.deepEqual(await at('/readyz'), unavailable)
    const older = 'the database lacks the migration 012_meaning; restart hero_proxy'
    assert.deepEqual(await readiness(), [false, older])

    const call = await ask(daemon, 'localhost', '/rpc', {
      method: 'POST',
      headers: ['Content-Type', 'application/json'],
      body: '{"jsonrpc":"2.0","id":1,"method":"health"}',
    })
    const { result } = JSON.parse(call.body) as { result: { ready: boolean; causes: string[] } }
    assert.deepEqual([result.ready, result.causes], [false, []])

    file.prepare("insert into schema_migrations values ('012_meaning', '')").run()
    assert.deepEqual(await at('/readyz'), ok)
    assert.deepEqual(entries(), [
      ['not ready: /readyz answers 503', newer],
      ['not ready: /readyz answers 503', older],
      ['ready again', undefined],
    ])
  } finally {
    file.close()
  }
})
