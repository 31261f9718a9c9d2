import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { HeroProxy, Unauthenticated, verifyToken, type TokenCheck } from '../../sdk/index.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { refused } from '../support/refused.ts'

suite('verifyToken() with follow()', () => {
  let daemon: TestDaemon & AsyncDisposable
  let hero: HeroProxy
  const secrets: Record<string, string> = {}
  before(async () => {
    daemon = await startTestDaemon()
    // A separate client, because a service continues while the daemon restarts.
    hero = new HeroProxy({ socket: daemon.socketPath })
    for (const client of ['one', 'two', 'three'])
      secrets[client] = (await hero.clients.add({ name: client, client })).client_secret!
  })
  after(async () => {
    hero.close()
    await daemon.close()
  })
  const audience = 'http://localhost:9997'
  const issue = async (client_id: string) =>
    (await hero.token.create({ client_id, client_secret: secrets[client_id]! })).access_token
  const until = async (check: TokenCheck, token: string) => {
    for (let i = 0; i < 500; i++) {
      const alive = await check(token).then(
        () => true,
        (error: unknown) => (assert.ok(error instanceof Unauthenticated), false),
      )
      if (!alive) return
      await setTimeout(20)
    }
    assert.fail('still valid after ten seconds; the target is one')
  }

  test('revoking a token, or all tokens of a client, leaves others valid', async () => {
    const check = verifyToken(hero, { audience })
    const stop = await check.follow()
    const [first, second, other] = [await issue('one'), await issue('one'), await issue('two')]
    for (const token of [first, second, other]) await check(token)
    await hero.token.revoke({ token: first })
    await until(check, first)
    await check(second)
    await hero.clients.rotate_secret({ client: 'one', drop: true })
    await until(check, second)
    await check(other)
    await hero.clients.remove({ client: 'two' })
    await until(check, other)
    stop()
  })

  test('tokens revoked before it follows, or while the daemon restarts, are refused', async () => {
    const [before, meanwhile, alive] = [await issue('three'), await issue('three'), await issue('three')]
    await hero.token.revoke({ token: before })
    const check = verifyToken(hero, { audience })
    await check(before)
    const errors: Error[] = []
    const stop = await check.follow({ onError: (error) => errors.push(error) })
    await assert.rejects(check(before), Unauthenticated)
    await check(meanwhile)
    daemon = (await daemon.restart()) as typeof daemon
    await daemon.hero.token.revoke({ token: meanwhile })
    await until(check, meanwhile)
    await check(alive)
    assert.deepEqual(errors, [])
    stop()
  })

  test('a client can revoke its own tokens and no others', async () => {
    const [own, other] = [await issue('three'), await issue('three')]
    const { client_secret } = await hero.clients.add({ name: 'four', client: 'four', scopes: ['write'] })
    const { access_token } = await hero.token.create({ client_id: 'four', client_secret: client_secret! })
    await refused(hero.as(access_token).token.revoke({ token: own }), 'not_found')
    // Revoking needs the write scope.
    await refused(hero.as(own).token.revoke({ token: other }), 'claim_required')
    await hero.as(access_token).token.revoke({ token: access_token })
    await refused(hero.as(access_token).auth.me(), 'unauthenticated')
    assert.equal((await hero.token.validate({ token: own })).active, true)
    // An administrator can revoke it by the ID, which logs contain.
    const { id } = await hero.token.validate({ token: own })
    await hero.token.revoke({ id: id! })
    assert.deepEqual(await hero.token.validate({ token: own }), { active: false })
  })
})
