import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { newId } from '../../src/storage/ids.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { got, postForm, startStage, type Stage } from '../support/edge_stage.ts'
import { signIn, type Answer } from '../support/http.ts'
import { byHand } from '../support/people.ts'
import { valuesOf } from '../support/upstream.ts'
import { Walker } from './steps.ts'

const home = 'http://localhost:9997'
const wiki = 'http://wiki.localhost:9997'
const files = 'http://files.localhost:9997'
const session = '__Host-hero_proxy_session'
const arrival = '__Host-Http-hero_proxy_arrival'

/** The stage's own cookies count at these hosts too, so the tests sign in anew. */
const prepare = async (settings: Record<string, string> = {}): Promise<Stage> => {
  const stage = await startStage(settings)
  for (const name of ['wiki', 'files', 'chat'])
    await stage.daemon.hero.proxy.routes.add({
      domain: `${name}.localhost`,
      target: stage.upstream.target,
      auth_mode: 'local',
    })
  return stage
}

const signedIn = async (stage: Stage, name = 'ada', headers: readonly string[] = []): Promise<Walker> => {
  const walker = new Walker(stage.daemon, headers)
  walker.keep('localhost', await signIn(stage.daemon, 'localhost', name, goodPassword))
  return walker
}

const userOf = (body: string) => valuesOf(got({ body }).rawHeaders, 'x-hero-user')[0]

const rows = (stage: Stage, table: 'child_sessions' | 'arrival_codes') =>
  byHand(stage.daemon, async ({ query }) => (await query.selectFrom(table).selectAll().execute()).length)

onSqliteFirst('the handover', (newUrl) => {
  let stage: Stage
  before(async () => {
    stage = await prepare({ database_url: newUrl() })
  })
  after(() => stage.close())

  /** Goes as far as the code, which is not shown. */
  const codeFor = async (walker: Walker, address = `${wiki}/page`) =>
    (await walker.walk(address, `${wiki}/.hero_proxy/arrive`)).addresses.at(-1)!

  test('signs a person in at a service whom home knows, without a page, in four redirects', async () => {
    const ada = await signedIn(stage)
    const { addresses, answer } = await ada.walk(`${wiki}//a/b?c=d%2Fe`)
    assert.equal(answer.status, 200)
    assert.equal(userOf(answer.body), 'ada')
    assert.deepEqual(
      addresses.map((address) => address.replace(/[?].*/, '')),
      [
        `${wiki}//a/b`,
        `${wiki}/.hero_proxy/sign_in`,
        `${home}/auth/login`,
        `${wiki}/.hero_proxy/arrive`,
        `${wiki}//a/b`,
      ],
    )
    assert.equal(addresses.at(-1), `${wiki}//a/b?c=d%2Fe`)
    assert.notEqual(ada.jar.get('wiki.localhost')!.get(session), ada.jar.get('localhost')!.get(session))
    assert.equal((await ada.walk(`${wiki}/again`)).addresses.length, 1, 'no handover while the session lives')
  })

  test('shows a guest the sign-in page at home, and nothing is opened', async () => {
    const guest = new Walker(stage.daemon)
    const { addresses, answer } = await guest.walk(`${wiki}/page`)
    assert.match(addresses.at(-1)!, new RegExp(`^${home}/auth/login\\?service=`))
    assert.equal(answer.status, 200)
    assert.match(answer.body, /name="return_to" value="\/auth\/login\?service=/)
    assert.ok(!guest.jar.get('wiki.localhost')!.has(session))
  })

  test('a code is dead once it was shown, whatever came of it', async () => {
    const ada = await signedIn(stage)
    const address = await codeFor(ada)
    const thief = new Walker(stage.daemon)
    const stolen = await thief.step(address)
    assert.match(stolen.headers.location!, /\.hero_proxy\/sign_in/, 'another browser')
    assert.equal(stolen.headers['set-cookie'], undefined)
    const late = await ada.step(address)
    assert.match(late.headers.location!, /\.hero_proxy\/sign_in/, 'it was shown before')
    assert.equal(late.headers['set-cookie'], undefined)
    const wrong = new Walker(stage.daemon)
    wrong.keep('wiki.localhost', `${arrival}=${'A'.repeat(22)}`)
    const other = await codeFor(await signedIn(stage))
    for (const cookies of [wrong, wrong])
      assert.equal((await cookies.step(other)).headers['set-cookie'], undefined, 'a wrong cookie, and again')
  })

  test('a code opens nothing at another host, nor without the arrival cookie, nor with two of them', async () => {
    const ada = await signedIn(stage)
    const address = await codeFor(ada)
    ada.keep('files.localhost', `${arrival}=${ada.jar.get('wiki.localhost')!.get(arrival)}`)
    const elsewhere = await ada.step(address.replace(wiki, files))
    assert.equal(elsewhere.headers['set-cookie'], undefined)
    const second = await signedIn(stage)
    const code = await codeFor(second)
    const value = second.jar.get('wiki.localhost')!.get(arrival)
    second.jar.delete('wiki.localhost')
    const twice = await second.step(code, { headers: ['Cookie', `${arrival}=${value}; ${arrival}=${value}`] })
    assert.equal(twice.headers['set-cookie'], undefined)
  })

  test('a code ends after a minute, and when its sign-in has ended', async () => {
    const ada = await signedIn(stage)
    const old = await codeFor(ada)
    await byHand(stage.daemon, ({ query }) =>
      query
        .updateTable('arrival_codes')
        .set(({ eb }) => ({ created_at: eb('created_at', '-', 61) }))
        .execute(),
    )
    assert.equal((await ada.step(old)).headers['set-cookie'], undefined)
    const code = await codeFor(ada)
    const [mine] = (await stage.daemon.hero.sessions.list({ user: 'ada', limit: 1 })).items
    await stage.daemon.hero.sessions.revoke({ id: mine!.id })
    assert.equal((await ada.step(code)).headers['set-cookie'], undefined)
  })

  test('a code opens nothing once its route is disabled or takes no sessions', async () => {
    const { routes } = stage.daemon.hero.proxy
    const { id } = (await routes.list({ domain: 'chat.localhost' })).items[0]!
    const chat = 'http://chat.localhost:9997'
    for (const change of [{ enabled: false }, { auth_mode: 'bearer' as const }]) {
      const ada = await signedIn(stage)
      const { addresses } = await ada.walk(`${chat}/`, `${chat}/.hero_proxy/arrive`)
      await routes.update({ id, ...change })
      const answer = await ada.step(addresses.at(-1)!)
      assert.deepEqual([answer.status, answer.headers['set-cookie']], [404, undefined])
      await routes.update({ id, enabled: true, auth_mode: 'local' })
    }
  })

  test('of fifty arrivals with one code, one wins', async () => {
    const ada = await signedIn(stage)
    const code = await codeFor(ada)
    const before = await rows(stage, 'child_sessions')
    const answers = await Promise.all(Array.from({ length: 50 }, () => ada.step(code, { keeps: false })))
    assert.equal(answers.filter(({ headers }) => headers['set-cookie']?.join().includes(session)).length, 1)
    assert.equal(await rows(stage, 'child_sessions'), before + 1)
  })

  test('the children of a sign-in end with it at once, a thousand of them too', async () => {
    const ada = await signedIn(stage)
    await ada.walk(`${wiki}/page`)
    await ada.walk(`${files}/page`)
    const [mine] = (await stage.daemon.hero.sessions.list({ user: 'ada', limit: 1 })).items
    assert.deepEqual(mine!.hosts, ['files.localhost', 'wiki.localhost'])
    await byHand(stage.daemon, async ({ query }) => {
      const [row] = await query
        .selectFrom('child_sessions')
        .selectAll()
        .where('parent_id', '=', mine!.id)
        .limit(1)
        .execute()
      for (let i = 0; i < 1000; i++)
        await query
          .insertInto('child_sessions')
          .values({ ...row!, id: newId(), token_hash: `extra ${i}` })
          .execute()
    })
    const { cursor } = await stage.daemon.hero.sessions.revocations({})
    await stage.daemon.hero.sessions.revoke({ id: mine!.id })
    for (const address of [wiki, files]) assert.equal((await ada.step(`${address}/page`)).status, 302)
    let ended = 0
    for (let after = cursor; ;) {
      const page = await stage.daemon.hero.sessions.revocations({ after })
      if (page.items.length === 0) break
      ended += page.items.length
      after = page.cursor
    }
    assert.equal(ended, 1003, 'the sign-in and every child is reported')
  })

  test('the same person who signs in again keeps the children; another person is asked before they end', async () => {
    const walker = await signedIn(stage)
    await walker.walk(`${wiki}/page`)
    const form = (path: string, body: string, fields: Record<string, string>) => {
      const token = /name="form_token" value="([^"]+)"/.exec(body)![1]!
      const cookies = ['Cookie', walker.cookies('localhost')]
      return postForm(stage.daemon, 'localhost', path, { form_token: token, ...fields }, cookies)
    }
    const signInAgain = async (login: string) => {
      const page = await walker.step(`${home}/auth/prove`)
      return form('/auth/login', page.body, { login, password: goodPassword, return_to: '/auth/me' })
    }
    const keep = ({ headers }: Answer) => {
      const line = headers['set-cookie']!.find((text) => text.startsWith(session))!
      walker.keep('localhost', line.split(';')[0]!)
    }
    const before = walker.jar.get('localhost')!.get(session)
    keep(await signInAgain('ada'))
    assert.notEqual(walker.jar.get('localhost')!.get(session), before)
    assert.equal(userOf((await walker.step(`${wiki}/page`)).body), 'ada')

    const asks = await signInAgain('bob')
    assert.equal(asks.status, 200)
    assert.ok(!asks.headers['set-cookie']?.join().includes(session))
    assert.match(asks.body, /Continue as bob/)
    const opening = /name="opening" value="([^"]+)"/.exec(asks.body)![1]!
    const stays = await form('/auth/replace', asks.body, { opening, answer: 'keep', return_to: '/auth/me' })
    assert.ok(!stays.headers['set-cookie']?.join().includes(session))
    assert.equal(userOf((await walker.step(`${wiki}/page`)).body), 'ada')
    const late = await form('/auth/replace', asks.body, { opening, answer: 'replace', return_to: '/auth/me' })
    assert.ok(!late.headers['set-cookie']?.join().includes(session), 'the sign-in that was refused has ended')

    const again = await signInAgain('bob')
    const sealed = /name="opening" value="([^"]+)"/.exec(again.body)![1]!
    const oldTab = await walker.step(`${home}/auth/prove`)
    keep(
      await form('/auth/replace', again.body, { opening: sealed, answer: 'replace', return_to: '/auth/me' }),
    )
    assert.equal((await walker.step(`${wiki}/page`)).status, 302)
    assert.equal(userOf((await walker.walk(`${wiki}/page`)).answer.body), 'bob')
    const stale = await form('/auth/prove', oldTab.body, { password: goodPassword })
    assert.equal(stale.status, 409)
    assert.match(stale.body, /made for ada/)
    const signOut = await form('/auth/logout', oldTab.body, { scope: 'everywhere' })
    assert.equal(signOut.status, 409, 'the page of the person before signs nobody out')
  })

  test('an arrival as another person ends what this browser had opened as the first', async () => {
    const walker = await signedIn(stage)
    await walker.walk(`${wiki}/page`)
    await walker.walk(`${files}/page`)
    // The browser has lost the cookie of home, and somebody else signs in.
    walker.jar.set('localhost', new Map())
    walker.keep('localhost', await signIn(stage.daemon, 'localhost', 'bob', goodPassword))
    const { addresses } = await walker.walk(`${wiki}/.hero_proxy/sign_in?return_to=/x`)
    assert.equal(addresses.at(-1), `${wiki}/x`, 'a person who may enter goes on as who they are')
    walker.jar.get('wiki.localhost')!.delete(session)
    assert.equal(userOf((await walker.walk(`${wiki}/page`)).answer.body), 'bob')
    assert.equal(userOf((await walker.walk(`${files}/page`)).answer.body), 'ada', 'nobody arrived there')
  })
})

describe('services that ask first', () => {
  let stage: Stage
  before(async () => {
    stage = await prepare()
    await stage.daemon.hero.proxy.routes.add({
      domain: 'shy.localhost',
      target: stage.upstream.target,
      auth_mode: 'local',
      confirm: true,
    })
  })
  after(() => stage.close())
  const shy = 'http://shy.localhost:9997'

  const answer = async (walker: Walker, body: string) => {
    const [, token = ''] = /name="form_token" value="([^"]+)"/.exec(body)!
    const [, to = ''] = /name="return_to" value="([^"]+)"/.exec(body)!
    const fields = { form_token: token, return_to: to.replaceAll('&amp;', '&') }
    return postForm(stage.daemon, 'localhost', '/auth/come_back', fields, [
      'Cookie',
      walker.cookies('localhost'),
    ])
  }

  test('with `confirm` each person is asked once, and nothing opens before', async () => {
    const ada = await signedIn(stage)
    const before = await rows(stage, 'child_sessions')
    const asks = await ada.walk(`${shy}/page`)
    assert.match(asks.answer.body, /asks this only once/)
    assert.equal(await rows(stage, 'child_sessions'), before)
    const goesOn = await answer(ada, asks.answer.body)
    assert.equal(goesOn.status, 200, 'a page goes on, because a form may not lead to another origin')
    assert.equal(userOf((await ada.walk(`${shy}/page`)).answer.body), 'ada')
    assert.equal(
      userOf((await (await signedIn(stage)).walk(`${shy}/page`)).answer.body),
      'ada',
      'in no browser again',
    )
    assert.match(
      (await (await signedIn(stage, 'bob')).walk(`${shy}/page`)).answer.body,
      /asks this only once/,
    )
  })

  test('the id that a service knows ends its own session alone', async () => {
    const ada = await signedIn(stage)
    await ada.walk(`${wiki}/page`)
    await ada.walk(`${files}/page`)
    const child = await byHand(stage.daemon, ({ query }) =>
      query
        .selectFrom('child_sessions')
        .select('id')
        .where('origin', '=', wiki)
        .orderBy('id', 'desc')
        .executeTakeFirstOrThrow(),
    )
    await stage.daemon.hero.sessions.revoke({ id: child.id })
    assert.equal((await ada.step(`${wiki}/page`)).status, 302)
    assert.equal((await ada.step(`${files}/page`)).status, 200)
    await assert.rejects(stage.daemon.hero.sessions.revoke({ id: child.id }), /no session/)
  })
})

describe('where the handover may lead', () => {
  let stage: Stage
  before(async () => {
    stage = await prepare()
    const { routes } = stage.daemon.hero.proxy
    const { target } = stage.upstream
    await routes.add({ domain: '*.wild.localhost', target, auth_mode: 'local' })
    for (const auth_mode of ['none', 'bearer', 'signature'] as const)
      await routes.add({ domain: `${auth_mode}.localhost`, target, auth_mode })
    await routes.add({ domain: 'off.localhost', target, auth_mode: 'local', enabled: false })
    await routes.add({
      domain: 'tls.localhost',
      target,
      auth_mode: 'local',
      origin: 'https://tls.localhost:8443',
    })
  })
  after(() => stage.close())

  const hash = 'a'.repeat(64)
  const at = (service: string) => `${home}/auth/login?service=${encodeURIComponent(service)}&arrival=${hash}`

  test('only to the origin of a route that takes sessions: 400, no Location and no row otherwise', async () => {
    const ada = await signedIn(stage)
    const before = await rows(stage, 'arrival_codes')
    for (const service of [
      '',
      'x',
      '/page',
      '//wiki.localhost:9997/',
      'https://wiki.localhost:9997/',
      'http://wiki.localhost:9998/',
      'http://wiki.localhost/',
      'http://ada@wiki.localhost:9997/',
      'http://wiki.localhost:9997@evil.test/',
      'http://evil.test#@wiki.localhost:9997/',
      'http://evil.test\\@wiki.localhost:9997/',
      'http://wiki.localhost:9997\\@evil.test/',
      'http:wiki.localhost:9997/',
      ' http://wiki.localhost:9997/',
      'http://wiki.localhost:9997/#x',
      'http://evil.test/',
      'http://localhost:9997/auth/me',
      'http://wild.localhost:9997/',
      'http://a.b.wild.localhost:9997/',
      'http://none.localhost:9997/',
      'http://bearer.localhost:9997/',
      'http://signature.localhost:9997/',
      'http://off.localhost:9997/',
      'http://tls.localhost:9997/',
      'http://tls.localhost:8443/',
      'javascript:alert(1)',
      'data:text/html,x',
      'http://[::1]:9997/',
      'http://wiki.localhost:09997x/',
      'HTTP://wiki.localhost:9997/',
    ]) {
      const answer = await ada.step(at(service))
      assert.deepEqual([answer.status, answer.headers.location], [400, undefined], service)
    }
    assert.equal(await rows(stage, 'arrival_codes'), before)
  })

  test('capitals and a final dot in the host end at the one origin', async () => {
    const ada = await signedIn(stage)
    for (const [service, origin] of [
      ['http://WIKI.localhost.:9997/x', wiki],
      ['http://a.wild.localhost:9997/x', 'http://a.wild.localhost:9997'],
      ['https://tls.localhost:8443/x', 'https://tls.localhost:8443'],
    ] as const)
      assert.ok(
        (await ada.step(at(service))).headers.location?.startsWith(`${origin}/.hero_proxy/arrive?code=`),
        service,
      )
  })

  test('a path that the edge refuses, answers itself or finds too long becomes /', async () => {
    const ada = await signedIn(stage)
    for (const path of [
      '/a b',
      '/x/../y',
      '/%zz',
      '/.hero_proxy/sign_out',
      '/%2ehero_proxy/x',
      '/logout',
      `/${'a'.repeat(4096)}`,
    ]) {
      const answer = await ada.step(at(wiki + path))
      const code = new URL(answer.headers.location!).searchParams.get('code')!
      assert.match(code, /^[\w-]{43}$/, path)
    }
    await byHand(stage.daemon, async ({ query }) => {
      const found = await query
        .selectFrom('arrival_codes')
        .select('path')
        .distinct()
        .where('origin', '=', wiki)
        .execute()
      assert.deepEqual(found.map(({ path }) => path).toSorted(), ['/', '/x'])
    })
  })

  test('without the hash of an arrival cookie it begins at the service', async () => {
    const ada = await signedIn(stage)
    for (const value of ['', '&arrival=', '&arrival=x', `&arrival=${'A'.repeat(64)}`]) {
      const { headers } = await ada.step(
        `${home}/auth/login?service=${encodeURIComponent(`${wiki}/p`)}${value}`,
      )
      assert.equal(headers.location, `${wiki}/.hero_proxy/sign_in?return_to=%2Fp`)
    }
  })
})

describe('what is no navigation of a person', () => {
  let stage: Stage
  before(async () => {
    stage = await prepare()
  })
  after(() => stage.close())

  const ways: Record<string, readonly string[]> = {
    script: ['Sec-Fetch-Mode', 'no-cors', 'Sec-Fetch-Dest', 'empty'],
    image: ['Sec-Fetch-Mode', 'no-cors', 'Sec-Fetch-Dest', 'image'],
    frame: ['Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Dest', 'iframe'],
    object: ['Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Dest', 'object'],
    prefetch: ['Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Dest', 'document', 'Sec-Purpose', 'prefetch'],
    prerender: [
      'Sec-Fetch-Mode',
      'navigate',
      'Sec-Fetch-Dest',
      'document',
      'Sec-Purpose',
      'prefetch;prerender',
    ],
    worker: ['Sec-Fetch-Mode', 'same-origin', 'Sec-Fetch-Dest', 'serviceworker', 'Service-Worker', 'script'],
    program: ['Sec-Fetch-Mode', 'cors', 'Sec-Fetch-Dest', 'empty'],
  }

  test('gets the same answer signed in or not, uses no code and makes no row', async () => {
    const ada = await signedIn(stage)
    const { addresses } = await ada.walk(`${wiki}/page`, `${wiki}/.hero_proxy/arrive`)
    const [, signInAddress, loginAddress, arriveAddress] = addresses
    const before = [await rows(stage, 'child_sessions'), await rows(stage, 'arrival_codes')]
    for (const [way, headers] of Object.entries(ways))
      for (const address of [signInAddress!, loginAddress!, arriveAddress!]) {
        const [known, unknown] = [
          await ada.step(address, { headers }),
          await new Walker(stage.daemon).step(address, { headers }),
        ]
        assert.equal(known.status, 401, `${way} ${address}`)
        assert.equal(known.headers.location, undefined)
        assert.equal(known.headers['set-cookie'], undefined)
        const bare = ({ body }: { body: string }) => body.replaceAll(/<code>[^<]*<\/code>/g, '')
        assert.equal(bare(known), bare(unknown), `${way} ${address}`)
        const mayBeFramed = /frame-ancestors \*/.test(String(known.headers['content-security-policy']))
        assert.equal(mayBeFramed, way === 'frame' || way === 'object', way)
      }
    const head = await ada.step(arriveAddress!, { method: 'HEAD' })
    assert.equal(head.headers['set-cookie'], undefined, 'HEAD opens nothing')
    assert.deepEqual([await rows(stage, 'child_sessions'), await rows(stage, 'arrival_codes')], before)
    assert.match((await ada.step(arriveAddress!)).headers['set-cookie']!.join(), new RegExp(session))
  })
})

describe('a browser that keeps no cookies', () => {
  let stage: Stage
  before(async () => {
    stage = await prepare()
  })
  after(() => stage.close())

  test('at the service ends at a page with the reason, within ten redirects, at an address without the code', async () => {
    const ada = await signedIn(stage)
    const { addresses, answer } = await ada.walk(`${wiki}/page`, undefined, (host) => host === 'localhost')
    assert.ok(addresses.length <= 11, String(addresses.length))
    assert.match(answer.body, /did not keep the sign-in/)
    assert.ok(!addresses.at(-1)!.includes('code='))
  })

  test('of the session alone, which a proxy strips, ends there too', async () => {
    const ada = await signedIn(stage)
    const walk = async () => {
      for (let address = `${wiki}/page`, hops = 0; hops < 25; hops++) {
        const { headers, body } = await ada.step(address)
        ada.jar.get('wiki.localhost')?.delete(session)
        if (headers.location === undefined) return { hops, body }
        address = headers.location.startsWith('/') ? wiki + headers.location : headers.location
      }
      throw new Error('redirected without end')
    }
    const { hops, body } = await walk()
    assert.match(body, /did not keep the sign-in/)
    assert.ok(hops <= 10, String(hops))
  })

  test('twenty tabs restored at once all arrive, and one that polls goes on', async () => {
    const ada = await signedIn(stage)
    const walks = await Promise.all(Array.from({ length: 20 }, (_, i) => ada.walk(`${wiki}/tab${i}`)))
    for (const [i, { addresses, answer }] of walks.entries()) {
      assert.equal(addresses.at(-1), `${wiki}/tab${i}`)
      assert.equal(userOf(answer.body), 'ada')
    }
    for (let i = 0; i < 5; i++) assert.equal((await ada.step(`${wiki}/poll`)).status, 200)
  })

  test('a connection that is cut at the arrival does no harm', async () => {
    const ada = await signedIn(stage)
    const { addresses } = await ada.walk(`${wiki}/page`, `${wiki}/.hero_proxy/arrive`)
    await ada.step(addresses.at(-1)!, { keeps: false })
    const again = await ada.walk(addresses.at(-1)!)
    assert.equal(again.addresses.at(-1), `${wiki}/page`)
    assert.equal(userOf(again.answer.body), 'ada')
  })

  test('five browsers keep their sessions at a host; the sixth ends the oldest', async () => {
    const ada = await signedIn(stage)
    const children: string[] = []
    for (let i = 0; i < 6; i++) {
      ada.jar.delete('files.localhost')
      await ada.walk(`${files}/page`)
      children.push(ada.jar.get('files.localhost')!.get(session)!)
    }
    const statuses: number[] = []
    for (const value of children) {
      const browser = new Walker(stage.daemon)
      browser.keep('files.localhost', `${session}=${value}`)
      statuses.push((await browser.step(`${files}/page`)).status)
    }
    assert.deepEqual(statuses, [302, 200, 200, 200, 200, 200])
  })
})
