import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword, startTestDaemon, type TestDaemon } from '../helpers/daemon.ts'
import { ask, signIn } from '../helpers/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../helpers/upstream.ts'

describe('identity headers (D01 to D05)', () => {
  let daemon: TestDaemon
  let upstream: Upstream
  let session: string

  before(async () => {
    daemon = await startTestDaemon()
    upstream = await startUpstream()
    await daemon.hero.users.add({ username: 'ada', email: 'ada@example.org', password: goodPassword })
    for (const auth_mode of ['none', 'optional', 'local'] as const) {
      await daemon.hero.proxy.routes.add({ domain: `${auth_mode}.localhost`, target: upstream.target, auth_mode })
    }
    session = await signIn(daemon, 'local.localhost', 'ada', goodPassword)
  })
  after(async () => {
    await daemon.close()
    await upstream.close()
  })

  test('a signed-in person is told to the service', async () => {
    const { status, body } = await ask(daemon, 'local.localhost', '/', { headers: ['Cookie', session] })
    assert.equal(status, 200)
    const { rawHeaders } = JSON.parse(body) as { rawHeaders: string[] }
    assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), ['ada'])
    assert.deepEqual(valuesOf(rawHeaders, 'x-hero-context'), ['1'])
    assert.deepEqual(valuesOf(rawHeaders, 'x-hero-claims'), ['users.ada'])
  })
})
