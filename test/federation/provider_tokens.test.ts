import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { HeroProxy } from '../../sdk/index.ts'
import { goodPassword, startTestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { ask } from '../support/http.ts'
import { byHand, signedIn } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile_provider.ts'
import { comeBy, startRelying, whoIs, type Stage } from '../support/provider_stage.ts'

/** Starts a provider that knows grace as 1, and a daemon that uses it. */
const startWith = async (fields: object = {}, settings: Record<string, string> = {}) => {
  const stage = await startRelying(settings)
  const hostile = await startHostileProvider()
  await stage.hero.providers.add({
    own_callback: true,
    provider: 'peer',
    preset: 'oidc',
    issuer: hostile.issuer,
    title: 'The peer',
    client: 'hero',
    client_secret: 's',
    ...fields,
  })
  await stage.hero.users.identities.add({ user: 'grace', provider: 'peer', subject: '1' })
  return { stage, hostile }
}

const cookieOf = (person: Person, origin: string): string => person.cookiesAt(new URL(origin))

onSqliteFirst('stored provider tokens', (newUrl, kind) => {
  let stage: Stage
  let hostile: HostileProvider
  let grace: HeroProxy
  const secret = 'the same on all nodes, 32 characters long'
  let database_url: string
  before(async () => {
    database_url = newUrl()
    ;({ stage, hostile } = await startWith({ keep_tokens: true }, { database_url, secret }))
    await comeBy(new Person(), stage, 'peer', '')
    grace = await signedIn(stage.daemon, 'grace')
  })
  after(async () => {
    await hostile?.close()
    await stage?.[Symbol.asyncDispose]()
  })
  afterEach(() => hostile.misbehave({}))
  const expireTokens = () =>
    byHand(stage.daemon, async (database) => {
      await database.query.updateTable('provider_tokens').set({ expires_at: 1 }).execute()
      database.changed('providers')
    })

  test('they are encrypted', async () => {
    const { access_token } = await grace.auth.upstream_token({ provider: 'peer' })
    assert.match(access_token, /^at-/)
    const [row] = await byHand(stage.daemon, (database) =>
      database.query.selectFrom('provider_tokens').selectAll().execute(),
    )
    assert.match(row!.sealed, /^v1\./)
    assert.ok(!JSON.stringify(row).includes(access_token.slice(3)))
  })

  test('they are returned to their owner alone', async () => {
    const { hero, daemon } = stage
    const ada = await signedIn(daemon, 'ada')
    await refused(ada.auth.upstream_token({ provider: 'peer' }), 'not_found')
    await refused(hero.auth.upstream_token({ provider: 'peer' }), 'conflict')
    await ada.auth.impersonate({ user: 'grace' })
    await refused(ada.auth.upstream_token({ provider: 'peer' }), 'conflict')
    await refused(
      new HeroProxy({ url: stage.origin }).auth.upstream_token({ provider: 'peer' }),
      'unauthenticated',
    )
    const [entry] = (await hero.audit.list({ limit: 1, method: 'auth.upstream_token' } as never)).items
    assert.ok(!JSON.stringify(entry).match(/at-[0-9a-f]{8}/))
  })

  test('a page at the host of a service cannot read them', async () => {
    const { port } = new URL(stage.origin)
    await stage.hero.proxy.routes.add({
      domain: 'app.localhost',
      target: 'http://127.0.0.1:1',
      auth_mode: 'local',
    })
    const app = `http://app.localhost:${port}`
    const person = new Person()
    await comeBy(person, stage, 'peer', '')
    // The service does not run; the session is open all the same.
    assert.equal((await person.open(`${app}/`)).status, 502)
    const cookie = cookieOf(person, app)
    assert.match(cookie, /_session=/)
    const call = (host: string) =>
      ask(stage.daemon, host, '/rpc', {
        method: 'POST',
        headers: ['Content-Type', 'application/json', 'Origin', `http://${host}`, 'Cookie', cookie],
        body: '{"jsonrpc":"2.0","id":1,"method":"auth.upstream_token","params":{"provider":"peer"}}',
      })
    assert.equal((await call(`app.localhost:${port}`)).status, 502, 'this path belongs to the service')
    const answer = await call(`localhost:${port}`)
    assert.match(answer.body, /unauthenticated/)
    assert.ok(!answer.body.match(/at-[0-9a-f]{8}/))
  })

  test('concurrent requests renew a token once', async () => {
    await expireTokens()
    hostile.misbehave({})
    const all = await Promise.all(
      Array.from({ length: 20 }, () => grace.auth.upstream_token({ provider: 'peer' })),
    )
    assert.equal(new Set(all.map(({ access_token }) => access_token)).size, 1)
    assert.equal(hostile.asked('token'), 1)
    assert.ok(all[0]!.expires_at! > Date.now() / 1000)
  })

  // More than one node needs PostgreSQL.
  if (kind === 'postgres')
    test('concurrent requests on two nodes renew a token once', async () => {
      await using node = await startTestDaemon({ database_url, secret, public_url: stage.origin })
      const there = await signedIn(node, 'grace')
      await expireTokens()
      hostile.misbehave({})
      const all = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          (i % 2 === 0 ? grace : there).auth.upstream_token({ provider: 'peer' }),
        ),
      )
      assert.equal(new Set(all.map(({ access_token }) => access_token)).size, 1)
      assert.equal(hostile.asked('token'), 1)
    })

  test('a provider outage keeps the token, and an invalid_grant deletes it', async () => {
    await expireTokens()
    hostile.misbehave({
      instead: (endpoint, _, response) => {
        if (endpoint === 'token') response.writeHead(500).end()
        return endpoint === 'token'
      },
    })
    await refused(grace.auth.upstream_token({ provider: 'peer' }), 'unavailable')
    hostile.misbehave({})
    assert.match((await grace.auth.upstream_token({ provider: 'peer' })).access_token, /^at-/)
    await expireTokens()
    hostile.misbehave({ token: () => ({ status: 400, error: 'invalid_grant' }) })
    await refused(grace.auth.upstream_token({ provider: 'peer' }), 'conflict')
    hostile.misbehave({})
    await refused(grace.auth.upstream_token({ provider: 'peer' }), 'not_found')
    await comeBy(new Person(), stage, 'peer', '')
    assert.match((await grace.auth.upstream_token({ provider: 'peer' })).access_token, /^at-/)
  })

  test('they are forwarded to the service of a route that asks for them, and to no other', async () => {
    const { hero, daemon } = stage
    const upstream: Upstream = await startUpstream()
    try {
      await hero.proxy.routes.add({
        domain: 'tools.localhost',
        target: upstream.target,
        auth_mode: 'bearer',
        provider_token: 'peer',
      })
      await hero.proxy.routes.add({ domain: 'plain.localhost', target: upstream.target, auth_mode: 'bearer' })
      const bearer = async (login: string) => [
        'Authorization',
        `Bearer ${(await hero.auth.login({ login, password: goodPassword })).access_token}`,
        'X-Proxy-Provider-Token',
        'forged',
      ]
      const sent = async (host: string, headers: string[]) => {
        await ask(daemon, host, '/', { headers })
        return valuesOf(upstream.seen.at(-1)!.rawHeaders, 'x-proxy-provider-token')
      }
      const asGrace = await bearer('grace')
      const { access_token } = await grace.auth.upstream_token({ provider: 'peer' })
      assert.deepEqual(await sent('tools.localhost', asGrace), [access_token])
      assert.deepEqual(await sent('plain.localhost', asGrace), [])
      assert.deepEqual(await sent('tools.localhost', await bearer('ada')), [])
      // The token that ada has is a different one.
      await hero.users.identities.add({ user: 'ada', provider: 'peer', subject: '2' })
      hostile.state.person = { ...hostile.state.person, sub: '2' }
      await comeBy(new Person(), stage, 'peer', '')
      hostile.state.person = { ...hostile.state.person, sub: '1' }
      assert.equal((await sent('tools.localhost', await bearer('ada'))).length, 1)
      const asAda = await bearer('ada')
      await hero.as(asAda[1]!.slice(7)).auth.impersonate({ user: 'grace' })
      assert.deepEqual(await sent('tools.localhost', asAda), [], 'no token while impersonating')
      await expireTokens()
      const [renewed] = await sent('tools.localhost', asGrace)
      assert.match(renewed!, /^at-/)
      assert.notEqual(renewed, access_token)
      const { headers } = await hero.proxy.routes.test({ url: 'http://tools.localhost/', user: 'grace' })
      assert.ok(!JSON.stringify(headers).match(/at-[0-9a-f]{8}/))
      await hero.providers.update({ provider: 'peer', keep_tokens: false })
      assert.deepEqual(await sent('tools.localhost', asGrace), [], 'effective at the next request')
      await hero.providers.update({ provider: 'peer', keep_tokens: true })
    } finally {
      await upstream.close()
    }
  })

  test('they are deleted with the identity, and all of them when keep_tokens is turned off', async () => {
    const { hero } = stage
    const rows = () =>
      byHand(stage.daemon, (database) => database.query.selectFrom('provider_tokens').selectAll().execute())
    await comeBy(new Person(), stage, 'peer', '')
    assert.notDeepEqual(await rows(), [])
    await hero.providers.update({ provider: 'peer', keep_tokens: false })
    assert.deepEqual(await rows(), [])
    await comeBy(new Person(), stage, 'peer', '')
    assert.deepEqual(await rows(), [])
    await hero.providers.update({ provider: 'peer', keep_tokens: true })
    await comeBy(new Person(), stage, 'peer', '')
    assert.equal((await rows()).length, 1)
    const [identity] = (await hero.users.identities.list({ user: 'grace' })).items
    await hero.users.identities.remove({ user: 'grace', id: identity!.id })
    assert.deepEqual(await rows(), [])
    await refused(grace.auth.upstream_token({ provider: 'peer' }), 'not_found')
  })
})

describe('logout at both ends', () => {
  let stage: Stage
  let hostile: HostileProvider
  const event = { 'http://schemas.openid.net/event/backchannel-logout': {} }
  before(async () => {
    ;({ stage, hostile } = await startWith({ sign_out: true }))
    hostile.state.person = { ...hostile.state.person, sid: 'there-1' }
    hostile.misbehave({
      discovery: (metadata) => ({ ...metadata, end_session_endpoint: `${hostile.issuer}/end` }),
    })
  })
  after(async () => {
    await hostile?.close()
    await stage?.[Symbol.asyncDispose]()
  })

  test('a logout here continues at the provider with an id_token_hint, after the session here has ended', async () => {
    const person = new Person(({ pathname }) => pathname === '/end')
    await comeBy(person, stage, 'peer', '')
    const page = await person.submit(await person.open(`${stage.origin}/auth/me`), '/auth/logout', {})
    assert.equal(page.url.href.split('?')[0], `${hostile.issuer}/end`)
    assert.match(page.url.searchParams.get('id_token_hint')!, /^ey/)
    assert.equal(page.url.searchParams.get('post_logout_redirect_uri'), `${stage.origin}/auth/login`)
    assert.equal(await whoIs(person, stage.origin), undefined)
    await stage.hero.providers.update({ provider: 'peer', sign_out: false })
    const stays = new Person()
    await comeBy(stays, stage, 'peer', '')
    const out = await stays.submit(await stays.open(`${stage.origin}/auth/me`), '/auth/logout', {})
    assert.equal(out.url.href, `${stage.origin}/auth/login`)
  })

  test('/logout?next= continues to a path of ours, and nowhere else', async () => {
    for (const [next, wanted] of [
      ['/auth/reset', '/auth/reset'],
      ['//evil.test', '/auth/login'],
      ['https://evil.test/', '/auth/login'],
    ] as const) {
      const person = new Person()
      await comeBy(person, stage, 'peer', '')
      const confirm = await person.open(`${stage.origin}/logout?next=${encodeURIComponent(next)}`)
      assert.equal(await whoIs(person, stage.origin), 'grace', 'opening the link does not sign out')
      const out = await person.submit(confirm, '/auth/logout', {})
      assert.equal(out.url.href, `${stage.origin}${wanted}`)
      assert.equal(await whoIs(person, stage.origin), undefined)
    }
  })

  const now = () => Math.floor(Date.now() / 1000)
  let jti = 0
  const token = (more: object = {}) =>
    hostile.jwt({
      iss: hostile.issuer,
      aud: 'hero',
      iat: now(),
      exp: now() + 120,
      jti: `j${++jti}`,
      events: event,
      sid: 'there-1',
      ...more,
    })
  const send = (logout_token: string) =>
    fetch(`${stage.origin}/oauth/backchannel_logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token }),
    })

  test('a back-channel logout ends the sessions of that provider session (OpenID Connect Back-Channel Logout)', async () => {
    const person = new Person()
    await comeBy(person, stage, 'peer', '')
    hostile.state.person = { ...hostile.state.person, sid: 'there-2' }
    const other = new Person()
    await comeBy(other, stage, 'peer', '')
    hostile.state.person = { ...hostile.state.person, sid: 'there-1' }
    const answer = await send(token())
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    assert.equal(await whoIs(person, stage.origin), undefined)
    assert.equal(await whoIs(other, stage.origin), 'grace')
    assert.equal((await send(token({ sid: undefined, sub: '1' }))).status, 200)
    assert.equal(await whoIs(other, stage.origin), undefined, 'a logout by sub ends all of them')
    const { items } = await stage.hero.audit.list({ limit: 1 })
    assert.equal(
      `${items[0]!.method} ${items[0]!.target}`,
      'auth.logout_by_provider user=grace provider=peer',
    )
  })

  test('an invalid logout token ends nothing', async () => {
    const person = new Person()
    await comeBy(person, stage, 'peer', '')
    const none = (one: string) => `${one.split('.').slice(0, 2).join('.')}.`
    const unsigned = () => {
      const header = Buffer.from('{"alg":"none"}').toString('base64url')
      return none(`${header}.${token().split('.')[1]}.`)
    }
    for (const [name, made] of Object.entries({
      'no token': 'x',
      'backchannel-logout-alg-none': unsigned(),
      'without signature': none(token()),
      'backchannel-logout-wrong-issuer': token({ iss: 'https://other.example.org' }),
      'backchannel-logout-wrong-aud': token({ aud: 'other' }),
      'backchannel-logout-no-event': token({ events: undefined }),
      'backchannel-logout-wrong-event': token({ events: { 'http://other.example.org': {} } }),
      'backchannel-logout-with-nonce': token({ nonce: 'n' }),
      'without jti': token({ jti: undefined }),
      'without iat': token({ iat: undefined }),
      'without sub and sid': token({ sid: undefined }),
      'too old': token({ iat: now() - 3600 }),
      expired: token({ exp: now() - 60 }),
    })) {
      assert.equal((await send(made)).status, 400, name)
      assert.equal(await whoIs(person, stage.origin), 'grace', name)
    }
    const both = await fetch(`${stage.origin}/oauth/backchannel_logout`, {
      method: 'POST',
      body: new URLSearchParams([
        ['logout_token', token()],
        ['logout_token', token()],
      ]),
    })
    assert.equal(both.status, 400)
    const once = token({ sid: 'nobody-has-it' })
    assert.equal((await send(once)).status, 200)
    assert.equal((await send(once)).status, 400, 'a token is accepted once')
    assert.equal((await send(token({ sid: undefined, sub: 'stranger' }))).status, 200)
    assert.equal(await whoIs(person, stage.origin), 'grace')
  })

  test('an ID token is not accepted as a logout token', async () => {
    const person = new Person()
    let idToken = ''
    hostile.misbehave({ idToken: (made) => (idToken = made) })
    await comeBy(person, stage, 'peer', '')
    assert.equal((await send(idToken)).status, 400)
    assert.equal(await whoIs(person, stage.origin), 'grace')
  })
})

test('a flow survives a restart', async () => {
  const { stage, hostile } = await startWith()
  const person = new Person(({ pathname }) => pathname.startsWith('/oauth/callback/'))
  const { url } = await person.open(`${stage.origin}/login?provider=peer&next=/auth/me?after=restart`)
  const again = await stage.daemon.restart()
  try {
    const headers = { accept: 'text/html', cookie: person.cookiesAt(url) }
    const answer = await fetch(url, { redirect: 'manual', headers })
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.get('location'), '/auth/me?after=restart')
  } finally {
    await again.close()
    await hostile.close()
  }
})

test('workers share flows: one completes what another started', async () => {
  const { stage, hostile } = await startWith({}, { workers: '3' })
  try {
    for (let i = 0; i < 6; i++) {
      const people = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const person = new Person()
          await comeBy(person, stage, 'peer', '')
          return whoIs(person, stage.origin)
        }),
      )
      assert.deepEqual(people, ['grace', 'grace', 'grace', 'grace'])
    }
    // Each worker sees a change at the next request.
    await stage.hero.providers.update({ provider: 'peer', enabled: false })
    const pages = await Promise.all(
      Array.from({ length: 8 }, () => new Person().open(`${stage.origin}/login?provider=peer`)),
    )
    assert.deepEqual(new Set(pages.map(({ status }) => status)), new Set([404]))
  } finally {
    await hostile.close()
    await stage[Symbol.asyncDispose]()
  }
})
