import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Sessions } from '../../src/sessions/sessions.ts'
import { goodPassword } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { arriveAt, ask, signIn } from '../support/http.ts'
import { got, startStage, type Stage } from '../support/edge_stage.ts'
import { byHand } from '../support/people.ts'
import { noReactions } from '../support/reactions.ts'
import { valuesOf } from '../support/upstream.ts'

onSqliteFirst('providers that vouch for a sign-in', (newUrl) => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ database_url: newUrl() })
    const { routes } = stage.daemon.hero.proxy
    const { target } = stage.upstream
    await routes.add({ domain: 'open.localhost', target, auth_mode: 'local' })
    await routes.add({ domain: 'vouched.localhost', target, auth_mode: 'oauth', provider: 'forge' })
  })
  after(() => stage.close())

  const sessions = <T>(work: (of: Sessions) => Promise<T>) =>
    byHand(stage.daemon, (database) => {
      const of = new Sessions(database, async () => 3600, noReactions, 'localhost')
      return work(of).finally(() => database.changed('sessions'))
    })
  const vouch = (id: string, provider: string, sid = '') =>
    sessions(({ vouchings }) => vouchings.add(id, { provider, identity_id: 'x', sid, id_token: '' }))
  const newest = async () => (await stage.daemon.hero.sessions.list({ user: 'ada', limit: 1 })).items[0]!
  const at = (host: string, cookie: string) => ask(stage.daemon, host, '/', { headers: ['Cookie', cookie] })
  const atHome = async (cookie: string) =>
    (await ask(stage.daemon, 'localhost', '/auth/me', { headers: ['Cookie', cookie] })).status
  const methodOf = (answer: { body: string }) => valuesOf(got(answer).rawHeaders, 'x-proxy-auth-method')[0]

  test('open a route with auth_mode oauth, although a password opened the sign-in', async () => {
    const home = await signIn(stage.daemon, 'localhost', 'ada', goodPassword)
    const { id } = await newest()
    const open = await arriveAt(stage.daemon, 'open.localhost', home)
    await vouch(id, 'other')
    await assert.rejects(arriveAt(stage.daemon, 'vouched.localhost', home), /provider|set no cookie|answered/)
    await vouch(id, 'forge')
    const vouched = await arriveAt(stage.daemon, 'vouched.localhost', home)
    assert.equal(methodOf(await at('vouched.localhost', vouched)), 'oauth')
    assert.equal(methodOf(await at('open.localhost', open)), 'local')

    // The provider's notice takes back its word, and nothing that the password opened.
    assert.equal(await sessions((of) => of.revokeVouchedBy('forge', { sid: 'unknown' }, 'logout')), 0)
    assert.equal((await at('vouched.localhost', vouched)).status, 200)
    const { id: userId } = await stage.daemon.hero.users.get({ username: 'ada' })
    assert.equal(await sessions((of) => of.revokeVouchedBy('forge', { userId, sid: 'unknown' }, 'logout')), 1)
    assert.equal((await at('vouched.localhost', vouched)).status, 401)
    assert.equal((await at('open.localhost', open)).status, 200)
  })

  test('end what they opened, with everything that belongs to it', async () => {
    const { id: userId } = await stage.daemon.hero.users.get({ username: 'ada' })
    const opened = await sessions((of) =>
      of.open(userId, {
        kind: 'cookie',
        provider: 'forge',
        factor: '',
        address: '',
        user_agent: '',
        vouching: { provider: 'forge', identity_id: 'x', sid: 'there', id_token: '' },
      }),
    )
    const home = `__Host-hero_proxy_session=${opened.token}`
    const child = await arriveAt(stage.daemon, 'open.localhost', home)
    assert.equal(methodOf(await at('open.localhost', child)), 'oauth')
    assert.equal(await sessions((of) => of.revokeVouchedBy('forge', { sid: 'there' }, 'logout')), 1)
    assert.equal((await at('open.localhost', child)).status, 401)
    assert.equal(await atHome(home), 401)
  })

  test('join a sign-in without proving anything that was not proven before', async () => {
    const home = await signIn(stage.daemon, 'localhost', 'ada', goodPassword)
    const { id } = await newest()
    const { id: userId } = await stage.daemon.hero.users.get({ username: 'ada' })
    const read = () =>
      byHand(stage.daemon, ({ query }) =>
        query
          .selectFrom('sessions')
          .select(['provider', 'factor', 'proven_at'])
          .where('id', '=', id)
          .executeTakeFirstOrThrow(),
      )
    const before = await read()
    const again = await sessions((of) =>
      of.renewals.signInAgain(id, userId, {
        kind: 'cookie',
        provider: 'forge',
        factor: '',
        address: '',
        user_agent: '',
        proven_at: 5,
        vouching: { provider: 'forge', identity_id: 'x', sid: '', id_token: '' },
      }),
    )
    assert.deepEqual(await read(), before)
    assert.equal(await atHome(home), 401, 'the old value of the cookie is dead')
    const child = await arriveAt(
      stage.daemon,
      'vouched.localhost',
      `__Host-hero_proxy_session=${again!.token}`,
    )
    assert.equal((await at('vouched.localhost', child)).status, 200)
  })

  test('join a sign-in in a trusted browser, and end what a factor of long ago had proved', async () => {
    await signIn(stage.daemon, 'localhost', 'ada', goodPassword)
    const { id } = await newest()
    const { id: userId } = await stage.daemon.hero.users.get({ username: 'ada' })
    await byHand(stage.daemon, ({ query }) =>
      query.updateTable('sessions').set({ second_at: 7, passkey_at: 7 }).where('id', '=', id).execute(),
    )
    const origin = { kind: 'cookie', provider: 'forge', factor: '', address: '', user_agent: '' } as const
    const vouching = { provider: 'forge', identity_id: 'x', sid: '', id_token: '' }
    const proofsAfter = async (by_trust: boolean) => {
      await sessions((of) =>
        of.renewals.signInAgain(id, userId, { ...origin, proven_at: 9, by_trust, vouching }),
      )
      return byHand(stage.daemon, ({ query }) =>
        query
          .selectFrom('sessions')
          .select(['second_at', 'passkey_at'])
          .where('id', '=', id)
          .executeTakeFirstOrThrow(),
      )
    }
    assert.deepEqual(await proofsAfter(false), { second_at: 7, passkey_at: 7 })
    assert.deepEqual(await proofsAfter(true), { second_at: 0, passkey_at: 0 })
  })
})
