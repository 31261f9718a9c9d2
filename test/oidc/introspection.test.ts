import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { byHand } from '../support/people.ts'
import { App, callback, newPerson, post, startProvider, type Provider } from '../support/openid_stage.ts'

type Asks = { client: string; client_secret: string | null }

suite('introspection with and without the engine', () => {
  let stage: Provider
  let app: App
  let other: App
  before(async () => {
    stage = await startProvider()
    const add = async (client: string) =>
      new App(
        stage.issuer,
        await stage.daemon.hero.clients.add({
          anyone: true,
          name: client,
          client,
          redirect_uris: [callback],
          first_party: true,
        }),
      )
    app = await add('wiki')
    other = await add('tickets')
  })
  after(() => stage.daemon.close())

  /** Sends the simplest request, which needs no engine, and one that only the engine parses; compares both. */
  const both = async (token: string, client: Asks = app.client) => {
    const at = `${stage.issuer}/oauth/introspect`
    const plain = await post(at, { token }, client)
    const hinted = await post(at, { token, token_type_hint: 'access_token' }, client)
    const engine = await post(at, { token_type_hint: 'access_token', token }, client)
    for (const { status, body } of [plain, hinted])
      assert.deepEqual({ status, body }, { status: engine.status, body: engine.body })
    for (const { headers } of [plain, hinted]) {
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.equal(headers.get('www-authenticate'), engine.headers.get('www-authenticate'))
    }
    return engine
  }
  const active = async (token: string, client?: Asks) => (await both(token, client)).body.active

  test('both paths describe an active token alike', async () => {
    const { body } = await app.tokens(newPerson(), 'ada')
    assert.match(body.access_token, /^at~/)
    const { body: answer } = await both(body.access_token)
    const { exp, iat, sub, sid, auth_time, ...rest } = answer as Record<string, number | string>
    assert.equal(typeof auth_time, 'number')
    assert.equal(Number(exp) - Number(iat), 3600)
    assert.ok(sub)
    assert.equal(typeof sid, 'undefined')
    assert.deepEqual(rest, {
      acr: '1',
      amr: ['pwd'],
      active: true,
      client_id: 'wiki',
      iss: stage.issuer,
      scope: 'openid email profile',
      token_type: 'Bearer',
      username: 'ada',
    })
    const lasting = await app.tokens(newPerson(), 'ada', {
      scope: 'openid offline_access',
      prompt: 'consent',
    })
    const proof = async (token: string) => {
      const { acr, amr, auth_time: at } = (await both(token)).body as Record<string, unknown>
      return { acr, amr, at }
    }
    const proved = await proof(lasting.body.access_token)
    assert.deepEqual([proved.acr, proved.amr], ['1', ['pwd']])
    // The engine introspects refresh tokens.
    assert.match(lasting.body.refresh_token, /^rt~/)
    const refresh = await post(
      `${stage.issuer}/oauth/introspect`,
      { token: lasting.body.refresh_token },
      app.client,
    )
    assert.equal(refresh.body.active, true)
    // A proof that the session got since says nothing about what was issued before.
    await byHand(stage.daemon, async (database) => {
      await database.query.updateTable('sessions').set({ factor: 'totp', second_at: 9 }).execute()
      database.changed('sessions')
    })
    const renewed = await app.refresh(lasting.body.refresh_token)
    assert.deepEqual(await proof(renewed.body.access_token), proved)
  })

  test('both paths refuse a caller that may not introspect, and authenticate clients alike', async () => {
    const { body } = await app.tokens(newPerson(), 'ada')
    const token = body.access_token
    assert.deepEqual((await both(token, other.client)).body, { active: false })
    for (const wrong of ['x', `${app.client.client_secret}x`, other.client.client_secret!, '%77rong']) {
      assert.equal((await both(token, { client: 'wiki', client_secret: wrong })).status, 401)
      // A correct secret resets the count of wrong ones, which would reach the limit otherwise.
      assert.equal(await active(token), true)
    }
    assert.equal((await both(token, { client: 'nobody', client_secret: 'x' })).status, 401)
    const otherEnd = `${token.slice(0, -1)}${token.endsWith('x') ? 'y' : 'x'}`
    for (const bad of [otherEnd, token.slice(0, -1), `${token}x`, 'at~', 'x', body.id_token])
      assert.notEqual((await both(bad)).body.active, true, bad)
    const refreshed = `rt~${token.slice(3)}`
    assert.deepEqual((await both(refreshed)).body, { active: false })
  })

  const activeToken = async (login = 'ada') => {
    const person = newPerson()
    const { body } = await app.tokens(person, login)
    assert.equal(await active(body.access_token), true)
    return { person, token: body.access_token }
  }

  test('a token is inactive at the next introspection after it ends, despite earlier positive answers', async () => {
    const { hero } = stage.daemon
    const revoked = await activeToken()
    await post(`${stage.issuer}/oauth/revoke`, { token: revoked.token }, app.client)
    assert.equal(await active(revoked.token), false)

    const signedOut = await activeToken()
    const session = (await hero.sessions.list({ user: 'ada' })).items[0]!
    await hero.sessions.revoke({ id: session.id })
    assert.equal(await active(signedOut.token), false)

    const deactivated = await activeToken('grace')
    await hero.users.update({ username: 'grace', is_active: false })
    assert.equal(await active(deactivated.token), false)
    await hero.users.update({ username: 'grace', is_active: true })

    const idle = await activeToken('grace')
    await byHand(stage.daemon, async (database) => {
      await database.query.updateTable('sessions').set({ last_used_at: 1 }).execute()
      database.changed('sessions')
    })
    assert.equal(await active(idle.token), false)

    const expired = await activeToken()
    await byHand(stage.daemon, async (database) => {
      await database.query.updateTable('sessions').set({ expires_at: 1 }).execute()
      database.changed('sessions')
    })
    assert.equal(await active(expired.token), false)

    const stopped = await activeToken()
    await hero.clients.update({ client: 'wiki', is_active: false })
    assert.equal((await both(stopped.token)).status, 401)
    await hero.clients.update({ client: 'wiki', is_active: true })
    assert.equal(await active(stopped.token), false)

    const removed = await activeToken('grace')
    await hero.users.remove({ username: 'grace' })
    assert.equal(await active(removed.token), false)

    const left = await activeToken()
    const lasting = await app.tokens(left.person, 'ada', {
      scope: 'openid offline_access',
      prompt: 'consent',
    })
    assert.equal(await active(lasting.body.access_token), true)
    await hero.consents.revoke({ client: 'wiki', user: 'ada' })
    assert.equal(await active(lasting.body.access_token), false)
  })

  test('a change on another node is seen, and tokens survive a restart', async () => {
    const { token } = await activeToken()
    const gone = await activeToken()
    await byHand(stage.daemon, async (database) => {
      await database.query.deleteFrom('oidc_records').where('kind', '=', 'Grant').execute()
      database.changed('records')
    })
    assert.equal(await active(gone.token), false)
    assert.equal(await active(token), false)
    const kept = await activeToken()
    const over = await activeToken()
    await post(`${stage.issuer}/oauth/revoke`, { token: over.token }, app.client)
    stage = { ...stage, daemon: (await stage.daemon.restart()) as never }
    assert.equal(await active(over.token), false)
    assert.equal(await active(kept.token), true)
  })

  test('a rotated secret remains valid for a week, and a dropped one is refused', async () => {
    const { token } = await activeToken()
    const before = app.client
    const { client_secret } = await stage.daemon.hero.clients.rotate_secret({ client: 'wiki' })
    assert.equal(await active(token, before), true)
    assert.equal(await active(token, { client: 'wiki', client_secret }), true)
    const { client_secret: last } = await stage.daemon.hero.clients.rotate_secret({
      client: 'wiki',
      drop: true,
    })
    assert.equal((await both(token, before)).status, 401)
    // Dropping a leaked secret ends the tokens too: they may have been issued to somebody else.
    const now = { client: 'wiki', client_secret: last }
    assert.equal(await active(token, now), false)
    const { body } = await new App(stage.issuer, now).tokens(newPerson(), 'ada')
    assert.equal(await active(body.access_token, now), true)
  })

  test('a new client under a removed client ID does not inherit its tokens', async () => {
    const { clients } = stage.daemon.hero
    const fields = {
      name: 'short',
      client: 'short',
      redirect_uris: [callback],
      first_party: true,
      anyone: true,
    }
    const before = new App(stage.issuer, await clients.add(fields))
    const { body } = await before.tokens(newPerson(), 'ada')
    assert.equal(await active(body.access_token, before.client), true)
    await clients.remove({ client: 'short' })
    const again = await clients.add(fields)
    assert.equal(await active(body.access_token, again), false)
  })
})
