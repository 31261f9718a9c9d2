import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { HeroProxy } from '../../sdk/index.ts'
import { looksLikePersonalToken, writeToken } from '../../src/token/token_text.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { onBothDatabases } from '../support/databases.ts'
import { ask } from '../support/http.ts'
import { byHand, person } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'

describe('the format of personal tokens', () => {
  test('a token has a prefix, 256 bits and a checksum that detects each wrong character', () => {
    const all = new Set(Array.from({ length: 2000 }, writeToken))
    assert.equal(all.size, 2000)
    for (const token of all) {
      assert.match(token, /^hero_[0-9A-Za-z]{49}$/)
      assert.ok(looksLikePersonalToken(token))
    }
    const [token = ''] = all
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === 'a' ? 'b' : 'a'
      assert.ok(!looksLikePersonalToken(token.slice(0, i) + other + token.slice(i + 1)), `character ${i}`)
    }
    for (const wrong of ['', 'hero_', token.toUpperCase(), `${token}0`, ` ${token}`, token.slice(0, -1)])
      assert.ok(!looksLikePersonalToken(wrong))
  })
})

onBothDatabases('personal tokens', (newUrl) => {
  let daemon: TestDaemon
  let upstream: Upstream
  let ada: HeroProxy
  let grace: HeroProxy
  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl() })
    upstream = await startUpstream()
    ada = await person(daemon, 'ada', { is_admin: true })
    grace = await person(daemon, 'grace')
    const { target } = upstream
    await daemon.hero.proxy.routes.add({ domain: 'api.localhost', auth_mode: 'bearer', target })
  })
  after(async () => {
    await daemon.close()
    await upstream.close()
  })
  const as = (token: string) => daemon.hero.as(token)
  const atRoute = async (token: string, method = 'GET') => {
    const headers = ['Authorization', `Bearer ${token}`]
    const answer = await ask(daemon, 'api.localhost', '/', { method, headers })
    return { ...answer, seen: upstream.seen.at(-1)! }
  }

  test('people create tokens, see when each was last used, and revoke them', async () => {
    const made = await grace.token.create({ name: 'Backup script', scope: 'write', expires_in: 3600 })
    assert.match(made.access_token, /^hero_/)
    assert.deepEqual([made.scope, made.expires_in], ['write', 3600])
    const [listed] = (await grace.token.list()).items
    assert.deepEqual(
      { ...listed, created_at: 0, expires_at: listed!.expires_at - listed!.created_at },
      {
        id: made.id,
        user: 'grace',
        service: null,
        name: 'Backup script',
        scope: 'write',
        created_at: 0,
        expires_at: 3600,
        last_used_at: null,
      },
    )
    const { kind, user, claims } = await as(made.access_token).auth.me()
    assert.deepEqual({ kind, user, claims }, { kind: 'user', user: 'grace', claims: ['users.grace'] })
    assert.equal((await atRoute(made.access_token)).status, 200)
    assert.deepEqual(valuesOf(upstream.seen.at(-1)!.rawHeaders, 'X-Hero-User'), ['grace'])
    const known = await daemon.hero.token.validate({ token: made.access_token })
    assert.deepEqual(
      [known.active, known.kind, known.id, known.username, known.scope],
      [true, 'personal', made.id, 'grace', 'write'],
    )
    await grace.token.revoke({ id: made.id })
    await refused(as(made.access_token).auth.me(), 'unauthenticated')
    assert.equal((await atRoute(made.access_token)).status, 401)
    assert.deepEqual(await daemon.hero.token.validate({ token: made.access_token }), { active: false })
    assert.deepEqual((await grace.token.list()).items, [])
  })

  test('only the hash of a token is stored, and neither audit nor log contains it', async () => {
    const { access_token, id } = await grace.token.create({ name: 'Quiet' })
    const everything = await byHand(daemon, async ({ query }) =>
      JSON.stringify([
        await query.selectFrom('tokens').selectAll().execute(),
        await query.selectFrom('audit').selectAll().execute(),
      ]),
    )
    assert.ok(everything.includes(id))
    for (const text of [everything, JSON.stringify(daemon.logged)])
      assert.ok(!text.includes(access_token.slice(5)))
    await grace.token.revoke({ token: access_token }).catch(() => {})
  })

  test('people cannot create, see or revoke tokens of others, and no token creates a token', async () => {
    await refused(grace.token.create({ user: 'ada', name: 'x' }), 'claim_required')
    await refused(ada.token.create({ user: 'grace', name: 'x' }), 'claim_required')
    await refused(grace.token.list({ user: 'ada' }), 'claim_required')
    const { id, access_token } = await daemon.hero.token.create({
      user: 'ada',
      name: 'By the operator',
      scope: 'admin',
    })
    await refused(grace.token.revoke({ id }), 'not_found')
    await refused(grace.token.revoke({ token: access_token }), 'not_found')
    for (const more of [{}, { user: 'ada' }, { service: 'x' }])
      await refused(as(access_token).token.create({ name: 'More', ...more }), 'proof_required')
    const anonymous = new HeroProxy({ url: daemon.origin.replace('127.0.0.1', 'localhost') })
    await refused(anonymous.token.create({ name: 'x' }), 'unauthenticated')
    await refused(anonymous.token.create({}), 'unauthenticated')
    await refused(anonymous.token.revoke({ token: access_token }), 'unauthenticated')
    anonymous.close()
    await ada.token.revoke({ id })
  })

  test('read cannot change, write cannot administer, and no token adds a way to sign in for its person', async () => {
    const of = async (scope: string) =>
      as((await daemon.hero.token.create({ user: 'ada', name: scope, scope })).access_token)
    const [read, write, admin] = [await of('read'), await of('write'), await of('admin')]
    for (const token of [read, write]) {
      const { claims } = await token.auth.me()
      assert.ok(claims.includes('users.ada'))
      assert.ok(!claims.some((claim) => /^(admin|groups\.admin|proxy\.)/.test(claim)), claims.join())
      await refused(token.users.list(), 'claim_required')
      await refused(token.users.add({ username: 'eve' }), 'claim_required')
    }
    await refused(read.users.update({ username: 'ada', display_name: 'x' }), 'claim_required')
    await write.users.update({ username: 'ada', display_name: 'Ada' })
    assert.ok((await admin.auth.me()).claims.includes('proxy.admin'))
    await admin.groups.add({ slug: 'made-by-token' })
    // With admin, a token may do for others what needs a fresh proof in a session.
    await admin.clients.add({ name: 'By a token' })
    await refused(admin.factors.add_totp(), 'proof_required')
    await refused(write.factors.add_totp(), 'claim_required')
    // A provider token grants access elsewhere.
    await refused(admin.auth.upstream_token({ provider: 'forge' }), 'proof_required')
    await refused(write.clients.add({ name: 'x' }), 'claim_required')
  })

  test('services behind routes see the claims that the token allows, not all claims of its person', async () => {
    for (const [scope, administers] of [
      ['write', false],
      ['admin', true],
    ] as const) {
      const { access_token } = await daemon.hero.token.create({ user: 'ada', name: 'x', scope })
      const { seen } = await atRoute(access_token)
      const claims = valuesOf(seen.rawHeaders, 'X-Hero-Claims').join().split(',')
      assert.ok(claims.includes('users.ada'))
      for (const claim of ['admin', 'groups.admin', 'proxy.admin'])
        assert.equal(claims.includes(claim), administers, `${claim} with ${scope}`)
    }
  })

  test('at routes, the read scope allows safe methods only', async () => {
    const { access_token: read } = await grace.token.create({ name: 'r' })
    const { access_token: write } = await grace.token.create({ name: 'w', scope: 'write' })
    for (const method of ['GET', 'HEAD', 'OPTIONS'])
      assert.equal((await atRoute(read, method)).status, 200, method)
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const { status, headers } = await atRoute(read, method)
      assert.equal(status, 403, method)
      assert.match(String(headers['www-authenticate']), /error="insufficient_scope"/)
      assert.equal((await atRoute(write, method)).status, 200, method)
    }
    // Method override headers are removed.
    for (const name of [
      'X-HTTP-Method-Override',
      'X-HTTP-Method',
      'X-Method-Override',
      'x_method_override',
    ]) {
      const headers = ['Authorization', `Bearer ${read}`, name, 'DELETE']
      const { status, body } = await ask(daemon, 'api.localhost', '/', { headers })
      assert.equal(status, 200)
      assert.ok(!body.includes('DELETE'), name)
    }
    const upgrade = ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Authorization', `Bearer ${read}`]
    assert.equal((await ask(daemon, 'api.localhost', '/', { headers: upgrade })).status, 403)
  })

  test('a token ends at its expiry, with its person, and when the account changes hands', async () => {
    const make = async () => (await grace.token.create({ name: 'x' })).access_token
    const [old, other] = [await make(), await make()]
    await byHand(daemon, async (database) => {
      const { items } = await daemon.hero.token.list({ user: 'grace' })
      await database.query
        .updateTable('tokens')
        .set({ expires_at: 1 })
        .where('id', '=', items[1]!.id)
        .execute()
      database.changed('tokens')
    })
    await refused(as(old).auth.me(), 'unauthenticated')
    assert.equal((await as(other).auth.me()).user, 'grace')
    await daemon.hero.auth.set_password({ user: 'grace', password: 'velvet-harbor-93-comet' })
    await refused(as(other).auth.me(), 'unauthenticated')
    await daemon.hero.users.add({ username: 'linus' })
    const { access_token } = await daemon.hero.token.create({ user: 'linus', name: 'x' })
    assert.equal((await as(access_token).auth.me()).user, 'linus')
    await daemon.hero.users.update({ username: 'linus', is_active: false })
    await refused(as(access_token).auth.me(), 'unauthenticated')
    await daemon.hero.users.remove({ username: 'linus' })
    assert.deepEqual(await daemon.hero.token.validate({ token: access_token }), { active: false })
  })

  test('an error names the invalid parameter', async () => {
    const { hero } = daemon
    for (const [params, path] of [
      [{ name: 'x' }, 'user'],
      [{ user: 'ada' }, 'name'],
      [{ user: 'ada', service: 'x', name: 'x' }, 'service'],
      [{ user: 'ada', name: 'x', scope: 'all' }, 'scope'],
      [{ user: 'ada', name: 'x', expires_in: 59 }, 'expires_in'],
      [{ user: 'ada', name: 'x', expires_in: 31_536_001 }, 'expires_in'],
      [{ client_secret: 'x' }, 'client_id'],
      [{}, 'client_id'],
      [{ expires_in: 60 }, 'expires_in'],
    ] as const)
      await refused(hero.token.create(params), 'invalid_params', path)
    await refused(hero.token.create({ user: 'nobody', name: 'x' }), 'not_found')
    await refused(hero.token.create({ service: 'nothing', name: 'x' }), 'not_found')
    await refused(hero.token.revoke({}), 'invalid_params', 'token')
    await refused(hero.token.revoke({ id: 'a'.repeat(36), token: 'b' }), 'invalid_params', 'token')
    await hero.settings.set({ key: 'token_lifetime', value: 3600 })
    await refused(
      hero.token.create({ user: 'ada', name: 'x', expires_in: 3601 }),
      'invalid_params',
      'expires_in',
    )
    assert.equal((await hero.token.create({ user: 'ada', name: 'x' })).expires_in, 3600)
  })
})
