import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  AlreadyExists,
  ClaimRequired,
  Conflict,
  ConnectionError,
  HeroError,
  HeroProxy,
  InvalidParams,
  NotFound,
  Unauthenticated,
  defaultSocket,
  type User,
} from '../../sdk/index.ts'
import { toHeroError, RateLimited, Unavailable } from '../../sdk/errors.ts'
import { errorTable } from '../../src/contract/errors.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { kill, spawnDaemon } from '../support/daemon_process.ts'

const failure = async <E extends Error>(
  call: Promise<unknown>,
  kind: abstract new (...args: never[]) => E,
): Promise<E> => {
  const error = await call.then(
    () => assert.fail('not refused'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof kind, String((error as Error).stack))
  return error
}

describe('the SDK over the socket', () => {
  let daemon: TestDaemon
  let hero: HeroProxy
  before(async () => {
    daemon = await startTestDaemon()
    hero = daemon.hero
  })
  after(() => daemon.close())

  test('calls are typed, by namespace or by name', async () => {
    const ada: User = await hero.users.add({
      username: 'ada',
      email: 'ada@example.org',
      password: goodPassword,
    })
    assert.equal(ada.username, 'ada')
    assert.deepEqual(await hero.users.get({ username: 'ada' }), ada)
    assert.deepEqual(await hero.call('users.get', { username: 'ada' }), ada)
    // @ts-expect-error the compiler reports a missing parameter
    await failure(hero.users.get({ name: 'ada' }), InvalidParams)
    // @ts-expect-error the compiler reports an unknown method
    const error = await failure(hero.call('users.nothing'), HeroError)
    assert.equal(error.code, 'method_not_found')
  })

  test('errors are classes with a name, number and data', async () => {
    const missing = await failure(hero.users.get({ username: 'nobody' }), NotFound)
    assert.deepEqual([missing.name, missing.code, missing.number], ['NotFound', 'not_found', -32004])
    const wrong = await failure(hero.users.add({ username: 'a.b' }), InvalidParams)
    assert.equal(wrong.path, 'username')
    assert.match(wrong.allowed, /letters, digits/)
    await failure(hero.users.add({ username: 'ADA', email: 'other@example.org' }), AlreadyExists)
    await hero.groups.add({ slug: 'outer' })
    await failure(hero.groups.remove({ group: 'admin' }), Conflict)
    const nobody = await failure(hero.as('nothing').health(), Unauthenticated)
    assert.equal(nobody.status, 401)
  })

  test('each error code has its class, and an unknown one the base class', () => {
    for (const [code, { code: number, message }] of Object.entries(errorTable)) {
      const error = toHeroError({ code: number, message, data: { code } })
      assert.ok(error instanceof HeroError)
      assert.deepEqual([error.code, error.number, error.message], [code, number, message])
    }
    const limited = toHeroError({
      code: -32029,
      message: '',
      data: { code: 'rate_limited', retry_after: 7 } as never,
    })
    assert.ok(limited instanceof RateLimited)
    assert.equal(limited.retryAfter, 7)
    assert.ok(
      toHeroError({ code: -32053, message: '', data: { code: 'unavailable' } }) instanceof Unavailable,
    )
    assert.equal(toHeroError({ code: -32099, message: '' }).constructor, HeroError)
    assert.equal(toHeroError({ code: -1, message: '', data: { code: 'constructor' } }).constructor, HeroError)
  })

  test('as(token) has the rights of its person, and the original client keeps those of the operator', async () => {
    const { access_token } = await hero.auth.login({ login: 'ada', password: goodPassword })
    const ada = hero.as(access_token)
    const [me, refused, stats] = await Promise.all([
      ada.auth.me(),
      failure(ada.groups.add({ slug: 'mine' }), ClaimRequired),
      hero.stats(),
    ])
    assert.match(JSON.stringify(me), /"ada"/)
    assert.deepEqual([refused.status, refused.claims], [403, ['proxy.groups.write']])
    assert.ok(stats.uptime_seconds >= 0)
    await ada.auth.logout()
    await failure(ada.auth.me(), Unauthenticated)
    assert.ok(await hero.stats())
  })

  test('concurrent calls each get their own answer', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `group-${i}`)
    await Promise.all(names.map((slug) => hero.groups.add({ slug })))
    const answers = await Promise.all(
      names.flatMap((group) => [hero.groups.get({ group }), hero.health().then(() => undefined)]),
    )
    assert.deepEqual(
      answers.filter((answer) => answer !== undefined).map(({ slug }) => slug),
      names,
    )
    const mixed = await Promise.allSettled([
      hero.groups.get({ group: 'group-1' }),
      hero.groups.get({ group: 'nothing' }),
      hero.groups.get({ group: 'group-2' }),
    ])
    assert.deepEqual(
      mixed.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
  })

  test('a string with an unpaired surrogate is refused at once, and one that merely resembles it is sent', async () => {
    const update = (display_name: string) => hero.users.update({ username: 'ada', display_name })
    for (const half of ['a\ud83d', '\ude00b', '\\\ud83d'])
      assert.equal((await failure(update(half), HeroError)).code, 'parse_error')
    for (const whole of ['a\ud83d\ude00', '\\ud83d', '\\\\ud83d'])
      assert.equal((await update(whole)).display_name, whole)
  })

  test('a closed client refuses calls, whether it was used before or not', async () => {
    const unused = new HeroProxy({ socket: daemon.socketPath })
    unused.close()
    await failure(unused.health(), ConnectionError)
    const used = new HeroProxy({ socket: daemon.socketPath })
    await used.health()
    used.close()
    await failure(used.health(), ConnectionError)
    await failure(used.health(), ConnectionError)
  })

  test('the default socket path', () => {
    assert.equal(defaultSocket({ HERO_SOCKET_DIR: '/a', PATH_SOCKET: '/b' }), '/a/hero_proxy/rpc.sock')
    assert.equal(defaultSocket({ HERO_SOCKET_DIR: '', PATH_SOCKET: '/b' }), '/b/hero_proxy/rpc.sock')
    assert.match(defaultSocket({}), /\/hero\/var\/sockets\/hero_proxy\/rpc\.sock$/)
  })
})

describe('the SDK while the daemon starts or stops', () => {
  const newDir = () => mkdtempSync(join(tmpdir(), 'hp-client-'))

  test('it waits for a daemon that is starting', async () => {
    const dir = newDir()
    const early = new HeroProxy({ socket: join(dir, 's', 'hero_proxy', 'rpc.sock') })
    const calls = Promise.all([early.health(), early.stats()])
    await using _daemon = await startTestDaemon({}, dir)
    const [{ status }] = await calls
    assert.equal(status, 'ok')
    early.close()
  })

  test('it reports a missing daemon after the start timeout, or at once without one', async () => {
    const socket = join(newDir(), 'rpc.sock')
    for (const startTimeout of [0, 120]) {
      const error = await failure(new HeroProxy({ socket, startTimeout }).health(), ConnectionError)
      assert.equal(error.message, `no daemon answers at ${socket} (ENOENT)`)
    }
    rmSync(join(socket, '..'), { recursive: true })
  })

  test('pending calls are rejected when the daemon dies, and the client connects to the next one', async (t) => {
    const dir = newDir()
    const first = await spawnDaemon(dir)
    t.after(() => kill(first.child, 'SIGKILL'))
    const hero = new HeroProxy({ socket: first.socket, startTimeout: 0 })
    await hero.health()
    // A stopped process reads nothing, so the calls are pending when it is killed.
    first.child.kill('SIGSTOP')
    const calls = [hero.health(), hero.stats()]
    const outcomes = Promise.all(calls.map((call) => failure(call, ConnectionError)))
    await new Promise((resolve) => setImmediate(resolve))
    await kill(first.child, 'SIGKILL')
    for (const { message } of await outcomes)
      assert.match(message, /closed the connection before it answered/)
    await failure(hero.health(), ConnectionError)
    const next = await spawnDaemon(dir)
    t.after(() => kill(next.child, 'SIGKILL'))
    assert.equal((await hero.health()).status, 'ok')
    next.child.kill('SIGSTOP')
    const hasty = new HeroProxy({ socket: next.socket, timeout: 100 })
    const late = await failure(hasty.health(), ConnectionError)
    assert.equal(late.message, 'health: no answer within 100 ms')
    hasty.close()
    hero.close()
    await kill(next.child, 'SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  })

  test('a server that is not a daemon is a connection error', async () => {
    const dir = newDir()
    const socket = join(dir, 'rpc.sock')
    const other = createServer((peer) =>
      peer.on('data', () => peer.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
    )
    await new Promise<void>((resolve) => other.listen(socket, resolve))
    const hero = new HeroProxy({ socket })
    await failure(hero.health(), ConnectionError)
    hero.close()
    other.close()
    rmSync(dir, { recursive: true, force: true })
  })
})
