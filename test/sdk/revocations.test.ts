import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  ClaimRequired,
  ConnectionError,
  HeroProxy,
  verifyAssertion,
  type Identity,
  type Revoked,
} from '../../sdk/index.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { ask, signIn } from '../support/http.ts'
import { byHand, person } from '../support/people.ts'
import { startUpstream } from '../support/upstream.ts'

/** In milliseconds. One second is the target; a busy machine may need many. */
const deadline = 15_000

/** Collects revocations, and waits for them. */
const collect = () => {
  const received: Revoked[] = []
  const until = async (count: number) => {
    const end = performance.now() + deadline
    while (received.length < count && performance.now() < end) await delay(10)
    assert.equal(received.length, count)
    return received.map(({ user, reason }) => `${user} ${reason}`)
  }
  return { received, listener: (revoked: Revoked) => void received.push(revoked), until }
}

describe('onRevoked', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon()
    await daemon.hero.users.add({ username: 'root', password: goodPassword, is_admin: true })
  })
  after(() => daemon.close())

  test('it reports each revocation once and in order, until it is stopped', async () => {
    const { received, listener, until } = collect()
    await person(daemon, 'ada')
    const ada = await person(daemon, 'grace')
    const stop = await daemon.hero.onRevoked(listener)
    const { items } = await daemon.hero.sessions.list({ user: 'ada' })
    await daemon.hero.sessions.revoke_all({ user: 'ada' })
    await until(1)
    await ada.auth.logout()
    assert.deepEqual(await until(2), ['ada revoked', 'grace logout'])
    assert.equal(received[0]!.session_id, items[0]!.id)
    stop()
    await person(daemon, 'linus')
    await daemon.hero.sessions.revoke_all({ user: 'linus' })
    await delay(300)
    await until(2)
  })

  test('an abort signal or closing the client stops it', async () => {
    const controller = new AbortController()
    const hero = new HeroProxy({ socket: daemon.socketPath })
    const [one, two] = [collect(), collect()]
    await hero.onRevoked(one.listener, { signal: controller.signal })
    await hero.onRevoked(two.listener)
    controller.abort()
    await person(daemon, 'joan')
    await daemon.hero.sessions.revoke_all({ user: 'joan' })
    await two.until(1)
    hero.close()
    await person(daemon, 'jean')
    await daemon.hero.sessions.revoke_all({ user: 'jean' })
    await delay(300)
    assert.deepEqual([one.received.length, two.received.length], [0, 1])
    await assert.rejects(hero.health(), ConnectionError)
  })

  test('it needs the claim, and works at the edge with it', async () => {
    const plain = await person(daemon, 'plain')
    await assert.rejects(
      plain.onRevoked(() => {}),
      ClaimRequired,
    )
    const { access_token } = await daemon.hero.auth.login({ login: 'root', password: goodPassword })
    const url = daemon.origin.replace('127.0.0.1', 'localhost')
    const { listener, until } = collect()
    const stop = await new HeroProxy({ url, token: access_token }).onRevoked(listener)
    await plain.auth.logout()
    assert.deepEqual(await until(1), ['plain logout'])
    stop()
  })

  test('it names the session ID of a signed identity', async () => {
    await using upstream = await startUpstream((request, response) => {
      response.end(request.headers['x-hero-assertion'])
    })
    await person(daemon, 'signed')
    const audience = 'https://live.example.org'
    await daemon.hero.proxy.routes.add({
      domain: 'live.localhost',
      target: upstream.target,
      auth_mode: 'local',
      audience,
    })
    const cookie = await signIn(daemon, 'live.localhost', 'signed', goodPassword)
    const { body } = await ask(daemon, 'live.localhost', '/', { headers: ['Cookie', cookie] })
    const identity: Identity = await verifyAssertion(daemon.hero, { audience })({ 'x-hero-assertion': body })
    const { received, listener, until } = collect()
    const stop = await daemon.hero.onRevoked(listener)
    // The identity names the session of the service, which ends with the sign-in.
    const [session] = (await daemon.hero.sessions.list({ user: 'signed' })).items
    assert.deepEqual(session!.hosts, ['live.localhost'])
    await daemon.hero.sessions.revoke({ id: session!.id })
    await until(2)
    assert.ok(received.some(({ session_id }) => session_id === identity.session_id))
    stop()
  })
})

describe('onRevoked while the daemon restarts', () => {
  /** Moves the sequence numbers far ahead, as after a day or in another database. */
  const skipAhead = (daemon: TestDaemon) =>
    byHand(daemon, async ({ query }) => {
      const last = {
        session_id: '',
        token_id: '',
        client: '',
        user_id: '',
        username: 'x',
        reason: 'logout',
        at: 1,
      }
      await query.deleteFrom('revocations').execute()
      await query
        .insertInto('revocations')
        .values({ seq: 1000, ...last })
        .execute()
    })

  test('it misses no revocation during a restart, or calls onReset', async () => {
    const first = await startTestDaemon()
    for (const username of ['ada', 'grace', 'linus']) await person(first, username)
    const hero = new HeroProxy({ socket: first.socketPath })
    const { listener, until } = collect()
    const resets: string[] = []
    const stop = await hero.onRevoked(listener, { onReset: () => void resets.push('reset') })
    await first.hero.sessions.revoke_all({ user: 'ada' })
    await until(1)

    const stopped = first.restart()
    await delay(50)
    const second = await stopped
    await second.hero.sessions.revoke_all({ user: 'grace' })
    await until(2)
    assert.deepEqual(resets, [])

    // The revocations in between are lost: swept, or in another database.
    await skipAhead(second)
    const third = await second.restart()
    for (const end = performance.now() + deadline; resets.length === 0 && performance.now() < end;)
      await delay(20)
    assert.deepEqual(resets, ['reset'])
    await third.hero.sessions.revoke_all({ user: 'linus' })
    assert.deepEqual(await until(3), ['ada revoked', 'grace revoked', 'linus revoked'])
    stop()
    hero.close()
    await third.close()
  })

  test('it waits for a daemon that is starting', async () => {
    const before = await startTestDaemon()
    const hero = new HeroProxy({ socket: before.socketPath, startTimeout: 0 })
    const next = before.restart()
    const { listener, until } = collect()
    const stop = await hero.onRevoked(listener)
    const daemon = await next
    await person(daemon, 'ada')
    await daemon.hero.sessions.revoke_all({ user: 'ada' })
    await until(1)
    stop()
    await daemon.close()
  })
})
