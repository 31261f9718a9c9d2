import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { HeroProxy } from '../../../sdk/index.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../../support/daemon.ts'
import { onSqliteFirst } from '../../support/databases.ts'
import { ask, askRaw, signIn } from '../../support/http.ts'
import { byHand } from '../../support/people.ts'
import { assertEnded, kinds, open, startLiveUpstream, type Live } from './open_connections.ts'
import { openAt, openForm, postForm, signInAtAll, startStage, type Stage } from '../../support/edge_stage.ts'

type LiveUpstream = Awaited<ReturnType<typeof startLiveUpstream>>

/** A user whose own group grants the claim of their own route. */
interface Newcomer {
  readonly username: string
  readonly group: string
  readonly domain: string
  readonly route: string
  readonly cookie: string
}

describe('an open WebSocket, event stream or download ends with the permission for it', () => {
  let stage: Stage
  let upstream: LiveUpstream
  let hero: HeroProxy
  let kept: Live[]
  let count = 0
  /** Ends the session of the user who asks, as a service with its own sign-out does. */
  const slow = async (url: string) => {
    if (url.startsWith('/leave')) await hero.sessions.revoke_all({ user: url.split('/')[2]! })
    else await delay(20_000, undefined, { ref: false })
  }
  before(async () => {
    stage = await startStage()
    hero = stage.daemon.hero
    upstream = await startLiveUpstream((asked, response) => {
      void slow(asked.url!).then(() => setTimeout(() => response.end('bye'), 350))
    })
    await stage.route({
      domain: 'kept.localhost',
      auth_mode: 'local',
      required_claims: ['app.use'],
      target: upstream.target,
    })
    kept = await openAll('kept.localhost', stage.ada)
  })
  after(async () => {
    for (const live of kept) live.leave()
    await upstream.close()
    await stage.close()
  })

  const openAll = (domain: string, cookie?: string) =>
    Promise.all(
      kinds.map((kind) => open(stage.daemon, upstream, kind, domain, cookie === undefined ? {} : { cookie })),
    )
  const newcomer = async (): Promise<Newcomer> => {
    const username = `n${++count}`
    const [group, domain] = [`group-${username}`, `${username}.localhost`]
    await hero.users.add({ username, password: goodPassword })
    await hero.groups.add({ slug: group })
    await hero.groups.add_member({ group, user: username })
    await hero.groups.add_claim({ group, claim: 'live.see' })
    const { id } = await stage.route({
      domain,
      auth_mode: 'local',
      required_claims: ['live.see'],
      target: upstream.target,
    })
    const cookie = await signInAtAll(stage.daemon, [domain], username)
    return { username, group, domain, route: id, cookie }
  }
  /** Asserts that the connections of other users stay open. */
  const assertKept = () =>
    assert.deepEqual(
      kept.map(({ complete }) => complete),
      kept.map(() => undefined),
    )

  /** Signs out as a person does who begins at the service. */
  const signOut = async ({ domain, cookie }: Newcomer, scope: string) => {
    const left = await ask(stage.daemon, domain, '/auth/logout', {
      headers: ['Accept', 'text/html', 'Cookie', cookie],
    })
    const { pathname, search, searchParams } = new URL(left.headers.location!)
    const form = await openForm(stage.daemon, 'localhost', pathname + search, ['Cookie', cookie])
    const fields = { form_token: form.token, leaving: searchParams.get('leaving')!, scope }
    const headers = ['Cookie', `${cookie}; ${form.cookie}`]
    return postForm(stage.daemon, 'localhost', '/auth/logout', fields, headers)
  }

  const causes: Record<string, (who: Newcomer) => Promise<unknown>> = {
    'the session is revoked': async ({ username }) => {
      const { items } = await hero.sessions.list({ user: username })
      await hero.sessions.revoke({ id: items[0]!.id })
    },
    'all sessions are revoked': ({ username }) => hero.sessions.revoke_all({ user: username }),
    'the user signs out everywhere': async (who) => {
      assert.equal((await signOut(who, 'everywhere')).status, 200)
    },
    'the user signs out of this service only': async (who) => {
      assert.equal((await signOut(who, 'here')).status, 200)
      const { items } = await hero.sessions.list({ user: who.username })
      assert.equal(items.length, 1, 'the sign-in at home goes on')
    },
    'the user is deactivated': ({ username }) => hero.users.update({ username, is_active: false }),
    'the user is removed': ({ username }) => hero.users.remove({ username }),
    'the password is changed elsewhere': async ({ username }) => {
      const { access_token } = await hero.auth.login({ login: username, password: goodPassword })
      const password = 'velvet-harbor-93-comet'
      await hero.as(access_token).auth.set_password({ password, current_password: goodPassword })
    },
    'the claim is removed from the group': ({ group }) =>
      hero.groups.remove_claim({ group, claim: 'live.see' }),
    'the member is removed from the group': ({ group, username }) =>
      hero.groups.remove_member({ group, user: username }),
    'the group becomes inactive': ({ group }) => hero.groups.update({ group, is_active: false }),
    'the route requires another claim': ({ route }) =>
      hero.proxy.routes.update({ id: route, required_claims: ['live.other'] }),
    'the route is disabled': ({ route }) => hero.proxy.routes.update({ id: route, enabled: false }),
    'the route is removed': ({ route }) => hero.proxy.routes.remove({ id: route }),
    'another process deletes the session': ({ username }) =>
      byHand(stage.daemon, async (database) => {
        const user = await database.query
          .selectFrom('users')
          .select('id')
          .where('username', '=', username)
          .executeTakeFirstOrThrow()
        await database.query.deleteFrom('sessions').where('user_id', '=', user.id).execute()
        database.changed('sessions')
      }),
  }
  for (const [title, cause] of Object.entries(causes)) {
    test(`when ${title}, on both sides`, async () => {
      const who = await newcomer()
      const lives = await openAll(who.domain, who.cookie)
      await cause(who)
      await assertEnded(lives)
      assertKept()
    })
  }

  test('when its own session ends, however old it is, while those of another session continue', async () => {
    const who = await newcomer()
    const lives = await openAll(who.domain, who.cookie)
    await delay(1500)
    const { items } = await hero.sessions.list({ user: who.username })
    const again = await signIn(stage.daemon, who.domain, who.username, goodPassword)
    const others = await openAll(who.domain, again)
    await hero.sessions.revoke({ id: items[0]!.id })
    await assertEnded(lives)
    assert.deepEqual(
      others.map(({ complete }) => complete),
      [undefined, undefined, undefined],
    )
    await hero.groups.remove_member({ group: who.group, user: who.username })
    await assertEnded(others)
  })

  test('when its bearer token is revoked', async () => {
    const who = await newcomer()
    await stage.route({ domain: `t-${who.domain}`, auth_mode: 'optional', target: upstream.target })
    const { access_token } = await hero.auth.login({ login: who.username, password: goodPassword })
    const headers = { authorization: `Bearer ${access_token}` }
    const lives = await Promise.all(
      kinds.map((kind) => open(stage.daemon, upstream, kind, `t-${who.domain}`, headers)),
    )
    await hero.as(access_token).auth.logout()
    await assertEnded(lives)
  })

  test('when a static token, a network or an allowed address is removed', async () => {
    const { username, group, cookie } = await newcomer()
    const { routes } = hero.proxy
    const at = (domain: string, auth_mode: 'bearer' | 'none' | 'local', more: object) =>
      stage.route({ domain, auth_mode, target: upstream.target, ...more })
    const token = 'a-static-token-of-a-route-that-is-long-enough'
    const { id: byToken } = await at('static.localhost', 'bearer', { bearer_token: token })
    await at('near.localhost', 'none', {})
    await byHand(stage.daemon, async (database) => {
      const own = database.query.updateTable('users').where('username', '=', username)
      await own.set({ email: 'live@example.org', email_verified_at: 1 }).execute()
      database.changed('users')
    })
    const { id: byEmail } = await at('mail.localhost', 'local', { allowed_emails: ['live@example.org'] })
    await openAt(stage.daemon, 'mail.localhost', cookie)
    await hero.settings.set({ key: 'network_login', value: true })
    const network = await hero.users.networks.add({ user: username, network: '127.0.0.1/32' })

    const headers = { authorization: `Bearer ${token}` }
    const withToken = await Promise.all(
      kinds.map((kind) => open(stage.daemon, upstream, kind, 'static.localhost', headers)),
    )
    const near = await openAll('near.localhost')
    const mailed = await openAll('mail.localhost', cookie)
    await routes.update({ id: byToken, bearer_token: `${token}-another` })
    await assertEnded(withToken)
    await hero.users.networks.remove({ user: username, id: network.id })
    await assertEnded(near)
    await routes.update({ id: byEmail, allowed_emails: ['other@example.org'] })
    await assertEnded(mailed)
    await hero.settings.set({ key: 'network_login', value: false })
    await hero.groups.remove({ group })
    assertKept()
  })

  test('when the route no longer admits guests', async () => {
    const { id } = await stage.route({
      domain: 'open.localhost',
      auth_mode: 'none',
      target: upstream.target,
    })
    const lives = await openAll('open.localhost')
    await hero.proxy.routes.update({ id, auth_mode: 'local' })
    await assertEnded(lives)
  })

  test('when impersonation stops, or the impersonated user is deactivated', async () => {
    const { username, group } = await newcomer()
    await hero.users.add({ username: 'root', password: goodPassword, is_admin: true })
    await stage.route({ domain: 'seen.localhost', auth_mode: 'optional', target: upstream.target })
    const cookie = await signInAtAll(stage.daemon, ['seen.localhost'], 'root')
    const act = (method: string, params: object) =>
      ask(stage.daemon, 'localhost', '/rpc', {
        method: 'POST',
        headers: ['Content-Type', 'application/json', 'Cookie', cookie, 'Origin', 'http://localhost'],
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      })
    assert.match((await act('auth.impersonate', { user: username })).body, /until/)
    const lives = await openAll('seen.localhost', cookie)
    assert.match((await act('auth.stop_impersonating', {})).body, /null/)
    await assertEnded(lives)
    assert.match((await act('auth.impersonate', { user: username })).body, /until/)
    const again = await openAll('seen.localhost', cookie)
    await hero.users.update({ username, is_active: false })
    await assertEnded(again)
    await hero.groups.remove({ group })
  })

  test('when a membership or a session expires', async () => {
    const [member, guest] = [await newcomer(), await newcomer()]
    const lives = [
      ...(await openAll(member.domain, member.cookie)),
      ...(await openAll(guest.domain, guest.cookie)),
    ]
    const soon = Math.floor(Date.now() / 1000) + 2
    await byHand(stage.daemon, async ({ query }) => {
      const idOf = (username: string) =>
        query.selectFrom('users').select('id').where('username', '=', username).executeTakeFirstOrThrow()
      const [{ id: one }, { id: other }] = [await idOf(member.username), await idOf(guest.username)]
      await query.updateTable('group_users').set({ expires_at: soon }).where('user_id', '=', one).execute()
      await query.updateTable('sessions').set({ expires_at: soon }).where('user_id', '=', other).execute()
    })
    // Both are read again after these changes.
    await hero.groups.update({ group: member.group, name: 'Another name' })
    await hero.users.update({ username: guest.username, display_name: 'Another name' })
    const early = lives.map(({ complete }) => complete)
    if (Date.now() / 1000 < soon) assert.deepEqual(new Set(early), new Set([undefined]))
    await assertEnded(lives)
  })

  test('changes that keep the permission end no connection', async () => {
    const who = await newcomer()
    const lives = await openAll(who.domain, who.cookie)
    await hero.users.update({ username: who.username, display_name: 'Another name' })
    await hero.groups.add_claim({ group: who.group, claim: 'live.more' })
    await hero.proxy.routes.update({ id: who.route, required_claims: ['live.*'], response_timeout: 5 })
    await hero.groups.remove_claim({ group: who.group, claim: 'live.see' })
    await delay(1500)
    assert.deepEqual(
      lives.map(({ complete }) => complete),
      [undefined, undefined, undefined],
    )
    for (const live of lives) live.leave()
  })

  test('a request that ends its own session still gets its response', async () => {
    const who = await newcomer()
    const answer = await ask(stage.daemon, who.domain, `/leave/${who.username}`, {
      headers: ['Cookie', who.cookie],
    })
    assert.deepEqual([answer.status, answer.body], [200, 'bye'])
  })

  test('a request still waiting for its response gets 403, and the upstream request is aborted', async () => {
    const [who, again] = [await newcomer(), await newcomer()]
    const left = upstream.gone('/slow')
    const waiting = ask(stage.daemon, who.domain, '/slow', { headers: ['Cookie', who.cookie] })
    await delay(100)
    await hero.sessions.revoke_all({ user: who.username })
    const answer = await waiting
    assert.equal(answer.status, 403)
    assert.match(answer.body, /access_ended/)
    await left
    const upgrade = ['GET /slow HTTP/1.1', `Host: ${again.domain}`, 'Connection: upgrade', 'Upgrade: slow']
    const pending = askRaw(stage.daemon, `${upgrade.join('\r\n')}\r\nCookie: ${again.cookie}\r\n\r\n`, 2500)
    await delay(100)
    await hero.sessions.revoke_all({ user: again.username })
    assert.match(await pending, /^HTTP\/1\.1 403 [^]*access_ended/)
  })

  test('an upload is aborted when the user is deactivated', async () => {
    const who = await newcomer()
    const left = upstream.gone('/slow/upload')
    const socket = connect(stage.daemon.edge.port, '127.0.0.1')
    const head = `POST /slow/upload HTTP/1.1\r\nHost: ${who.domain}\r\nCookie: ${who.cookie}\r\n`
    socket.write(`${head}Content-Length: 1000000\r\n\r\nfirst`)
    socket.on('error', () => {}).resume()
    const over = Promise.all([new Promise((resolve) => socket.on('close', resolve)), left])
    await delay(100)
    await hero.users.update({ username: who.username, is_active: false })
    await assertEnded([{ over, complete: false, leave: () => {} }])
    assertKept()
  })
})

onSqliteFirst('a change at one node ends connections at another', (newUrl) => {
  let here: TestDaemon
  let there: TestDaemon
  let upstream: LiveUpstream
  before(async () => {
    const settings = { database_url: newUrl(), secret: 'the same secret for both of the nodes' }
    here = await startTestDaemon(settings)
    there = await startTestDaemon(settings)
    upstream = await startLiveUpstream()
    const route = { domain: 'node.localhost', target: upstream.target, auth_mode: 'local' } as const
    await here.hero.proxy.routes.add({ ...route, required_claims: ['node.see'] })
    await here.hero.groups.add({ slug: 'seers' })
    await here.hero.groups.add_claim({ group: 'seers', claim: 'node.see' })
  })
  after(async () => {
    await upstream.close()
    await here.close()
    await there.close()
  })

  const causes: Record<string, (hero: HeroProxy, user: string) => Promise<unknown>> = {
    revoked: (hero, user) => hero.sessions.revoke_all({ user }),
    deactivated: (hero, username) => hero.users.update({ username, is_active: false }),
    claimless: (hero, user) => hero.groups.remove_member({ group: 'seers', user }),
  }
  for (const [username, cause] of Object.entries(causes)) {
    test(username, async () => {
      await here.hero.users.add({ username, password: goodPassword })
      await here.hero.groups.add_member({ group: 'seers', user: username })
      const cookie = await signIn(here, 'node.localhost', username, goodPassword)
      const lives = await Promise.all(
        kinds.map((kind) => open(there, upstream, kind, 'node.localhost', { cookie })),
      )
      await cause(here.hero, username)
      await assertEnded(lives)
    })
  }
})
