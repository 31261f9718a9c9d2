import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { long } from '../long.ts'
import { OutgoingSignIns } from '../../src/federation/outgoing_sign_ins.ts'
import { Seal } from '../../src/secrets/seal.ts'
import { ask } from '../support/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'
import { Person } from '../support/person.ts'
import { byHand } from '../support/people.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile_provider.ts'
import {
  byPassword,
  comeBy,
  cookieNames,
  startRelying,
  whoIs,
  type Stage,
} from '../support/provider_stage.ts'

const hostileTargets = [
  '//evil.test',
  'https://evil.test/',
  'javascript:alert(1)',
  '/\\evil.test',
  '\\\\evil.test',
  '/\t/evil.test',
  '/%2f/evil.test',
  '/%5cevil.test',
  '/%252fevil.test',
  '/.//evil.test',
  '/x/..//evil.test',
  ' //evil.test',
  'evil.test',
  '/@evil.test/..//evil.test',
  'http:evil.test',
]

/** A sign-in flow is bound to its browser and provider, lasts ten minutes and works once (D17, D18, D37, D40). */
describe('provider sign-in flows', () => {
  let stage: Stage
  let one: HostileProvider
  let two: HostileProvider
  let upstream: Upstream
  before(async () => {
    stage = await startRelying()
    one = await startHostileProvider()
    two = await startHostileProvider()
    upstream = await startUpstream()
    for (const [provider, hostile] of [
      ['one', one],
      ['two', two],
    ] as const) {
      await stage.hero.providers.add({
        own_callback: true,
        provider,
        preset: 'oidc',
        issuer: hostile.issuer,
        client: 'hero',
        client_secret: 's',
      })
      await stage.hero.users.identities.add({ user: 'grace', provider, subject: '1' })
    }
  })
  after(async () => {
    await upstream?.close()
    await one?.close()
    await two?.close()
    await stage?.[Symbol.asyncDispose]()
  })

  /** Stops at our callback, with the parameters of the provider. */
  const stopAtCallback = async (provider = 'one', origin = stage.origin, next = '/auth/me') => {
    const person = new Person(({ pathname }) => pathname.startsWith('/oauth/callback/'))
    const page = await person.open(`${origin}/login?provider=${provider}&next=${encodeURIComponent(next)}`)
    assert.equal(page.url.pathname, `/oauth/callback/${provider}`, page.text)
    return { person, back: page.url }
  }
  const at = (url: URL, cookie = '') =>
    fetch(url, { redirect: 'manual', headers: { accept: 'text/html', cookie } })
  const cookiesOf = (person: Person, url: URL) => person.cookiesAt(url)

  test('the flow cookie has its security attributes (RFC 6265bis), and each flow has its own', async () => {
    const answers = await Promise.all([1, 2].map(() => at(new URL(`${stage.origin}/login?provider=one`))))
    const lines = answers.map(({ headers }) => headers.getSetCookie().join())
    for (const line of lines)
      assert.match(
        line,
        /^__Host-hero_proxy_flow_[0-9a-f]{16}=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600; Secure$/,
      )
    assert.notEqual(lines[0]!.split('=')[0], lines[1]!.split('=')[0])
    assert.ok(!lines.join().includes('auth/me'), 'the browser does not store the destination')
  })

  test('another browser can neither complete a flow nor invalidate it', async () => {
    const { person, back } = await stopAtCallback()
    const thief = new Person()
    assert.equal((await thief.open(back)).status, 400)
    assert.equal(await whoIs(thief, stage.origin), undefined)
    const [name, value] = cookiesOf(person, back)
      .split('; ')
      .find((pair) => pair.includes('flow'))!
      .split('=')
    const other = (await stopAtCallback()).person
    const theirs = cookiesOf(other, back)
      .split('; ')
      .find((pair) => pair.includes('flow'))!
      .split('=')[1]
    // A made-up value, one of another flow, and the right one twice, as a sibling domain may plant it.
    for (const planted of [
      `${name}=${'x'.repeat(43)}`,
      `${name}=${theirs}`,
      `${name}=`,
      `${name}=${value!.slice(1)}`,
      `${name}=${value}; ${name}=${value}`,
      `${name!.replace('__Host-', '')}=${value}`,
    ])
      assert.equal((await at(back, planted)).status, 400, planted)
    const done = await at(back, cookiesOf(person, back))
    assert.equal(done.status, 303, 'the browser that started the flow completes it')
    assert.match(done.headers.getSetCookie().join(), /__Host-hero_proxy_session=[\w-]{43}/)
    assert.equal((await at(back, cookiesOf(person, back))).status, 400, 'only once')
  })

  test('one of many concurrent callbacks completes the flow', async () => {
    const { person, back } = await stopAtCallback()
    const cookie = cookiesOf(person, back)
    // The provider accepts a code repeatedly here, so that it does not decide the race.
    one.misbehave({ reuse: true })
    const answers = await Promise.all(Array.from({ length: 20 }, () => at(back, cookie)))
    assert.equal(answers.filter(({ status }) => status === 303).length, 1)
    assert.equal((await at(back, cookie)).status, 400)
    one.misbehave({})
  })

  test('a state that is missing, repeated, made up or of another flow completes nothing', async () => {
    const { person, back } = await stopAtCallback()
    const other = await stopAtCallback()
    const cookie = cookiesOf(person, back)
    const state = back.searchParams.get('state')!
    for (const change of [
      (url: URL) => url.searchParams.delete('state'),
      (url: URL) => url.searchParams.append('state', state),
      (url: URL) => url.searchParams.set('state', 'x'.repeat(43)),
      (url: URL) => url.searchParams.set('state', `${state} `),
      (url: URL) => url.searchParams.set('state', other.back.searchParams.get('state')!),
    ]) {
      const url = new URL(back)
      change(url)
      const answer = await at(url, cookie)
      assert.equal(answer.status, 400)
      assert.ok(!answer.headers.getSetCookie().join().includes('session='))
    }
    assert.equal((await at(back, cookie)).status, 303)
  })

  test('a flow expires after ten minutes', async () => {
    const { person, back } = await stopAtCallback()
    await byHand(stage.daemon, (database) =>
      database.query
        .updateTable('provider_flows')
        .set({ expires_at: Math.floor(Date.now() / 1000) - 1 })
        .execute(),
    )
    assert.equal((await at(back, cookiesOf(person, back))).status, 400)
  })

  test('a code of one provider with the state of another, and a wrong iss, are refused (D40)', async () => {
    const a = await stopAtCallback('one')
    const b = await stopAtCallback('two')
    const mixed = new URL(b.back)
    mixed.searchParams.set('code', a.back.searchParams.get('code')!)
    const answer = await at(mixed, cookiesOf(b.person, b.back))
    assert.ok(answer.status >= 400)
    assert.ok(!answer.headers.getSetCookie().join().includes('session='))

    for (const iss of [two.issuer, `${one.issuer}/`, 'x', '']) {
      one.misbehave({ back: (params) => params.set('iss', iss) })
      const person = new Person()
      const page = await comeBy(person, stage, 'one', '')
      assert.ok(page.status >= 400, iss)
      assert.equal(one.asked('token'), 0, 'the code was not sent')
      assert.equal(await whoIs(person, stage.origin), undefined)
    }
    one.misbehave({ back: (params) => params.set('iss', one.issuer) })
    const person = new Person()
    await comeBy(person, stage, 'one', '')
    assert.equal(await whoIs(person, stage.origin), 'grace')
    one.misbehave({})
  })

  test('iss is required if the provider advertises it (RFC 9207)', async () => {
    const { hero } = stage
    two.misbehave({
      discovery: (metadata) => ({ ...metadata, authorization_response_iss_parameter_supported: true }),
    })
    await hero.providers.update({ provider: 'two', title: 'Two' })
    const person = new Person()
    assert.ok((await comeBy(person, stage, 'two', '')).status >= 400)
    assert.equal(await whoIs(person, stage.origin), undefined)
    two.misbehave({})
  })

  test('access_denied shows an error with the other ways to sign in', async () => {
    one.misbehave({
      back: (params) => {
        params.delete('code')
        params.set('error', 'access_denied')
        params.set('error_description', '<script>alert(1)</script>')
      },
    })
    const page = await comeBy(new Person(), stage, 'one', '', '/auth/me?wanted')
    assert.equal(page.status, 403)
    assert.match(page.text, /stopped the sign-in/)
    assert.match(page.text, /\/auth\/login\?return_to=%2Fauth%2Fme%3Fwanted/)
    assert.ok(!page.text.includes('alert(1)'))
    one.misbehave({})
  })

  test('several tabs of one browser complete their own flows', async () => {
    const person = new Person(({ pathname }) => pathname.startsWith('/oauth/callback/'))
    const tabs = [] as URL[]
    for (const tab of ['a', 'b', 'c'])
      tabs.push((await person.open(`${stage.origin}/login?provider=one&next=/auth/me?tab=${tab}`)).url)
    assert.equal(cookieNames(person, stage.origin).filter((name) => name.includes('flow')).length, 3)
    for (const [i, tab] of [
      [2, 'c'],
      [0, 'a'],
      [1, 'b'],
    ] as const) {
      const answer = await at(tabs[i]!, cookiesOf(person, tabs[i]!))
      assert.equal(answer.headers.get('location'), `/auth/me?tab=${tab}`)
    }
  })

  test('concurrent sign-ins each get their own identity', async () => {
    const { hero } = stage
    const names = Array.from({ length: long ? 50 : 12 }, (_, i) => `crowd${i}`)
    for (const name of names) {
      await hero.users.add({ username: name })
      await hero.users.identities.add({ user: name, provider: 'one', subject: name })
    }
    const journeys = await Promise.all(
      names.map(async (name) => {
        const person = new Person(({ pathname }) => pathname === '/authorize')
        return { name, person, page: await person.open(`${stage.origin}/login?provider=one`) }
      }),
    )
    const backs = [] as { name: string; person: Person; back: URL }[]
    // The provider finds the subject by the nonce.
    const subjects = new Map<string, string>()
    one.misbehave({
      claims: (claims) => ({ ...claims, sub: subjects.get(String(claims.nonce)) }),
      userinfo: () => ({}),
    })
    for (const { name, person, page } of journeys) {
      subjects.set(page.url.searchParams.get('nonce')!, name)
      const answer = await fetch(page.url, { redirect: 'manual' })
      backs.push({ name, person, back: new URL(answer.headers.get('location')!) })
    }
    // Without userinfo, because it would return the same subject to everybody.
    one.misbehave({
      claims: (claims) => ({ ...claims, sub: subjects.get(String(claims.nonce)) }),
      discovery: ({ userinfo_endpoint: _, ...metadata }) => metadata,
    })
    await hero.providers.update({ provider: 'one', title: 'One' })
    const who = await Promise.all(
      backs.map(async ({ name, person, back }) => {
        const answer = await at(back, cookiesOf(person, back))
        const session =
          /__Host-hero_proxy_session=([\w-]+)/.exec(answer.headers.getSetCookie().join())?.[0] ?? ''
        const me = await fetch(`${stage.origin}/auth/me`, {
          headers: { cookie: session, accept: 'application/json' },
        })
        return [name, ((await me.json()) as { user?: string }).user]
      }),
    )
    assert.deepEqual(
      who,
      names.map((name) => [name, name]),
    )
    one.misbehave({})
    await hero.providers.update({ provider: 'one', title: 'One again' })
  })

  test('next leads to no other origin (D17, D18)', async () => {
    for (const payload of hostileTargets) {
      const { person, back } = await stopAtCallback('one', stage.origin, payload)
      const answer = await at(back, cookiesOf(person, back))
      assert.equal(answer.status, 303, payload)
      const to = new URL(answer.headers.get('location')!, back)
      assert.equal(to.origin, stage.origin, payload)
    }
    // The stored destination is checked again when it is used.
    const { data_dir } = stage.daemon.config
    const seal = new Seal(readFileSync(join(data_dir, 'master.key'), 'utf8').trim())
    const { id } = await stage.hero.providers.get({ provider: 'one' })
    for (const next of hostileTargets) {
      const { checks, cookie } = await byHand(stage.daemon, (database) =>
        new OutgoingSignIns(database, seal).begin(
          { provider_id: id, user_id: null, next, anew: false, remember: false },
          undefined,
        ),
      )
      const authorize = new URL(`${one.issuer}/authorize`)
      const redirect_uri = `${stage.origin}/oauth/callback/one`
      for (const [name, value] of Object.entries({ state: checks.state, nonce: checks.nonce, redirect_uri }))
        authorize.searchParams.set(name, value)
      const back = new URL((await fetch(authorize, { redirect: 'manual' })).headers.get('location')!)
      const answer = await at(back, `__Host-hero_proxy_flow_${cookie.id}=${cookie.value}`)
      assert.equal(answer.status, 303, next)
      assert.equal(new URL(answer.headers.get('location')!, back).origin, stage.origin, next)
    }
  })

  test('a guest of a service signs in with its provider at home, through one registered redirect URI', async () => {
    const { hero, origin } = stage
    const { port } = new URL(origin)
    const wiki = `http://wiki.localhost:${port}`
    await hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: upstream.target,
      auth_mode: 'oauth',
      provider: 'one',
    })
    const person = new Person()
    const page = await person.open(`${wiki}/pages/1?x=2`)
    assert.equal(page.url.href, `${wiki}/pages/1?x=2`)
    assert.equal(page.status, 200, page.text)
    const { rawHeaders } = upstream.seen.at(-1)!
    assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), ['grace'])
    assert.deepEqual(valuesOf(rawHeaders, 'x-proxy-auth-method'), ['oauth'])
    assert.ok(!valuesOf(rawHeaders, 'cookie').join().includes('hero_proxy'))
    assert.equal(await whoIs(person, origin), 'grace', 'the sign-in is at home')
    const child = cookiesOf(person, new URL(wiki))
    const stolen = await at(new URL(`${origin}/auth/me`), child)
    assert.equal(stolen.status, 401, 'the session of the service is limited to its host')
    // The callback is no path of ours at the host of a service, and at home it answers the browser that began alone.
    const { person: owner, back } = await stopAtCallback('one', wiki)
    assert.equal(back.origin, origin)
    await hero.proxy.routes.add({ domain: 'blog.localhost', target: upstream.target, auth_mode: 'none' })
    const answer = await ask(stage.daemon, 'blog.localhost', `${back.pathname}${back.search}`, {
      headers: ['Cookie', cookiesOf(owner, back), 'Accept', 'text/html'],
    })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['set-cookie'], undefined)
    assert.equal(upstream.seen.at(-1)!.url, `${back.pathname}${back.search}`, 'the service has the path')
    assert.equal((await at(back)).status, 400)
    const done = await at(back, cookiesOf(owner, back))
    assert.match(
      done.headers.getSetCookie().join(),
      /hero_proxy_session=[\w-]{43}/,
      'the flow was still open',
    )
  })

  test('a route with a provider sends people to it whether they are signed in or not, and programs get 401', async () => {
    const { port } = new URL(stage.origin)
    const wiki = `http://wiki.localhost:${port}`
    const person = new Person()
    await byPassword(person, stage.origin, 'ada')
    assert.equal(await whoIs(person, stage.origin), 'ada')
    const asks = await person.open(`${wiki}/`)
    assert.equal(await whoIs(person, stage.origin), 'ada', 'nobody is replaced without being asked')
    const page = await person.submit(asks, '/auth/replace', { answer: 'replace' })
    assert.equal(page.url.href, `${wiki}/`)
    assert.equal(page.status, 200)
    assert.equal(await whoIs(person, wiki), 'grace', 'the session is the one from the provider')
    const program = await ask(stage.daemon, 'wiki.localhost', '/', { headers: ['Accept', '*/*'] })
    assert.deepEqual([program.status, program.headers.location], [401, undefined])
    await stage.hero.providers.update({ provider: 'one', enabled: false })
    const closed = await new Person().open(`${wiki}/`)
    assert.equal(closed.status, 503, 'a route with a disabled provider answers 503')
    for (const guest of [true, false]) {
      const asking = new Person()
      if (!guest) await byPassword(asking, stage.origin, 'ada')
      const { status, url } = await asking.open(`${wiki}/.hero_proxy/sign_in?return_to=/`)
      assert.deepEqual([status, url.origin], [503, stage.origin], 'so does home, and leads nowhere')
    }
    assert.equal(await whoIs(person, wiki), 'grace', 'existing sessions continue')
    await stage.hero.providers.update({ provider: 'one', enabled: true })
  })

  test('/login uses a single provider directly, lists several, and answers 404 for an unknown one', async () => {
    const page = await new Person().open(`${stage.origin}/login?next=/auth/me`)
    assert.equal(page.status, 200)
    assert.match(page.text, /Sign in with One again/)
    assert.match(page.text, /Sign in with Two/)
    assert.match(page.text, /name="password"/)
    assert.equal((await new Person().open(`${stage.origin}/login?provider=nobody`)).status, 404)
    assert.equal((await new Person().open(`${stage.origin}/login?provider=One`)).status, 404)
    await stage.hero.providers.update({ provider: 'two', enabled: false })
    const person = new Person()
    await person.open(`${stage.origin}/login?next=/auth/me`)
    assert.equal(await whoIs(person, stage.origin), 'grace')
    await stage.hero.providers.update({ provider: 'two', enabled: true })
  })

  test('abandoned flows are swept, and one network may start a limited number', async () => {
    const open = (): Promise<number> =>
      byHand(stage.daemon, async (database) => {
        const rows = await database.query.selectFrom('provider_flows').select('state_hash').execute()
        return rows.length
      })
    await byHand(stage.daemon, (database) => database.query.deleteFrom('provider_flows').execute())
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => at(new URL(`${stage.origin}/login?provider=one`))),
    )
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([302]))
    assert.equal(await open(), 20)
    await byHand(stage.daemon, async (database) => {
      const [row] = await database.query.selectFrom('provider_flows').selectAll().limit(1).execute()
      const many = Array.from({ length: 480 }, (_, i) => ({ ...row!, state_hash: `made up ${i}` }))
      await database.query.insertInto('provider_flows').values(many).execute()
    })
    const refused = await at(new URL(`${stage.origin}/login?provider=one`))
    assert.equal(refused.status, 429)
    assert.equal(refused.headers.get('retry-after'), '60')
    await byHand(stage.daemon, (database) =>
      database.query.updateTable('provider_flows').set({ expires_at: 1 }).execute(),
    )
    assert.equal((await at(new URL(`${stage.origin}/login?provider=one`))).status, 302)
  })
})
