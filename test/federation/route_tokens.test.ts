import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword } from '../support/daemon.ts'
import { ask } from '../support/http.ts'
import { byHand } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile_provider.ts'
import { KeptClient } from '../edge/serve/kept_client.ts'
import { comeBy, startRelying, type Stage } from '../support/provider_stage.ts'

onSqliteFirst('provider tokens while the provider is down (R6)', (newUrl) => {
  let stage: Stage
  let hostile: HostileProvider
  let upstream: Upstream
  before(async () => {
    stage = await startRelying({ database_url: newUrl() })
    hostile = await startHostileProvider()
    upstream = await startUpstream()
    const { hero } = stage
    const at = { preset: 'oidc', issuer: hostile.issuer, client: 'hero', client_secret: 's' } as const
    await hero.providers.add({ provider: 'peer', own_callback: true, keep_tokens: true, ...at })
    await hero.users.identities.add({ user: 'grace', provider: 'peer', subject: '1' })
    const { target } = upstream
    await hero.proxy.routes.add({
      domain: 'tools.localhost',
      target,
      auth_mode: 'oauth',
      provider_token: 'peer',
    })
  })
  after(async () => {
    await upstream?.close()
    await hostile?.close()
    await stage?.[Symbol.asyncDispose]()
  })

  test('one request waits for the provider, others continue without a token, and a new sign-in restores it', async () => {
    const { daemon, origin } = stage
    const host = `tools.localhost:${new URL(origin).port}`
    const sent = async (person: Person): Promise<readonly string[]> => {
      const cookie = person.cookiesAt(new URL(`http://${host}`))
      const { status } = await ask(daemon, host, '/', { headers: ['Cookie', cookie] })
      assert.equal(status, 200)
      const { rawHeaders } = upstream.seen.at(-1)!
      return valuesOf(rawHeaders, 'x-proxy-provider-token')
    }
    const grace = new Person()
    await comeBy(grace, { origin: `http://${host}` }, 'peer', '')
    assert.equal((await sent(grace)).length, 1)

    await byHand(daemon, async (database) => {
      await database.query.updateTable('provider_tokens').set({ expires_at: 1 }).execute()
      database.changed('providers')
    })
    hostile.misbehave({ instead: (endpoint) => endpoint === 'token' })
    for (const count of [3, 20])
      for (const tokens of await Promise.all(Array.from({ length: count }, () => sent(grace))))
        assert.deepEqual(tokens, [])
    // Only the first request asked the provider; the others did not wait for it.
    assert.equal(hostile.asked('token'), 1)

    hostile.misbehave({})
    const again = new Person()
    await comeBy(again, { origin: `http://${host}` }, 'peer', '')
    assert.equal((await sent(again)).length, 1)
  })

  test('a request on a kept-alive connection gets the current token', async () => {
    const { daemon, origin } = stage
    const host = `tools.localhost:${new URL(origin).port}`
    const grace = new Person()
    await comeBy(grace, { origin: `http://${host}` }, 'peer', '')
    const client = new KeptClient(daemon.edge.port)
    for (let i = 0; i < 3; i++) {
      client.send(
        `GET / HTTP/1.1\r\nHost: ${host}\r\nCookie: ${grace.cookiesAt(new URL(`http://${host}`))}\r\n\r\n`,
      )
      assert.equal((await client.receive()).status, 200)
      assert.equal(valuesOf(upstream.seen.at(-1)!.rawHeaders, 'x-proxy-provider-token').length, 1)
      assert.notEqual(daemon.logged.findLast(({ msg }) => msg === 'request')!.lane, 'kept')
    }
    client.end()
  })

  test('a sign-in that another device opened brings no token to a service', async () => {
    hostile.misbehave({})
    const host = `tools.localhost:${new URL(stage.origin).port}`
    const grace = new Person()
    await comeBy(grace, { origin: `http://${host}` }, 'peer', '')
    await byHand(stage.daemon, async (database) => {
      await database.query.updateTable('sessions').set({ provider: 'another_device' }).execute()
      database.changed('sessions')
    })
    const cookie = grace.cookiesAt(new URL(`http://${host}`))
    assert.equal((await ask(stage.daemon, host, '/', { headers: ['Cookie', cookie] })).status, 200)
    assert.deepEqual(valuesOf(upstream.seen.at(-1)!.rawHeaders, 'x-proxy-provider-token'), [])
  })

  test('a token is renewed once even if its lifetime is very short', async () => {
    const { daemon, hero, origin } = stage
    const { access_token } = await hero.auth.login({ login: 'grace', password: goodPassword })
    const grace = hero.as(access_token)
    const renew = async (expires_in: number) => {
      hostile.misbehave({})
      await comeBy(new Person(), { origin }, 'peer', '')
      await byHand(daemon, async (database) => {
        await database.query.updateTable('provider_tokens').set({ expires_at: 1 }).execute()
        database.changed('providers')
      })
      hostile.misbehave({ token: (response) => ({ ...response, expires_in }) })
      return grace.auth.upstream_token({ provider: 'peer' })
    }
    const short = await renew(1)
    assert.match(short.access_token, /^at-/)
    assert.ok(short.expires_at !== null && short.expires_at <= Date.now() / 1000 + 1)
    assert.equal(hostile.asked('token'), 1)
    for (const says of [0, 0.4]) {
      const unknown = await renew(says)
      assert.equal(unknown.expires_at, null, 'the lifetime is unknown')
      assert.deepEqual(await grace.auth.upstream_token({ provider: 'peer' }), unknown)
      assert.equal(hostile.asked('token'), 1)
    }
  })
})
