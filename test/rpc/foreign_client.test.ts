import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import jayson from 'jayson/promise/index.js'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import type { Reply } from './speak.ts'

/** A JSON-RPC client that was not written for us (D56). */
describe('jayson on the socket', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon()
    await daemon.hero.users.add({ username: 'ada', email: 'ada@example.org', password: goodPassword })
  })
  after(() => daemon.close())

  const http = (headers: Record<string, string> = {}) =>
    jayson.Client.http({ socketPath: daemon.socketPath, path: '/rpc', headers })
  const lines = () => jayson.Client.tcp({ path: daemon.socketPath } as never)

  for (const [way, client] of [
    ['HTTP', () => http()],
    ['raw lines', lines],
  ] as const) {
    test(`calls, errors, batches and notifications over ${way}`, async () => {
      const named = (await client().request('users.get', { username: 'ada' })) as Reply
      assert.equal((named.result as { username: string }).username, 'ada')
      const positional = (await client().request('users.get', ['ada'])) as Reply
      assert.deepEqual(positional.result, named.result)
      const missing = (await client().request('users.get', ['nobody'])) as Reply
      assert.equal(missing.error?.data.code, 'not_found')
      const unknown = (await client().request('nothing', [])) as Reply
      assert.equal(unknown.error?.code, -32601)
      const batch = [
        client().request('health', {}, undefined, false),
        client().request('health', {}, null as never, false),
        client().request('users.get', ['ada'], undefined, false),
      ]
      const answers = (await client().request(batch as never)) as unknown as Reply[]
      assert.equal(answers.length, 2)
      const heard = (await client().request('health', {}, null as never)) as unknown
      assert.ok(heard === undefined || heard === null, JSON.stringify(heard))
    })
  }

  test('a call with a bearer token', async () => {
    const { access_token } = await daemon.hero.auth.login({ login: 'ada', password: goodPassword })
    const reply = (await http({ Authorization: `Bearer ${access_token}` }).request('stats', {})) as Reply
    assert.equal(reply.error?.data.code, 'claim_required')
  })
})
