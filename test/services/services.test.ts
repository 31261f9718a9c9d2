import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AlreadyExists, InvalidParams } from '../../sdk/index.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { letEverybodyIn, nobody, strangerMissing, strangerSpeaks } from '../rpc/stranger.ts'

describe('local services', { skip: strangerMissing() ?? false }, () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon()
    letEverybodyIn(daemon.socketPath, daemon.dir)
    await daemon.hero.users.add({ username: 'wiki', password: goodPassword })
    await daemon.hero.users.add({ username: 'ada', email: 'ada@example.org' })
  })
  after(() => daemon.close())

  const call = async (method: string, params = {}) => {
    const answer = await strangerSpeaks(
      daemon.socketPath,
      `${JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })}\n`,
    )
    return JSON.parse(answer) as { result?: unknown; error?: { data: { code: string } } }
  }
  const code = async (method: string, params = {}) => (await call(method, params)).error?.data.code ?? 'ok'

  test('a process of a known Unix user acts as its service, with the claims of the service only', async () => {
    assert.equal(await code('users.get', { username: 'ada' }), 'unauthenticated')
    await daemon.hero.services.add({ service: 'wiki', unix_user: 'nobody', claims: ['proxy.users.read'] })
    assert.equal(await code('users.get', { username: 'ada' }), 'ok')
    assert.equal(await code('users.update', { username: 'ada', display_name: 'x' }), 'claim_required')
    assert.equal(await code('settings.list'), 'claim_required')
    const { result } = await call('auth.me')
    assert.deepEqual(result, {
      kind: 'service',
      user: 'wiki',
      display_name: null,
      email: null,
      context: null,
      claims: ['proxy.users.read'],
      impersonating: null,
      provider: null,
    })
  })

  test('a service with the name of a user is not that user', async () => {
    assert.equal(await code('users.update', { username: 'wiki', display_name: 'x' }), 'claim_required')
    assert.equal(
      await code('auth.set_password', { user: 'wiki', password: 'other-lantern-77-mosaic' }),
      'claim_required',
    )
    assert.equal(await code('sessions.revoke_all'), 'claim_required')
    assert.notEqual(await code('sessions.list'), 'ok')
    assert.notEqual(await code('auth.impersonate', { user: 'ada' }), 'ok')
  })

  test('a change applies to the next call of a service, and the audit names the service', async () => {
    await daemon.hero.services.update({ service: 'wiki', claims: ['proxy.users.write'] })
    assert.equal(await code('users.get', { username: 'ada' }), 'claim_required')
    assert.equal(await code('users.update', { username: 'ada', display_name: 'Ada' }), 'ok')
    assert.equal(await code('users.update', { username: 'ada', is_admin: true }), 'claim_required')
    const { items } = await daemon.hero.audit.list({ method: 'users.update', outcome: 'ok' })
    const { actor, caller, uid } = items[0]!
    assert.deepEqual({ actor, caller, uid }, { actor: 'wiki', caller: 'service', uid: nobody.uid })
    await daemon.hero.services.remove({ service: 'wiki' })
    assert.equal(await code('users.update', { username: 'ada', display_name: 'x' }), 'unauthenticated')
  })

  test('a Unix user has one service, root can have none, and names must be valid', async () => {
    const { services } = daemon.hero
    await services.add({ service: 'wiki', unix_user: 'nobody' })
    await assert.rejects(services.add({ service: 'Wiki', unix_user: 'games' }), AlreadyExists)
    await assert.rejects(services.add({ service: 'blog', unix_user: 'nobody' }), AlreadyExists)
    await assert.rejects(services.add({ service: 'blog', unix_user: String(nobody.uid) }), AlreadyExists)
    for (const service of ['system', 'SYSTEM'])
      await assert.rejects(services.add({ service, unix_user: 'games' }), InvalidParams, service)
    for (const unix_user of ['root', '0', 'no-such-user', 'a b', '../x', '']) {
      await assert.rejects(services.add({ service: 'blog', unix_user }), InvalidParams, unix_user)
    }
    for (const claim of ['admin', 'users.ada', 'groups.admin', 'GROUPS.x', 'a..b', 'x.*']) {
      await assert.rejects(services.update({ service: 'wiki', claims: [claim] }), InvalidParams, claim)
    }
    assert.deepEqual(
      (await services.list()).items.map(({ service, claims }) => ({ service, claims })),
      [{ service: 'wiki', claims: [] }],
    )
  })
})
