import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { goodPassword, startTestDaemon } from '../support/daemon.ts'
import { byHand } from '../support/people.ts'
import { refused } from '../support/refused.ts'

test('database rows contain passwords and tokens as hashes only, and log lines contain neither', async () => {
  await using daemon = await startTestDaemon({ operator_token: 'operator-token-0123456789-0123456789' })
  const { hero } = daemon
  const secrets = [
    goodPassword,
    'velvet-harbor-93-comet',
    'saffron-tunnel-58-glacier',
    'operator-token-0123456789',
  ]
  const [first, second, third] = secrets as [string, string, string]
  const setUp = await hero.auth.setup({ username: 'ada', email: 'ada@example.org', password: first })
  const login = await hero.auth.login({ login: 'ada', password: first })
  secrets.push(setUp.access_token, login.access_token, new URL(daemon.setupLink!).searchParams.get('token')!)
  const ada = hero.as(login.access_token)
  await ada.auth.set_password({ password: second, current_password: first })
  await refused(ada.auth.set_password({ password: first, current_password: third }), 'unauthenticated')
  await ada.users.add({ username: 'grace', password: third })
  await refused(ada.users.add({ username: 'grace', password: third }), 'already_exists')
  await refused(hero.auth.login({ login: 'ada', password: third }), 'unauthenticated')
  await refused(hero.auth.login({ login: third, password: third }), 'unauthenticated')
  await refused(
    hero.call('users.add', { username: first, password: second, nope: third } as never),
    'invalid_params',
  )
  await ada.auth.logout()
  const url = daemon.origin.replace('127.0.0.1', 'localhost')
  for (const token of [login.access_token, setUp.access_token, 'operator-token-0123456789-0123456789'])
    await fetch(`${url}/rpc?token=x`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'auth.login',
        params: { login: 'ada', password: third },
      }),
    })
  await fetch(daemon.setupLink!.replace(/^http:\/\/[^/]+/, url))

  const tables = await byHand(daemon, async ({ query }) => {
    const names = (await query.introspection.getTables()).map(({ name }) => name)
    return Promise.all(
      names.map((name) =>
        query
          .selectFrom(name as 'users')
          .selectAll()
          .execute(),
      ),
    )
  })
  // An internal error logs its full cause, and nothing of the call.
  await byHand(daemon, ({ query }) => sql`alter table credentials rename to gone`.execute(query))
  await refused(hero.auth.login({ login: 'ada', password: second }), 'internal_error')
  await refused(hero.users.add({ username: 'linus', password: third }), 'internal_error')
  assert.ok(tables.flat().length > 20 && daemon.logged.length > 2)
  for (const text of [JSON.stringify(tables), JSON.stringify(daemon.logged)])
    for (const secret of secrets) assert.ok(!text.includes(secret), secret)
})
