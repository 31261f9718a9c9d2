import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newId } from '../../../src/storage/ids.ts'
import { goodPassword } from '../../support/daemon.ts'
import { ask } from '../../support/http.ts'
import { openForm, postForm, startStage, type Stage } from '../../support/edge_stage.ts'

describe('a page of a service, which shares its host with our pages there and sends our cookie', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    await stage.daemon.hero.users.update({ username: 'ada', is_admin: true })
  })
  after(() => stage.close())

  /** What a script of a page at this host can do: any call, with its own origin and the person's cookie. */
  const call = async (host: string, method: string, params: object = {}) => {
    const answer = await ask(stage.daemon, host, '/rpc', {
      method: 'POST',
      headers: ['Content-Type', 'application/json', 'Origin', `http://${host}`, 'Cookie', stage.ada],
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const { error } = JSON.parse(answer.body) as { error?: { data: { code: string } } }
    return error?.data.code ?? 'ok'
  }
  const dangerous = [
    ['factors.add_totp', {}],
    ['auth.set_password', { password: 'velvet-harbor-93-comet', current_password: goodPassword }],
    ['users.add', { username: 'mallory' }],
    ['settings.set', { key: 'site_name', value: 'Mine' }],
    ['users.invite', { email: 'mallory@example.org' }],
    ['groups.update', { group: 'team', is_active: true }],
    ['proxy.routes.add', { domain: 'mine.localhost', target: 'http://127.0.0.1:9', auth_mode: 'none' }],
    ['proxy.routes.update', { id: newId(), auth_mode: 'none' }],
    ['proxy.routes.remove', { id: newId() }],
  ] as const

  test('cannot give itself ways in or rights, however fresh the sign-in is, nor by proving again', async () => {
    const host = 'enter.localhost'
    assert.equal(await call(host, 'auth.me'), 'ok')
    for (const [method, params] of dangerous) assert.equal(await call(host, method, params), 'proof_required')
    assert.equal(await call(host, 'auth.prove', { password: goodPassword }), 'ok')
    for (const [method, params] of dangerous) assert.equal(await call(host, method, params), 'proof_required')
    // At the host of the public URL the same session may.
    assert.equal(await call('localhost', 'settings.set', { key: 'site_name', value: 'Ours' }), 'ok')
  })

  test('finds no account page there, and its forms are refused', async () => {
    const headers = ['Accept', 'text/html', 'Cookie', stage.ada]
    const page = await ask(stage.daemon, 'enter.localhost', '/auth/me', { headers })
    assert.match(page.body, /href="http:\/\/localhost:9997\/auth\/me"/)
    assert.ok(!page.body.includes('/auth/account/'))
    const { cookie, token } = await openForm(stage.daemon, 'enter.localhost')
    for (const action of ['add_totp', 'password', 'revoke_all']) {
      const answer = await postForm(
        stage.daemon,
        'enter.localhost',
        `/auth/account/${action}`,
        { form_token: token, password: 'velvet-harbor-93-comet', current_password: goodPassword },
        ['Cookie', `${cookie}; ${stage.ada}`],
      )
      assert.equal(answer.status, 403)
    }
    assert.ok((await ask(stage.daemon, 'localhost', '/auth/me', { headers })).body.includes('/auth/account/'))
  })
})
