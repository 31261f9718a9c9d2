import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { refused } from '../../support/refused.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'

describe('the result of proxy.routes.test', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    for (const auth_mode of ['none', 'optional', 'local'] as const) {
      await stage.route({ domain: `${auth_mode}.localhost`, auth_mode })
      await stage.route({ domain: `plain-${auth_mode}.test`, auth_mode })
      if (auth_mode === 'none') continue
      await stage.route({
        domain: `claim-${auth_mode}.localhost`,
        auth_mode,
        required_claims: ['app.use', 'app.other'],
        audience: 'https://app.example.org',
      })
    }
    for (const auth_mode of ['bearer', 'oauth', 'signature'] as const)
      await stage.route({ domain: `${auth_mode}.localhost`, auth_mode })
    await stage.route({
      domain: 'mails.localhost',
      auth_mode: 'local',
      allowed_emails: ['*@elsewhere.example'],
    })
    const domain = 'paths.localhost'
    await stage.route({ domain, auth_mode: 'optional', path_prefix: '/open' })
    await stage.route({ domain, auth_mode: 'local', path_prefix: '/open/secret', preserve_host: false })
    await stage.route({ domain, auth_mode: 'optional', path_prefix: '/app', strip_prefix: true })
    await stage.route({ domain, auth_mode: 'none', path_prefix: '/off', enabled: false })
    await stage.route({ domain: '*.wild.localhost', auth_mode: 'optional' })
  })
  after(() => stage.close())

  const trialOf = (params: Parameters<Stage['daemon']['hero']['proxy']['routes']['test']>[0]) =>
    stage.daemon.hero.proxy.routes.test(params)

  test('says why a request is decided as it is', async () => {
    const why = async (host: string, user?: string, path = '/') =>
      (await trialOf({ url: `http://${host}${path}`, ...(user !== undefined && { user }) })).why
    assert.equal(await why('nobody.test'), 'no route for the host nobody.test')
    assert.equal(await why('none.localhost', 'ada'), 'auth_mode none: everybody is a guest')
    assert.equal(await why('optional.localhost'), 'auth_mode optional: guests pass, and nobody is signed in')
    assert.equal(await why('local.localhost'), 'auth_mode local: nobody is signed in')
    assert.equal(await why('local.localhost', 'ADA'), 'auth_mode local: ada is signed in')
    assert.equal(
      await why('plain-local.test', 'ada'),
      'auth_mode local: ada has no session over plain HTTP, unless insecure_cookies is set',
    )
    assert.equal(await why('claim-local.localhost', 'ada'), 'ada holds app.use')
    assert.equal(
      await why('claim-optional.localhost'),
      'auth_mode optional asking for app.use or app.other: nobody is signed in',
    )
    assert.equal(await why('bearer.localhost', 'ada'), 'auth_mode bearer: ada shows a token')
    assert.match(await why('bearer.localhost'), /^auth_mode bearer: .*token/)
    assert.match(await why('oauth.localhost'), /^auth_mode oauth: nobody is signed in/)
    assert.equal(await why('oauth.localhost', 'ada'), 'auth_mode oauth: ada is signed in by a provider')
    assert.equal(await why('signature.localhost', 'ada'), 'auth_mode signature: ada signs the request')
    assert.match(await why('mails.localhost', 'ada'), /^auth_mode local: ada is signed in, but: .*address/)
    await stage.daemon.hero.roles.add({ name: 'tester' })
    await stage.daemon.hero.roles.add_claim({ role: 'tester', claim: 'app.use' })
    await stage.daemon.hero.groups.add({ slug: 'testers' })
    await stage.daemon.hero.groups.add_role({ group: 'testers', role: 'tester', context: 1 })
    assert.equal(
      await why('claim-local.localhost', 'bob'),
      'bob lacks app.use; granted by group team, group testers (by role tester, in context 1), or app.other; granted by no group',
    )
    assert.match(
      await why('paths.localhost', undefined, '/OPEN/secret'),
      /different routes of paths\.localhost/,
    )
    assert.match(
      await why('paths.localhost', undefined, '/nowhere'),
      /no route of the host paths\.localhost covers/,
    )
    assert.match(await why('paths.localhost', undefined, '/off'), /disabled/)
    for (const [host, path] of [
      ['optional.localhost', '/auth/login'],
      ['paths.localhost', '/.hero_proxy/me'],
      ['none.localhost', '/%2ehero_proxy/x'],
      ['localhost', '/auth/x'],
    ] as const)
      assert.match(await why(host, undefined, path), /belongs to hero_proxy itself/, host + path)
    assert.equal(
      await why('none.localhost', undefined, '/auth/login'),
      'auth_mode none: everybody is a guest',
    )
    assert.match(await why('paths.localhost', undefined, '/a/../b'), /ambiguous/)
    await stage.daemon.hero.users.add({ username: 'eve' })
    await stage.daemon.hero.users.update({ username: 'eve', is_active: false })
    assert.equal(await why('local.localhost', 'eve'), 'auth_mode local: eve is not active, which is nobody')
  })

  test('names the check that decided', async () => {
    const check = async (
      host: string,
      user?: string,
      path = '/',
      kind: 'navigation' | 'websocket' = 'navigation',
    ) => (await trialOf({ url: `http://${host}${path}`, kind, ...(user !== undefined && { user }) })).check
    assert.equal(await check('-bad-'), 'request')
    assert.equal(await check('paths.localhost', 'ada', '/a/../b'), 'request')
    assert.equal(await check('nobody.test', 'ada'), 'host')
    for (const [host, path] of [
      ['optional.localhost', '/auth/login'],
      ['paths.localhost', '/.hero_proxy/me'],
      ['localhost', '/rpc'],
    ] as const)
      for (const kind of ['navigation', 'websocket'] as const)
        assert.equal(await check(host, 'ada', path, kind), 'own_path', host + path)
    assert.equal(await check('paths.localhost', 'ada', '/OPEN/secret'), 'path')
    assert.equal(await check('paths.localhost', 'ada', '/nowhere'), 'route')
    assert.equal(await check('paths.localhost', 'ada', '/off'), 'route')
    assert.equal(await check('signature.localhost'), 'signature')
    for (const mode of ['local', 'claim-local', 'claim-optional', 'bearer', 'oauth', 'mails'])
      assert.equal(await check(`${mode}.localhost`), 'sign_in', mode)
    await stage.daemon.hero.users.add({ username: 'claimless' })
    assert.equal(await check('claim-optional.localhost', 'claimless'), 'claims')
    assert.equal(await check('claim-local.localhost', 'claimless', '/', 'websocket'), 'claims')
    assert.equal(await check('mails.localhost', 'ada'), 'email')
    for (const mode of ['none', 'optional', 'claim-optional', 'local', 'bearer', 'oauth', 'signature'])
      assert.equal(await check(`${mode}.localhost`, 'ada'), null, mode)
    assert.equal(await check('optional.localhost'), null)
  })

  test('knows a user by the address alone', async () => {
    const { hero } = stage.daemon
    await hero.settings.set({ key: 'network_login', value: true })
    await hero.users.networks.add({ user: 'bob', network: '10.9.0.0/16' })
    const trial = await trialOf({ url: 'http://none.localhost/', address: '10.9.8.7' })
    assert.equal(trial.why, 'auth_mode none: bob is known by the address')
    assert.equal(trial.headers.find(({ name }) => name === 'X-Hero-User')?.value, 'bob')
    assert.equal(
      (await trialOf({ url: 'http://none.localhost/' })).why,
      'auth_mode none: everybody is a guest',
    )
    await hero.settings.set({ key: 'network_login', value: false })
  })

  test('uses the given scheme and address', async () => {
    const { headers } = await trialOf({
      url: 'https://plain-local.test/',
      user: 'ada',
      address: '2001:db8::7',
    })
    const value = (name: string) => headers.find((header) => header.name === name)?.value
    assert.equal(value('X-Forwarded-Proto'), 'https')
    assert.equal(value('X-Forwarded-For'), '2001:db8::7')
    assert.equal(value('X-Hero-User'), 'ada')
  })

  test('reveals no credential and has no side effects', async () => {
    const { length } = stage.upstream.seen
    const before = await stage.daemon.hero.audit.list()
    const trial = await trialOf({ url: 'http://claim-local.localhost/', user: 'ada' })
    assert.equal(trial.headers.find(({ name }) => name === 'X-Hero-Assertion')?.value, '(signed)')
    assert.ok(!JSON.stringify(trial).includes('eyJ'))
    for (let i = 0; i < 50; i++) await stage.daemon.hero.groups.add_claim({ group: 'team', claim: long(i) })
    const wide = await stage.daemon.hero.audit.list()
    const { status, check } = await trialOf({ url: 'http://local.localhost/', user: 'ada' })
    assert.deepEqual([status, check], [500, 'claims_size'])
    assert.deepEqual(await stage.daemon.hero.audit.list(), wide, 'no audit entry for too many claims')
    assert.notDeepEqual(wide, before)
    assert.equal(stage.upstream.seen.length, length)
    for (let i = 0; i < 50; i++)
      await stage.daemon.hero.groups.remove_claim({ group: 'team', claim: long(i) })
  })

  test('names the field of an invalid parameter', async () => {
    for (const [params, field] of [
      [{ url: 'ftp://x/' }, 'url'],
      [{ url: '/x' }, 'url'],
      [{ url: 'http://' }, 'url'],
      [{ url: 'http://x#y' }, 'url'],
      [{ url: 'http://x/', address: '300.1.1.1' }, 'address'],
      [{ url: 'http://x/', address: 'home' }, 'address'],
      [{ url: 'http://x/', method: 'get' }, 'method'],
      [{ url: 'http://x/', method: 'GET /\r\n' }, 'method'],
      [{ url: 'http://x/', kind: 'guess' as 'fetch' }, 'kind'],
      [{ url: 'http://x/', user: 'a b' }, 'user'],
    ] as const) {
      await refused(stage.daemon.hero.proxy.routes.test(params), 'invalid_params', field)
    }
    await refused(trialOf({ url: 'http://local.localhost/', user: 'nobody' }), 'not_found')
  })
})

/** Fifty of these do not fit into a header. */
const long = (i: number) => `wide.${'x'.repeat(60)}.${'y'.repeat(60)}.${'z'.repeat(60)}.n${i}`
