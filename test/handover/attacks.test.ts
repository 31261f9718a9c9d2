import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { KeptClient } from '../edge/serve/kept_client.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { root } from '../support/daemon_process.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { got, postForm, startRaw, startStage, type RawUpstream, type Stage } from '../support/edge_stage.ts'
import { ask, signIn, type Answer } from '../support/http.ts'
import { byHand } from '../support/people.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'
import { Walker } from './steps.ts'

const home = 'http://localhost:9997'
const wiki = 'http://wiki.localhost:9997'
const session = '__Host-hero_proxy_session'
const arriving = `${wiki}/.hero_proxy/arrive`

const prepare = async (settings: Record<string, string> = {}): Promise<Stage> => {
  const stage = await startStage(settings)
  await stage.daemon.hero.proxy.routes.add({
    domain: 'wiki.localhost',
    target: stage.upstream.target,
    auth_mode: 'local',
  })
  return stage
}

const signedIn = async (stage: Stage, name = 'ada'): Promise<Walker> => {
  const walker = new Walker(stage.daemon)
  walker.keep('localhost', await signIn(stage.daemon, 'localhost', name, goodPassword))
  return walker
}

const userOf = (body: string) => valuesOf(got({ body }).rawHeaders, 'x-hero-user')[0]
const field = (body: string, name: string) =>
  new RegExp(`name="${name}" value="([^"]+)"`).exec(body)?.[1]?.replaceAll('&amp;', '&') ?? ''

/** Posts the form of a page of home. */
const post = (stage: Stage, walker: Walker, path: string, page: Answer, fields: Record<string, string>) =>
  postForm(stage.daemon, 'localhost', path, { form_token: field(page.body, 'form_token'), ...fields }, [
    'Cookie',
    walker.cookies('localhost'),
  ])

/** Signs out at the wiki, as a person does who begins there. */
const signOutAtWiki = async (stage: Stage, walker: Walker, scope: string): Promise<Answer> => {
  const { answer } = await walker.walk(`${wiki}/.hero_proxy/sign_out`)
  return post(stage, walker, '/auth/logout', answer, { leaving: field(answer.body, 'leaving'), scope })
}

/** Goes as far as a code for the wiki, without a session there. */
const codeFor = async (walker: Walker): Promise<string> => {
  walker.jar.get('wiki.localhost')?.delete(session)
  return (await walker.walk(`${wiki}/page`, arriving)).addresses.at(-1)!
}

const opens = ({ headers }: Answer) => headers['set-cookie']?.join().includes(session) === true

describe('a service that shares the host of home', () => {
  let stage: Stage
  let raw: RawUpstream
  before(async () => {
    stage = await prepare()
    raw = await startRaw(
      'HTTP/1.1 200 OK\r\nservice-worker-allowed: /\r\nContent-Type: text/javascript\r\nContent-Length: 2\r\n\r\n//',
    )
    const { routes } = stage.daemon.hero.proxy
    const { target } = stage.upstream
    await routes.add({ domain: 'localhost', target, auth_mode: 'none', shares_home: true })
    await routes.add({
      domain: 'localhost',
      target: raw.target,
      auth_mode: 'none',
      path_prefix: '/app',
      shares_home: true,
    })
    await routes.add({ domain: 'free.localhost', target: raw.target, auth_mode: 'none' })
  })
  after(async () => {
    await stage.close()
    await raw[Symbol.asyncDispose]()
  })

  test('gets no request for a worker of the whole host, also once its decision is kept', async () => {
    const client = new KeptClient(stage.daemon.edge.port)
    const get = async (more: string) => {
      client.send(`GET /sw.js HTTP/1.1\r\nHost: localhost:9997\r\n${more}\r\n`)
      return (await client.receive()).body
    }
    for (let i = 0; i < 3; i++) assert.match(await get(''), /"url":"\/sw.js"/)
    for (const name of ['Service-Worker', 'service-worker', 'SERVICE-WORKER'])
      assert.match(await get(`${name}: script\r\n`), /unregister/, name)
  })

  test('cannot widen what its workers control beyond its prefix', async () => {
    for (const [path, removed] of [
      ['/app', true],
      ['/app?x', true],
      ['/app/', false],
    ] as const) {
      const { body } = await ask(stage.daemon, 'localhost', path, { headers: ['Service-Worker', 'script'] })
      assert.equal(body.includes('unregister'), removed, path)
    }
    for (const [host, path, allowed] of [
      ['localhost', '/app/sw.js', undefined],
      ['free.localhost', '/sw.js', '/'],
    ] as const) {
      const { headers } = await ask(stage.daemon, host, path, { headers: ['Service-Worker', 'script'] })
      assert.equal(headers['service-worker-allowed'], allowed, host)
      // With a body, node:http serves the request.
      const full = await ask(stage.daemon, host, path, {
        method: 'POST',
        headers: ['Expect', '100-continue'],
        body: 'x',
      })
      assert.equal(full.headers['service-worker-allowed'], allowed, host)
    }
  })
})

describe('signing out of one service', () => {
  let stage: Stage
  before(async () => {
    stage = await prepare()
  })
  after(() => stage.close())

  test('a code from before opens nothing without asking', async () => {
    const ada = await signedIn(stage)
    await ada.walk(`${wiki}/page`)
    const child = ada.jar.get('wiki.localhost')!.get(session)!
    const code = await codeFor(ada)
    ada.keep('wiki.localhost', `${session}=${child}`)
    assert.equal((await signOutAtWiki(stage, ada, 'here')).status, 200)
    const late = await ada.step(code)
    assert.ok(!opens(late))
    const { answer } = await ada.walk(late.headers.location!)
    assert.match(answer.body, /action="\/auth\/come_back"/)
  })

  test('ends what was opened there before the port of the host changed', async () => {
    const ada = await signedIn(stage)
    await ada.walk(`${wiki}/page`)
    await byHand(stage.daemon, ({ query }) =>
      query.updateTable('child_sessions').set({ origin: 'http://wiki.localhost:8080' }).execute(),
    )
    assert.equal((await ada.step(`${wiki}/page`)).status, 200)
    assert.equal((await signOutAtWiki(stage, ada, 'here')).status, 200)
    assert.equal((await ada.step(`${wiki}/page`)).status, 302)
  })

  test('the sealed address and the sealed sign-in do not serve as each other, nor when changed', async () => {
    const ada = await signedIn(stage)
    await ada.walk(`${wiki}/page`)
    const { answer } = await ada.walk(`${wiki}/.hero_proxy/sign_out`)
    const leaving = field(answer.body, 'leaving')
    const accepted = await post(stage, ada, '/auth/replace', answer, { opening: leaving, answer: 'replace' })
    assert.ok(!opens(accepted))
    let page = await ada.step(`${home}/auth/prove`)
    const asks = await post(stage, ada, '/auth/login', page, { login: 'bob', password: goodPassword })
    const opening = field(asks.body, 'opening')
    assert.notEqual(opening, '')
    for (const text of [opening, leaving.slice(0, -2), `${leaving}x`, leaving.toUpperCase(), '{}']) {
      const refused = await post(stage, ada, '/auth/logout', page, { leaving: text, scope: 'here' })
      assert.match(
        refused.headers['set-cookie']!.join(),
        /hero_proxy_session=;/,
        `${text}: it signs out at home`,
      )
      ada.keep('localhost', await signIn(stage.daemon, 'localhost', 'ada', goodPassword))
      page = await ada.step(`${home}/auth/prove`)
    }
  })
})

describe('a service that asks first', () => {
  let stage: Stage
  before(async () => {
    stage = await prepare()
    const { routes } = stage.daemon.hero.proxy
    const host = { domain: 'half.localhost', target: stage.upstream.target, auth_mode: 'local' } as const
    await routes.add(host)
    await routes.add({ ...host, path_prefix: '/shy', confirm: true })
  })
  after(() => stage.close())

  test('does so for every path of its host, because the session counts for all of them', async () => {
    const ada = await signedIn(stage)
    const { answer } = await ada.walk('http://half.localhost:9997/elsewhere')
    assert.match(answer.body, /asks this only once/)
    assert.equal((await ada.step('http://half.localhost:9997/shy/x')).status, 302)
  })
})

describe('a sibling domain', () => {
  let daemon: TestDaemon
  let upstream: Upstream
  const secure = ['X-Forwarded-Proto', 'https'] as const
  before(async () => {
    daemon = await startTestDaemon({ trusted_proxies: '127.0.0.0/8', public_url: 'https://id.example.org' })
    upstream = await startUpstream()
    const route = { domain: 'app.example.org', target: upstream.target, auth_mode: 'optional' } as const
    await daemon.hero.proxy.routes.add(route)
  })
  after(async () => {
    await daemon.close()
    await upstream.close()
  })

  test('keeps no POST from a service by planting a form cookie of ours', async () => {
    for (const [cookie, status] of [
      ['hero_proxy_form=planted', 200],
      ['\u00a0__Host-hero_proxy_form=planted', 200],
      ['x=hero_proxy_form=', 200],
      ['__Host-hero_proxy_form=ours', 303],
      ['a=b; __Host-hero_proxy_form=ours', 303],
      ['__Host-hero_proxy_form=ours; __Host-hero_proxy_form=twice', 303],
    ] as const) {
      const answer = await ask(daemon, 'app.example.org', '/save', {
        method: 'POST',
        headers: [...secure, 'Cookie', Buffer.from(cookie).toString('latin1')],
        body: 'x',
      })
      assert.equal(answer.status, status, cookie)
    }
  })

  test('a kept decision lets no form of ours from before through', async () => {
    const client = new KeptClient(daemon.edge.port)
    const cookie = 'Cookie: __Host-hero_proxy_form=ours'
    const head = `Host: app.example.org\r\nX-Forwarded-Proto: https\r\n${cookie}\r\n`
    for (let i = 0; i < 3; i++) {
      client.send(`GET /x HTTP/1.1\r\n${head}\r\n`)
      assert.equal((await client.receive()).status, 200)
    }
    client.send(`POST /x HTTP/1.1\r\n${head}Content-Length: 1\r\n\r\nx`)
    assert.equal((await client.receive()).status, 303)
  })

  test('learns from no picture at home whether somebody is signed in', async () => {
    await using local = await prepare()
    const ada = await signedIn(local)
    const picture = ['Sec-Fetch-Mode', 'no-cors', 'Sec-Fetch-Dest', 'image', 'Sec-Fetch-Site', 'same-site']
    for (const path of [
      '/auth/login?return_to=/.hero_proxy/logo.svg',
      '/auth/logout?next=/.hero_proxy/logo.svg',
    ]) {
      const [known, unknown] = [
        await ada.step(home + path, { headers: picture }),
        await new Walker(local.daemon).step(home + path, { headers: picture }),
      ]
      const seen = ({ status, headers }: Answer) => [status, headers.location, headers['content-type']]
      assert.deepEqual(seen(known), seen(unknown), path)
    }
    const person = await ada.step(`${home}/auth/login?return_to=/auth/account`)
    assert.equal(person.headers.location, '/auth/account')
  })
})

describe('what a child session is worth', () => {
  let stage: Stage
  before(async () => {
    stage = await prepare({ trusted_proxies: '127.0.0.0/8' })
    const { routes } = stage.daemon.hero.proxy
    const { id } = (await routes.list({ domain: 'wiki.localhost' })).items[0]!
    await routes.update({ id, rpc: true })
    await stage.daemon.hero.users.update({ username: 'ada', is_admin: true })
  })
  after(() => stage.close())

  test('it counts at the scheme of its origin only', async () => {
    const ada = await signedIn(stage)
    await ada.walk(`${wiki}/page`)
    assert.equal((await ada.step(`${wiki}/page`)).status, 200)
    const { status } = await ada.step(`${wiki}/page`, { headers: ['X-Forwarded-Proto', 'https'] })
    assert.equal(status, 302)
  })

  test('at /rpc of a service, every caller learns who they are and nothing else', async () => {
    const ada = await signedIn(stage)
    await ada.walk(`${wiki}/page`)
    const { access_token } = await stage.daemon.hero.auth.login({ login: 'ada', password: goodPassword })
    const callers: Record<string, readonly string[]> = {
      child: ['Cookie', ada.cookies('wiki.localhost')],
      token: ['Authorization', `Bearer ${access_token}`],
      guest: [],
    }
    const call = (method: string, params: object = {}) => ({ jsonrpc: '2.0', id: 1, method, params })
    const refused = [
      call('auth.login', { login: 'ada', password: goodPassword }),
      call('login', { login: 'ada', password: goodPassword }),
      call('auth.setup', { username: 'eve', email: 'eve@example.org', password: goodPassword }),
      call('sessions.list'),
      call('sessions.revoke_all'),
      call('factors.list'),
      call('token.create'),
      call('auth.impersonate', { user: 'bob' }),
      call('auth.logout'),
      call('users.list'),
      call('rpc.discover'),
    ]
    for (const [name, headers] of Object.entries(callers)) {
      const { status, body } = await ask(stage.daemon, 'wiki.localhost:9997', '/rpc', {
        method: 'POST',
        headers: ['Content-Type', 'application/json', 'Origin', wiki, ...headers],
        body: JSON.stringify([call('auth.me'), ...refused]),
      })
      assert.equal(status, 200)
      const [me, ...others] = JSON.parse(body) as { result?: { user: string }; error?: { message: string } }[]
      assert.equal(me!.result?.user, name === 'guest' ? undefined : 'ada')
      for (const [i, { error }] of others.entries())
        assert.match(error?.message ?? '', /at the public URL only/, `${name} ${refused[i]!.method}`)
      assert.equal(others.length, refused.length)
    }
    assert.equal((await ada.step(`${wiki}/page`)).status, 200, 'nothing has ended')
  })
})

describe('the corpus of redirects', () => {
  let stage: Stage
  before(async () => {
    stage = await prepare()
  })
  after(() => stage.close())

  const lines = readFileSync(join(root, 'test', 'corpora', 'redirects', 'redirects.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  const originOf = (location: string, place: string) =>
    URL.canParse(location, place) ? new URL(location, place).origin : 'broken'

  test('leads from a service to its own origin only, and through home to origins that home knows', async () => {
    const ada = await signedIn(stage)
    await ada.walk(`${wiki}/page`)
    for (const line of lines) {
      const text = encodeURIComponent(line)
      for (const name of ['return_to', 'next']) {
        const { headers } = await ada.step(`${wiki}/.hero_proxy/sign_in?${name}=${text}`)
        assert.equal(originOf(headers.location!, wiki), wiki, `${name} ${line}`)
      }
      for (const service of [text, encodeURIComponent(wiki) + text]) {
        const { status, headers } = await ada.step(
          `${home}/auth/login?service=${service}&arrival=${'a'.repeat(64)}`,
        )
        if (status !== 400) assert.equal(originOf(headers.location!, home), wiki, `${service} ${line}`)
      }
      const out = await new Walker(stage.daemon).step(`${home}/auth/logout?next=${text}`)
      assert.equal(originOf(out.headers.location!, home), home, `next ${line}`)
    }
  })
})

onSqliteFirst('fifty arrivals at once', (newUrl) => {
  let stage: Stage
  before(async () => {
    stage = await prepare({ database_url: newUrl() })
  })
  after(() => stage.close())

  const ends: Record<string, (walker: Walker) => Promise<unknown>> = {
    'the sign-in ends': async () => stage.daemon.hero.sessions.revoke_all({ user: 'ada' }),
    'the person is deactivated': async () =>
      stage.daemon.hero.users.update({ username: 'ada', is_active: false }),
    'the person signs out of the service': (walker) => signOutAtWiki(stage, walker, 'here'),
  }

  for (const [cause, end] of Object.entries(ends))
    test(`leave no session behind when ${cause} between them`, async () => {
      const ada = await signedIn(stage)
      await ada.walk(`${wiki}/page`)
      const child = ada.jar.get('wiki.localhost')!.get(session)!
      const codes: string[] = []
      for (let i = 0; i < 10; i++) codes.push(await codeFor(ada))
      const arrivals = codes.flatMap((code) => Array.from({ length: 5 }, () => code))
      const guest = new Walker(stage.daemon)
      guest.jar.set('wiki.localhost', new Map(ada.jar.get('wiki.localhost')))
      ada.keep('wiki.localhost', `${session}=${child}`)
      const first = arrivals.splice(0, 10)
      const answers = await Promise.all([
        ...first.map((code) => guest.step(code, { keeps: false })),
        end(ada).then(() => undefined),
        ...arrivals.map((code) => guest.step(code, { keeps: false })),
      ])
      for (const answer of answers.filter((one) => one !== undefined)) {
        // 503: so many at once had to wait too long for the database.
        assert.ok([302, 303, 503].includes(answer.status), String(answer.status))
        const [cookie] = answer.headers['set-cookie'] ?? []
        if (cookie === undefined) continue
        const browser = new Walker(stage.daemon)
        browser.keep('wiki.localhost', cookie.split(';')[0]!)
        assert.equal((await browser.step(`${wiki}/page`)).status, 302, cause)
      }
      await stage.daemon.hero.users.update({ username: 'ada', is_active: true })
    })

  test('a sign-in that another person made room for meanwhile lasts as long as any other', async () => {
    const ada = await signedIn(stage)
    const page = await ada.step(`${home}/auth/prove`)
    const [answer] = await byHand(stage.daemon, (database) =>
      database.write(async () => {
        const answering = post(stage, ada, '/auth/login', page, { login: 'bob', password: goodPassword })
        await database.query.deleteFrom('sessions').where('kind', '=', 'cookie').execute()
        database.changed('sessions')
        // Long enough to find ada signed in. The sign-in itself has to wait for us.
        await delay(1000)
        return [answering] as const
      }),
    )
    const { headers } = await answer
    const line = headers['set-cookie']!.find((text) => text.startsWith(session))!
    // It has its full lifetime, and ends with the browser.
    assert.ok(!line.includes('Max-Age'))
    const [lasting] = (await stage.daemon.hero.sessions.list({ user: 'bob' })).items
    assert.equal(lasting!.expires_at - lasting!.created_at, 86_400)
    const bob = new Walker(stage.daemon)
    bob.keep('localhost', line.split(';')[0]!)
    assert.equal(userOf((await bob.walk(`${wiki}/page`)).answer.body), 'bob')
  })
})
