import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import Sqlite from 'better-sqlite3'
import { startStage } from '../../support/edge_stage.ts'
import { goodPassword } from '../../support/daemon.ts'
import { ask } from '../../support/http.ts'
import { about, code, flat, identity, startAsking, identityNames, type Headers } from './asking.ts'

describe('responses of /auth/forward', () => {
  let stage: Awaited<ReturnType<typeof startAsking>>
  let question: (typeof stage)['question']
  before(async () => {
    stage = await startAsking()
    question = stage.question
  })
  after(() => stage.close())

  test('a 200 has the identity and every header that a client could have forged', async () => {
    const ada = await question({ ...about, Cookie: `${stage.ada}; theme=dark`, 'X-Hero-User': 'root' })
    assert.equal(ada.status, 200)
    assert.equal(ada.body, '')
    assert.equal(ada.headers['cache-control'], 'no-store')
    assert.deepEqual(identity(ada), {
      'X-Hero-User': ['ada'],
      'X-Hero-Context': ['1'],
      'X-Hero-Claims': ['app.use,groups.team,users.ada'],
      'X-Hero-Impersonator': [''],
      'X-Hero-Assertion': [''],
      'X-Proxy-User-Email': ['ada@example.org'],
      'X-Proxy-User-Pubkey': [''],
      'X-Proxy-Provider-Token': [''],
      'X-Proxy-Auth-Method': ['local'],
      Cookie: ['theme=dark'],
      Authorization: [''],
    })
    const guest = await question({
      ...about,
      'X-Forwarded-Uri': '/open',
      'X-Hero-User': 'root',
      'X-Hero-Claims': 'admin',
      'X-Proxy-Auth-Method': 'local',
    })
    assert.equal(guest.status, 200)
    const nobody = Object.fromEntries(identityNames.map((name) => [name, ['']]))
    assert.deepEqual(identity(guest), { ...nobody, 'X-Proxy-Auth-Method': ['none'] })
    const signed = await question({ ...about, 'X-Forwarded-Uri': '/signed', Cookie: stage.ada })
    assert.match(identity(signed)['X-Hero-Assertion']![0]!, /^ey.+\..+\..+$/)
  })

  test('a username that equals a header name hides no header', async () => {
    const { hero } = stage.daemon
    const username = 'X-Hero-Impersonator'
    await hero.users.add({ username, email: 'x@example.org', password: goodPassword })
    const { access_token } = await hero.auth.login({ login: username, password: goodPassword })
    const answer = await question({
      ...about,
      'X-Forwarded-Uri': '/open',
      Authorization: `Bearer ${access_token}`,
    })
    assert.deepEqual(identity(answer)['X-Hero-User'], [username])
    assert.deepEqual(identity(answer)['X-Hero-Impersonator'], [''])
  })

  test('the session cookie and access tokens are removed, and credentials of the service are kept', async () => {
    const { access_token } = await stage.daemon.hero.auth.login({ login: 'ada', password: goodPassword })
    const open = { ...about, 'X-Forwarded-Uri': '/open' }
    const used = await question({ ...open, Authorization: `Bearer ${access_token}` })
    assert.deepEqual(identity(used)['X-Hero-User'], ['ada'])
    assert.deepEqual(identity(used).Authorization, [''])
    const foreign = await question({
      ...open,
      Authorization: 'Basic YTpi',
      Cookie: 'a=b; hero_proxy_session=x; c=d',
    })
    assert.deepEqual(identity(foreign).Authorization, ['Basic YTpi'])
    assert.deepEqual(identity(foreign).Cookie, ['a=b; c=d'])
    const two = await ask(stage.daemon, 'x', '/auth/forward', {
      headers: [...flat(open), 'Authorization', `Bearer ${access_token}`, 'Authorization', 'Basic YTpi'],
    })
    assert.equal(two.status, 200)
    assert.deepEqual(identity(two)['X-Hero-User'], [''])
    assert.deepEqual(identity(two).Authorization, [''])
  })

  test("networks and tokens are checked against the client's address and headers", async () => {
    const { hero } = stage.daemon
    const target = 'http://127.0.0.1:9'
    await stage.route({ domain: 'api.localhost', target, auth_mode: 'bearer' })
    await stage.route({ domain: 'key.localhost', target, auth_mode: 'signature' })
    const { access_token } = await hero.auth.login({ login: 'bob', password: goodPassword })
    const api = { ...about, 'X-Forwarded-Host': 'api.localhost', Accept: 'text/html' }
    const bob = identity(await question({ ...api, Authorization: `Bearer ${access_token}` }))
    assert.deepEqual([bob['X-Hero-User'], bob['X-Proxy-Auth-Method']], [['bob'], ['bearer']])
    const { access_token: read } = await hero.token.create({ user: 'bob', name: 'x' })
    const reading = { ...api, Authorization: `Bearer ${read}` }
    assert.equal((await question(reading)).status, 200)
    assert.equal((await question({ ...reading, 'X-Forwarded-Method': 'DELETE' })).status, 403)
    for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X_Method_Override'])
      assert.equal((await question({ ...reading, [name]: 'DELETE' })).status, 403, name)
    const refused = await question({ ...api, Cookie: stage.bob })
    assert.equal(refused.status, 401)
    assert.match(refused.headers['www-authenticate']!, /^Bearer/)
    // A signature covers the body, which a forward-auth request does not have.
    const key = await question({ ...about, 'X-Forwarded-Host': 'key.localhost', 'X-Signature': 'ab' })
    assert.equal(key.status, 401)

    // The client's address counts, not that of the proxy or one that the client made up.
    for (const network of ['10.1.1.0/24', '127.0.0.0/8'])
      await hero.users.networks.add({ user: 'bob', network })
    await hero.settings.set({ key: 'network_login', value: true })
    for (const [addresses, user] of [
      ['10.1.1.1', 'bob'],
      ['10.1.1.1, 10.2.2.2', ''],
      ['10.2.2.2, 10.1.1.1', 'bob'],
    ] as const) {
      const open = { ...about, 'X-Forwarded-Uri': '/open', 'X-Forwarded-For': addresses }
      assert.deepEqual(identity(await question(open))['X-Hero-User'], [user], addresses)
    }
    await hero.settings.set({ key: 'network_login', value: false })
  })

  test('sets no cookie, not even to clear an invalid one', async () => {
    const stale = { ...about, 'X-Forwarded-Uri': '/open', Cookie: `${stage.ada}x` }
    const answer = await question(stale)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['set-cookie'], undefined)
    assert.equal(answer.headers['cache-control'], 'no-store')
  })

  test('browsers are redirected to the sign-in of the requested host at our port, and programs get 401', async () => {
    const program = await question(about)
    assert.equal(program.status, 401)
    assert.match(program.headers['www-authenticate']!, /^HeroSession /)
    assert.equal(code(program), 'unauthenticated')
    const person = { ...about, Accept: 'text/html', 'X-Forwarded-Host': 'app.localhost:8443' }
    const signIn = 'http://app.localhost:9997/.hero_proxy/sign_in'
    const login = `${signIn}?return_to=%2Fpage%3Fx%3D1`
    assert.equal((JSON.parse(program.body) as { sign_in: string }).sign_in, signIn)
    const sent = await question({ ...person, 'X-Forwarded-Proto': 'https' })
    assert.equal(sent.status, 302)
    assert.equal(sent.headers.location, login)
    const nginx = await question(person, '/auth/forward?redirect=off')
    assert.equal(nginx.status, 401)
    assert.equal(nginx.headers.location, login)
    assert.equal((await question(about, '/auth/forward?redirect=off')).headers.location, undefined)
    for (const headers of [
      { ...person, 'X-Forwarded-Method': 'POST' },
      { ...person, 'X-Requested-With': 'XMLHttpRequest' },
      { ...person, 'Sec-Fetch-Mode': 'cors' },
      { ...person, 'Sec-WebSocket-Key': 'x', 'Sec-Fetch-Mode': 'websocket' },
    ])
      assert.equal((await question(headers)).status, 401)
    for (const answer of [program, sent, nginx]) assert.equal(answer.headers['cache-control'], 'no-store')
  })

  test('a user without the claim gets 403 without identity headers', async () => {
    const team = { ...about, 'X-Forwarded-Uri': '/team' }
    assert.equal((await question({ ...team, Cookie: stage.ada })).status, 200)
    const refused = await question({ ...team, Cookie: stage.bob, Accept: 'text/html' })
    assert.equal(refused.status, 403)
    assert.match(refused.body, /signed in as bob\. This account has no access/)
    assert.deepEqual(identity(refused)['X-Hero-User'], [])
  })

  describe('requests in the form of proxies that are not installed here', () => {
    const client = { 'User-Agent': 'Mozilla/5.0', 'Accept-Encoding': 'gzip', Accept: '*/*' }

    test('Traefik asks by its own address and removes headers itself', async () => {
      const traefik = { ...client, ...about, 'X-Forwarded-Port': '80', 'X-Forwarded-Server': 'traefik' }
      const by = (headers: Headers) =>
        question({ ...traefik, ...headers }, '/auth/forward?empty=off', 'hero-proxy:9997')
      const ada = identity(await by({ Cookie: stage.ada }))
      assert.deepEqual(ada['X-Hero-User'], ['ada'])
      for (const name of ['Cookie', 'Authorization', 'X-Hero-Impersonator']) assert.deepEqual(ada[name], [])
      const guest = identity(await by({ 'X-Forwarded-Uri': '/open', Cookie: 'a=b' }))
      const nobody = Object.fromEntries(identityNames.map((name) => [name, []]))
      assert.deepEqual(guest, { ...nobody, 'X-Proxy-Auth-Method': ['none'], Cookie: ['a=b'] })
      assert.equal((await by({})).status, 401)
      const foreign = {
        'Sec-WebSocket-Version': '13',
        'X-Forwarded-Proto': 'ws',
        Cookie: stage.ada,
        Origin: 'http://evil.test',
      }
      assert.equal((await by(foreign)).status, 403)
      assert.equal((await by({ ...foreign, Origin: 'http://app.localhost' })).status, 200)
    })

    test('Envoy asks with the method, host and path of the request', async () => {
      const envoy = { ...client, 'X-Forwarded-Proto': 'http', 'X-Forwarded-For': '10.1.1.1' }
      const by = (path: string, headers: Headers = {}, method = 'GET', host = 'app.localhost') =>
        question({ ...envoy, 'Content-Length': '0', ...headers }, `/auth/forward${path}`, host, method)
      assert.equal((await by('/page?x=1')).status, 401)
      assert.deepEqual(identity(await by('/page?x=1', { Cookie: stage.ada }))['X-Hero-User'], ['ada'])
      assert.equal((await by('/page', { Cookie: stage.ada }, 'DELETE')).status, 200)
      const guest = await by('/open', { 'X-Hero-User': 'root' })
      assert.equal(guest.status, 200)
      assert.equal(
        guest.headers['x-envoy-auth-headers-to-remove'],
        identityNames.filter((name) => name !== 'X-Proxy-Auth-Method').join(','),
      )
      for (const name of identityNames) assert.ok(!identity(guest)[name]!.includes(''), name)
      assert.equal((await by('/', {}, 'GET', 'other.localhost')).status, 404)
      assert.equal((await by('/auth/login')).status, 403)
      assert.equal((await by('/open/../page')).status, 400)
      assert.equal((await by('/page', { 'X-Forwarded-For': undefined })).status, 400)
      assert.equal((await by('/page', { 'X-Forwarded-Proto': undefined })).status, 400)
      // Headers and query of the client do not count.
      const forged = {
        'X-Forwarded-Uri': '/open',
        'X-Original-URL': 'http://app.localhost/open',
        'X-Forwarded-Host': 'paths.localhost',
      }
      assert.equal((await by('/page', forged)).status, 401)
      const person = await by('/page?redirect=off', { Accept: 'text/html' })
      assert.equal(person.status, 302)
      const login = 'http://app.localhost:9997/.hero_proxy/sign_in?return_to='
      assert.equal(person.headers.location, `${login}%2Fpage%3Fredirect%3Doff`)
      assert.equal((await by('?redirect=off')).status, 400)
    })
  })

  test('concurrent requests each get their own response', async () => {
    const asked = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        question({ ...about, 'X-Forwarded-Uri': '/open', Cookie: [stage.ada, stage.bob, 'a=b'][i % 3] }),
      ),
    )
    asked.forEach((answer, i) =>
      assert.deepEqual(identity(answer)['X-Hero-User'], [['ada', 'bob', ''][i % 3]]),
    )
  })

  test('a request that cannot be decided gets no 200', async () => {
    await using lone = await startStage({ trusted_proxies: '127.0.0.1', forward_auth_from: '127.0.0.1' })
    await lone.route({ domain: 'app.localhost', auth_mode: 'optional' })
    const answer = (cookie: string) =>
      ask(lone.daemon, 'x', '/auth/forward', { headers: flat({ ...about, Cookie: cookie }) })
    assert.equal((await answer(lone.ada)).status, 200)
    const database = new Sqlite(join(lone.daemon.dir, 'data', 'hero_proxy.db'))
    database.exec('alter table sessions rename to gone')
    database.close()
    const broken = await answer(lone.ada.replace(/.{4}$/, 'AAAA'))
    assert.ok(broken.status >= 500, `${broken.status}`)
    assert.deepEqual(identity(broken)['X-Hero-User'], [])
  })
})
