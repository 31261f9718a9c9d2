import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { person } from '../support/people.ts'
import { refused } from '../support/refused.ts'

suite('claims.check for a place', () => {
  let daemon: TestDaemon
  let route: string
  before(async () => {
    daemon = await startTestDaemon()
    const { hero } = daemon
    await hero.users.add({ username: 'ada', email: 'ada@example.org' })
    await hero.users.add({ username: 'lin' })
    await hero.groups.add({ slug: 'bosses' })
    await hero.groups.add_member({ group: 'bosses', user: 'ada' })
    const target = { domain: 'wiki.localhost', target: 'http://127.0.0.1:1', auth_mode: 'local' } as const
    const rule = { required_claims: ['groups.bosses'], proof_age: 600 }
    route = (await hero.proxy.routes.add({ ...target, ...rule })).id
    await hero.clients.add({
      client: 'app',
      name: 'App',
      redirect_uris: ['https://app.example.org/'],
      required_claims: ['groups.bosses'],
    })
    await hero.clients.add({
      client: 'open',
      name: 'Open',
      redirect_uris: ['https://open.example.org/'],
      anyone: true,
    })
  })
  after(() => daemon.close())
  const check = (user: string, wanted: object) => daemon.hero.claims.check({ user, ...wanted })

  test('says who may enter a route or an application, and by which group', async () => {
    for (const wanted of [{ route }, { client: 'app' }]) {
      const yes = await check('ada', wanted)
      assert.deepEqual([yes.allowed, yes.lack, yes.because[0]!.claim], [true, null, 'groups.bosses'])
      const no = await check('lin', wanted)
      assert.deepEqual([no.allowed, no.lack], [false, 'claims'])
      assert.deepEqual(no.missing[0]!.granted_by, [
        { group: 'bosses', role: null, service: null, context: null },
      ])
    }
    assert.equal((await check('lin', { client: 'open' })).allowed, true)
  })

  test('says which proof the place and the groups ask for, and why somebody cannot enter at all', async () => {
    const { hero } = daemon
    assert.deepEqual((({ proof, proof_age }) => ({ proof, proof_age }))(await check('ada', { route })), {
      proof: 'any',
      proof_age: 600,
    })
    await hero.groups.update({ group: 'bosses', proof: 'second' })
    assert.equal((await check('ada', { route })).proof, 'second')
    await hero.proxy.routes.update({ id: route, allowed_emails: ['*@example.com'] })
    assert.equal((await check('ada', { route })).lack, 'email')
    await hero.users.update({ username: 'ada', is_active: false })
    assert.equal((await check('ada', { client: 'open' })).lack, 'account')
  })

  test('tells people about themselves, but neither what a place asks for nor which groups there are', async () => {
    const { hero } = daemon
    const lin = await person(daemon, 'linda')
    for (const wanted of [{ route }, { client: 'app' }]) {
      const { allowed, lack, missing, because } = await lin.claims.check({ user: 'linda', ...wanted })
      assert.deepEqual(
        { allowed, lack, missing, because },
        { allowed: false, lack: 'claims', missing: [], because: [] },
      )
    }
    const rule = ['groups.bosses', 'groups.nothing', 'proxy.admin']
    const asked = await lin.claims.check({ user: 'linda', rule })
    assert.deepEqual(
      asked.missing,
      rule.map((claim) => ({ claim, granted_by: [] })),
    )
    // Reading people is not reading groups.
    await hero.services.add({ service: 'desk', unix_user: 'daemon', claims: ['proxy.users.read'] })
    const { access_token } = await hero.token.create({ service: 'desk', name: 'desk', scope: 'admin' })
    const told = await hero.as(access_token).claims.check({ user: 'linda', client: 'app' })
    assert.deepEqual([told.lack, told.missing], ['claims', []])
    await hero.services.update({ service: 'desk', claims: ['proxy.users.read', 'proxy.groups.read'] })
    const whole = await hero.as(access_token).claims.check({ user: 'linda', client: 'app' })
    assert.equal(whole.missing[0]!.granted_by[0]!.group, 'bosses')
  })

  test('takes exactly one of rule, client and route', async () => {
    await refused(check('lin', {}), 'invalid_params', 'rule')
    await refused(check('lin', { client: 'app', route }), 'invalid_params', 'rule')
    await refused(check('lin', { client: 'app', service: 'wiki' }), 'invalid_params', 'service')
    await refused(check('lin', { client: 'nothing' }), 'not_found')
    await refused(check('nobody', { client: 'app' }), 'not_found')
  })
})
