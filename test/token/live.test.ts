import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { assertEnded, kinds, open, startLiveUpstream } from '../edge/decide/open_connections.ts'

suite('live connections end with their token', () => {
  let daemon: TestDaemon
  let upstream: Awaited<ReturnType<typeof startLiveUpstream>>
  before(async () => {
    daemon = await startTestDaemon()
    upstream = await startLiveUpstream()
    const { hero } = daemon
    await hero.proxy.routes.add({ domain: 'api.localhost', auth_mode: 'bearer', target: upstream.target })
    await hero.users.add({ username: 'ada' })
  })
  after(async () => {
    await daemon.close()
    await upstream.close()
  })
  const all = async (token: string) => {
    const lives = []
    for (const kind of kinds)
      lives.push(await open(daemon, upstream, kind, 'api.localhost', { authorization: `Bearer ${token}` }))
    return lives
  }
  const keep = async () => daemon.hero.token.create({ user: 'ada', name: 'x', scope: 'write' })

  test('connections with a personal token end when it is revoked, and when its person is deactivated', async () => {
    const [one, other] = [await keep(), await keep()]
    const [ending, staying] = [await all(one.access_token), await all(other.access_token)]
    await daemon.hero.token.revoke({ id: one.id })
    await assertEnded(ending)
    for (const { complete } of staying) assert.equal(complete, undefined)
    await daemon.hero.users.update({ username: 'ada', is_active: false })
    await assertEnded(staying)
  })

  test('connections with a client token end when it is revoked, its client loses the scope or is disabled', async () => {
    const { hero } = daemon
    const { client_secret } = await hero.clients.add({ name: 'd', client: 'd', scopes: ['read', 'write'] })
    const issue = async () =>
      (await hero.token.create({ client_id: 'd', client_secret: client_secret! })).access_token
    const [first, second] = [await issue(), await issue()]
    const [ending, staying] = [await all(first), await all(second)]
    await hero.token.revoke({ token: first })
    await assertEnded(ending)
    for (const { complete } of staying) assert.equal(complete, undefined)
    await hero.clients.update({ client: 'd', scopes: ['read'] })
    // A WebSocket needs the write scope; connections that only read continue.
    await assertEnded(staying.slice(0, 1))
    await hero.clients.update({ client: 'd', is_active: false })
    await assertEnded(staying.slice(1))
  })
})
