import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { createLog } from '../../src/log/log.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { ask } from '../support/http.ts'
import { postgresMissing, startPostgres } from '../support/postgres.ts'
import { refused } from '../support/refused.ts'
import { startUpstream } from '../support/upstream.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

test('a database outage makes the daemon answer unavailable until the database is back', async (t) => {
  const missing = postgresMissing()
  if (missing !== undefined) return t.skip(missing)
  const postgres = await startPostgres()
  let running = true
  const stop = () => {
    if (running) postgres.stop()
    running = false
  }
  t.after(stop)
  const url = postgres.newDatabase()
  await using daemon = await startTestDaemon({ database_url: url })
  const { hero } = daemon
  await using upstream = await startUpstream()
  await hero.users.add({ username: 'ada' })
  const { access_token } = await hero.token.create({ user: 'ada', name: 'x' })
  for (const auth_mode of ['none', 'optional', 'bearer'] as const)
    await hero.proxy.routes.add({ domain: `${auth_mode}.localhost`, target: upstream.target, auth_mode })
  const bearer = ['Authorization', `Bearer ${access_token}`]
  const atEdge = (mode: string, ...headers: string[]) =>
    ask(daemon, `${mode}.localhost`, '/', { headers: [...bearer, ...headers] })
  assert.equal((await atEdge('bearer')).status, 200)

  const direct = await openDatabase(url, createLog('silent'))
  t.after(() => direct.close())
  for (let round = 0; round < 5; round++) {
    // Connections are killed during calls as well as between them.
    const working = Promise.allSettled([
      ...Array.from({ length: 10 }, () => hero.users.list({})),
      hero.groups.add({ slug: `round${round}` }),
    ])
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.execute(direct.query)
    for (const answer of await working) {
      if (answer.status === 'rejected') assert.equal(answer.reason.code, 'unavailable')
    }
    let back = false
    for (let i = 0; i < 20 && !back; i++)
      back = await hero.users.list({}).then(
        () => true,
        () => false,
      )
    assert.ok(back)
  }

  stop()
  await refused(hero.users.list({}), 'unavailable')
  await refused(hero.users.add({ username: 'grace' }), 'unavailable')
  await refused(hero.claims.resolve({ user: 'ada' }), 'unavailable')
  await refused(hero.auth.login({ login: 'ada', password: 'whatever it is' }), 'unavailable')
  assert.equal((await hero.health()).status, 'ok')
  const { ready, causes } = await hero.health()
  assert.equal(ready, false)
  assert.match(causes.join(), /^the database (does|did) not answer/)
  // Probes get an answer wherever they ask; a service's own stay its own.
  for (const host of ['localhost', '127.0.0.1', 'nobody'])
    for (const [path, status] of [
      ['/health', 200],
      ['/livez', 200],
      ['/readyz', 503],
    ] as const)
      assert.equal((await ask(daemon, host, path)).status, status, `${host}${path}`)
  assert.equal((await ask(daemon, 'none.localhost', '/livez')).status, 503)
  // Nobody is let in from a cache, and the error is not an internal one.
  const before = upstream.seen.length
  const upgrade = ['Connection', 'Upgrade', 'Upgrade', 'websocket']
  for (const mode of ['none', 'optional', 'bearer'])
    for (const more of [[], ['Accept', 'text/html'], upgrade]) {
      const { status, headers, body } = await atEdge(mode, ...more)
      assert.equal(status, 503, mode)
      assert.match(body, more[0] === 'Accept' ? /Temporarily unavailable/ : /"code":"unavailable"/)
      if (more !== upgrade) assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['retry-after'], '5')
    }
  assert.equal(upstream.seen.length, before)
  const lines = daemon.logged.filter(({ msg }) => msg === 'the database does not answer')
  assert.ok(lines.some(({ method }) => method === 'users.add'))
})
