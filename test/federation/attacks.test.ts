import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword } from '../support/daemon.ts'
import { codeOf, enrol } from '../support/factors.ts'
import { byHand, signedIn } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile_provider.ts'
import { comeBy, cookieNames, startRelying, whoIs, type Stage } from '../support/provider_stage.ts'

onSqliteFirst('attacks through providers', (newUrl) => {
  let stage: Stage
  let hostile: HostileProvider
  let upstream: Upstream
  before(async () => {
    stage = await startRelying({ database_url: newUrl() })
    hostile = await startHostileProvider()
    upstream = await startUpstream()
    await stage.hero.providers.add({
      own_callback: true,
      provider: 'sso',
      preset: 'oidc',
      issuer: hostile.issuer,
      title: 'The sign-on',
      client: 'hero',
      client_secret: 'a secret of ours',
      allow_signup: true,
    })
    await stage.hero.users.identities.add({ user: 'grace', provider: 'sso', subject: '1' })
  })
  after(async () => {
    await hostile?.close()
    await upstream?.close()
    await stage?.[Symbol.asyncDispose]()
  })

  test('a finished flow leaves no cookie, whatever its outcome, and a pending one keeps its cookie', async () => {
    const { origin } = stage
    const flowsOf = (person: Person) => cookieNames(person, origin).filter((name) => name.includes('flow'))
    const person = new Person()
    const atProvider = (url: URL) => url.href.startsWith(`${hostile.issuer}/authorize`)
    const waiting = new Person(atProvider)
    await waiting.open(`${origin}/login?provider=sso`)
    const ends: [string, HostileProvider['state']['ways'], number][] = [
      ['an error of the provider', { token: () => ({ status: 500 }) }, 502],
      ['access_denied at the provider', { back: (answer) => answer.set('error', 'access_denied') }, 403],
      ['an unknown account here', { claims: (claims) => ({ ...claims, sub: 'nobody' }) }, 403],
    ]
    await stage.hero.providers.update({ provider: 'sso', allow_signup: false })
    for (const [name, ways, status] of ends) {
      hostile.misbehave({
        ...ways,
        ...(name === 'an unknown account here' && { userinfo: () => ({ sub: 'nobody' }) }),
      })
      const page = await person.open(`${origin}/login?provider=sso`)
      assert.equal(page.status, status, name)
      assert.deepEqual(flowsOf(person), [], name)
    }
    hostile.misbehave({})
    await stage.hero.providers.update({ provider: 'sso', allow_signup: true })
    const [left] = flowsOf(waiting)
    assert.ok(left)
    const strange = await waiting.open(`${origin}/oauth/callback/sso?state=${'x'.repeat(43)}&code=1`)
    assert.equal(strange.status, 400)
    assert.deepEqual(flowsOf(waiting), [left])
    await byHand(stage.daemon, (database) => database.query.deleteFrom('provider_flows').execute())
    const late = new Person()
    const stopped = new Person(atProvider)
    const { url } = await stopped.open(`${origin}/login?provider=sso`)
    await byHand(stage.daemon, (database) => database.query.deleteFrom('provider_flows').execute())
    const state = url.searchParams.get('state')
    assert.equal((await late.open(`${origin}/oauth/callback/sso?state=${state}&code=1`)).status, 400)
    assert.equal((await stopped.open(`${origin}/oauth/callback/sso?state=${state}&code=1`)).status, 400)
    assert.deepEqual(flowsOf(stopped), [], 'the flow has expired')
  })

  test('a flow that a service begins in its own browser signs in no visitor, and nobody in its browser', async () => {
    const { hero, origin } = stage
    const wiki = `http://wiki.localhost:${new URL(origin).port}`
    await hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: upstream.target,
      auth_mode: 'oauth',
      provider: 'sso',
    })
    const atProvider = (url: URL) => url.href.startsWith(`${hostile.issuer}/authorize`)
    // The service sends its visitor to the authorization URL of its own flow.
    const service = new Person(atProvider)
    const { url: authorize } = await service.open(`${wiki}/login`)
    assert.ok(atProvider(authorize), authorize.href)
    // The answer of the provider goes home, where no worker of the page sees it.
    let stops = true
    const visitor = new Person(({ pathname }) => stops && pathname === '/oauth/callback/sso')
    const { url: back } = await visitor.open(authorize)
    assert.equal(back.origin, origin)
    const count = upstream.seen.length
    const there = await new Person(atProvider).open(`${wiki}${back.pathname}${back.search}`)
    assert.ok(atProvider(there.url), 'the path is that of the service, which sends its guests to sign in')
    assert.equal(upstream.seen.length, count)
    stops = false
    assert.equal((await visitor.open(back)).status, 400)
    for (const browser of [visitor, service])
      for (const place of [origin, wiki]) assert.equal(await whoIs(browser, place), undefined, place)
  })

  test('the session that a provider opened at the host of a service counts there alone', async () => {
    const { hero, origin } = stage
    const { port } = new URL(origin)
    const wiki = `http://wiki.localhost:${port}`
    const service = new Person()
    await service.open(`${wiki}/`)
    assert.equal(await whoIs(service, wiki), 'grace')
    const cookie = service.cookiesAt(new URL(wiki))
    assert.match(cookie, /hero_proxy_session=/)
    await hero.proxy.routes.add({
      domain: 'blog.localhost',
      target: upstream.target,
      auth_mode: 'local',
    })
    for (const host of [`localhost:${port}`, `blog.localhost:${port}`]) {
      const headers = { cookie, accept: 'application/json', 'sec-fetch-mode': 'cors' }
      const me = await new Person().open(`http://${host}/auth/me`, { headers })
      assert.equal(me.status, 401, `${host}: ${me.text}`)
      const call = await new Person().open(`http://${host}/rpc`, {
        method: 'POST',
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'auth.me', params: {} }),
        headers: { cookie, 'content-type': 'application/json', origin: `http://${host}` },
      })
      assert.ok(!call.text.includes('grace'), `${host}: ${call.text}`)
    }
    const before = upstream.seen.length
    await new Person((url) => url.pathname === '/auth/login').open(`http://blog.localhost:${port}/`, {
      headers: { cookie },
    })
    assert.equal(upstream.seen.length, before, 'the route of another service stays closed')
  })

  /** Signs a person in, and applies a change while the userinfo request is pending. */
  const signInDuring = async (provider: string, change: () => Promise<unknown>) => {
    const person = new Person()
    hostile.misbehave({
      instead: (endpoint, _, response) => {
        if (endpoint !== 'userinfo') return false
        void change().then(() =>
          response
            .writeHead(200, { 'content-type': 'application/json' })
            .end(JSON.stringify(hostile.state.person)),
        )
        return true
      },
    })
    const page = await comeBy(person, stage, provider, '')
    hostile.misbehave({})
    return { person, page }
  }
  const addProvider = (provider: string, fields: object = {}) =>
    stage.hero.providers.add({
      own_callback: true,
      provider,
      preset: 'oidc',
      issuer: hostile.issuer,
      client: 'hero',
      client_secret: 'a secret of ours',
      allow_signup: true,
      ...fields,
    })

  test('a provider removed during a sign-in leaves no identity for a later provider of the same name', async () => {
    const { hero, origin } = stage
    await addProvider('short')
    hostile.state.person = { sub: 'short-1', preferred_username: 'shorty' }
    const { person, page } = await signInDuring('short', () => hero.providers.remove({ provider: 'short' }))
    assert.equal(page.status, 400, page.text)
    assert.equal(await whoIs(person, origin), undefined)
    await refused(hero.users.get({ username: 'shorty' }), 'not_found')
    await addProvider('short', { allow_signup: false })
    const next = new Person()
    await comeBy(next, stage, 'short', '')
    assert.equal(await whoIs(next, origin), undefined, 'the new provider knows no such subject')
  })

  test('a provider disabled or restricted during a sign-in signs nobody in', async () => {
    const { hero, origin } = stage
    await addProvider('narrow')
    for (const [fields, status] of [
      [{ enabled: false }, 400],
      [{ enabled: true, allow_signup: false }, 403],
      [{ allow_signup: true, allowed_domains: ['example.net'] }, 403],
    ] as const) {
      hostile.state.person = {
        sub: 'narrow-1',
        preferred_username: 'narrow',
        email: 'narrow@example.org',
        email_verified: true,
      }
      if ('allowed_domains' in fields) await hero.providers.update({ provider: 'narrow', allow_signup: true })
      const { person, page } = await signInDuring('narrow', () =>
        hero.providers.update({ provider: 'narrow', ...fields } as never),
      )
      await hero.providers.update({ provider: 'narrow', enabled: true, allow_signup: true })
      assert.equal(page.status, status, JSON.stringify(fields))
      assert.equal(await whoIs(person, origin), undefined, JSON.stringify(fields))
    }
  })

  test('managing providers is not enough to map groups or to claim identities added earlier', async () => {
    const { hero } = stage
    await hero.groups.add({ slug: 'vault' })
    await hero.groups.add({ slug: 'open' })
    const mapped = [{ value: 'theirs', group: 'vault' }]
    await addProvider('mapped', { groups_claim: 'groups', groups: mapped })
    const keeper = await hero.clients.add({
      name: 'Keeper',
      claims: ['proxy.oauth.write', 'proxy.oauth.read'],
      scopes: ['read', 'admin'],
    })
    const { access_token } = await hero.token.create({
      client_id: keeper.client,
      client_secret: keeper.client_secret!,
      scope: 'admin',
    })
    const as = hero.as(access_token)
    const added = { preset: 'oidc', issuer: hostile.issuer, client: 'hero', client_secret: 's' } as const
    for (const attempt of [
      () =>
        as.providers.add({
          own_callback: true,
          provider: 'mine',
          ...added,
          groups_claim: 'groups',
          groups: mapped,
        }),
      () => as.providers.update({ provider: 'sso', groups: mapped }),
      () => as.providers.update({ provider: 'sso', default_groups: ['vault'] }),
      () => as.providers.add({ provider: 'mine', ...added, default_groups: ['vault'] }),
      () => as.providers.update({ provider: 'mapped', groups: [{ value: 'mine', group: 'vault' }] }),
      // People may choose this claim themselves at the provider, and with it their group.
      () => as.providers.update({ provider: 'mapped', groups_claim: 'nickname' }),
    ])
      assert.deepEqual((await refused(attempt(), 'claim_required')).data.claims, ['proxy.groups.write'])
    await hero.users.identities.add({ user: 'ada', provider: 'later', subject: '1815' })
    const waiting = await refused(
      as.providers.add({ own_callback: true, provider: 'later', ...added }),
      'claim_required',
    )
    assert.deepEqual(waiting.data.claims, ['proxy.admin'])
    // A value that counts as a second factor lowers what the places of administrators ask for.
    for (const attempt of [
      () => as.providers.update({ provider: 'sso', second_factor_values: ['pwd'] }),
      () => as.providers.add({ provider: 'mine', ...added, second_factor_values: ['pwd'] }),
    ])
      assert.deepEqual((await refused(attempt(), 'claim_required')).data.claims, ['proxy.admin'])
    await as.providers.update({ provider: 'sso', second_factor_values: [] })
    // Changes that grant nothing need no further claim.
    await as.providers.update({ provider: 'mapped', title: 'Mapped', groups: mapped, groups_claim: 'groups' })
    await as.providers.update({ provider: 'mapped', groups: [] })
    await as.providers.update({ provider: 'mapped', groups_claim: 'roles' })
    await as.providers.add({ own_callback: true, provider: 'mine', ...added })
    await hero.providers.add({ own_callback: true, provider: 'later', ...added })
    await hero.providers.remove({ provider: 'mine' })
  })

  test('a subject with lone surrogates is refused, since two of them could be equal in the database', async () => {
    const { origin } = stage
    for (const sub of ['\ud800', '\ud801', 'a\udc00b']) {
      hostile.state.person = { sub, preferred_username: 'broken' }
      const person = new Person()
      const page = await comeBy(person, stage, 'sso', '')
      assert.equal(page.status, 502, page.text)
      assert.equal(await whoIs(person, origin), undefined)
    }
  })

  test('a renewal in flight neither restores a removed token nor replaces a newer one', async () => {
    const { daemon, hero } = stage
    await addProvider('keeping', { keep_tokens: true })
    hostile.state.person = { sub: 'keeping-1', preferred_username: 'keeping' }
    const kept = () =>
      byHand(daemon, (database) => database.query.selectFrom('provider_tokens').selectAll().execute())
    /** Applies a change while a token of this person is being renewed. */
    const renewDuring = async (change: () => Promise<unknown>) => {
      const person = new Person()
      await comeBy(person, stage, 'keeping', '')
      await byHand(daemon, async (database) => {
        await database.query.updateTable('provider_tokens').set({ expires_at: 1 }).execute()
        database.changed('providers')
      })
      let answer = () => {}
      const requested = new Promise<void>((resolve) =>
        hostile.misbehave({
          instead: (endpoint, _, response) => {
            if (endpoint !== 'token' || hostile.seen.at(-1)!.params.get('grant_type') !== 'refresh_token')
              return false
            const renewed = { access_token: 'at-renewed', token_type: 'Bearer', expires_in: 3600 }
            answer = () =>
              response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(renewed))
            resolve()
            return true
          },
        }),
      )
      const call = person.open(`${stage.origin}/rpc`, {
        method: 'POST',
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'auth.upstream_token',
          params: { provider: 'keeping' },
        }),
        headers: { 'content-type': 'application/json', origin: stage.origin },
      })
      await requested
      await change()
      answer()
      const { text } = await call
      hostile.misbehave({})
      return JSON.parse(text) as { result?: { access_token: string }; error?: { data: { code: string } } }
    }
    const off = await renewDuring(() => hero.providers.update({ provider: 'keeping', keep_tokens: false }))
    assert.equal(off.error?.data.code, 'not_found', JSON.stringify(off))
    assert.deepEqual(await kept(), [], 'turning keep_tokens off deletes all tokens')
    await hero.providers.update({ provider: 'keeping', keep_tokens: true })
    const later = await renewDuring(() => comeBy(new Person(), stage, 'keeping', ''))
    assert.match(later.result!.access_token, /^at-[0-9a-f]{8}-/, 'the token of the later sign-in')
    const [{ id } = { id: '' }] = (await hero.users.identities.list({ user: 'keeping' })).items
    const gone = await renewDuring(() => hero.users.identities.remove({ user: 'keeping', id }))
    assert.ok(gone.error)
    assert.deepEqual(await kept(), [])
  })

  test('a provider that forwards people to another one does not obtain a code of that one (mix-up)', async () => {
    const { hero, origin } = stage
    await using good = await startHostileProvider()
    const added = { preset: 'oidc', client: 'hero', client_secret: 's' } as const
    const { redirect_uri } = await hero.providers.add({
      own_callback: true,
      provider: 'good',
      issuer: good.issuer,
      ...added,
    })
    await hero.providers.add({ own_callback: true, provider: 'mixer', issuer: hostile.issuer, ...added })
    await hero.users.identities.add({ user: 'grace', provider: 'good', subject: '1' })
    good.misbehave({
      // Providers accept the registered redirect_uri only.
      instead: (endpoint, request, response) => {
        const requested = new URL(request.url!, good.issuer).searchParams.get('redirect_uri')
        if (endpoint !== 'authorize' || requested === redirect_uri) return false
        response.writeHead(400).end('another redirect_uri')
        return true
      },
    })
    for (const address of ['the redirect_uri of the other', 'its own redirect_uri']) {
      // The attacker starts a flow with the honest provider, and forwards the victim there with its parameters.
      let stops = true
      const owner = new Person((url) => stops && url.href.startsWith(`${good.issuer}/authorize`))
      const { url: authorize } = await owner.open(`${origin}/login?provider=good`)
      hostile.misbehave({
        instead: (endpoint, request, response) => {
          if (endpoint !== 'authorize') return false
          const requested = new URL(request.url!, hostile.issuer).searchParams
          const onward = new URL(authorize)
          onward.searchParams.set('state', requested.get('state')!)
          if (address === 'its own redirect_uri')
            onward.searchParams.set('redirect_uri', requested.get('redirect_uri')!)
          response.writeHead(302, { location: onward.href }).end()
          return true
        },
      })
      const page = await new Person().open(`${origin}/login?provider=mixer`)
      assert.ok(page.status >= 400)
      const code = hostile.seen.find(({ endpoint }) => endpoint === 'token')?.params.get('code')
      hostile.misbehave({})
      stops = false
      const back = new URLSearchParams({ state: authorize.searchParams.get('state')!, code: code ?? 'none' })
      await owner.open(`${redirect_uri}?${back}`)
      assert.equal(await whoIs(owner, origin), undefined, address)
      assert.equal(code, undefined, address)
    }
  })

  test('a second step that follows a provider is taken at home, and opens the service that asked', async () => {
    const { hero, origin } = stage
    const { port } = new URL(origin)
    await hero.proxy.routes.add({
      domain: 'half.localhost',
      target: upstream.target,
      auth_mode: 'oauth',
      provider: 'sso',
    })
    await hero.users.add({ username: 'hal', password: goodPassword })
    const secret = await enrol(await signedIn(stage.daemon, 'hal'))
    await hero.users.identities.add({ user: 'hal', provider: 'sso', subject: 'hal' })
    hostile.state.person = { sub: 'hal' }
    const half = `http://half.localhost:${port}`
    const person = new Person()
    const page = await person.open(`${half}/pages/1`)
    assert.equal(page.url.origin, origin)
    const count = upstream.seen.length
    const sent = await new Person(({ hostname }) => hostname === 'localhost').open(`${half}/auth/factor`, {
      method: 'POST',
      body: new URLSearchParams({
        form_token: /name="form_token" value="([^"]+)"/.exec(page.text)![1]!,
        sign_in: /name="sign_in" value="([^"]+)"/.exec(page.text)![1]!,
        code: codeOf(secret, 1),
      }).toString(),
      headers: {
        cookie: person.cookiesAt(new URL(origin)),
        'content-type': 'application/x-www-form-urlencoded',
        origin: half,
      },
    })
    // The path is that of the service, and an old form of ours leads home to sign in.
    assert.equal(sent.url.href.split('?')[0], `${origin}/auth/login`)
    assert.equal(upstream.seen.length, count)
    assert.equal(await whoIs(person, half), undefined)
    const done = await person.submit(page, '/auth/factor', { code: codeOf(secret, 1) })
    assert.equal(done.url.href, `${half}/pages/1`, done.text)
    assert.equal(await whoIs(person, half), 'hal')
    const headers = { cookie: person.cookiesAt(new URL(half)), accept: 'application/json' }
    const me = await new Person().open(`${origin}/auth/me`, {
      headers: { ...headers, 'sec-fetch-mode': 'cors' },
    })
    assert.equal(me.status, 401, me.text)
  })

  test('token lifetimes that are huge or fractional are accepted', async () => {
    await addProvider('odd', { keep_tokens: true })
    for (const expires_in of [1e300, 0.5, 3600.25]) {
      hostile.state.person = { sub: 'odd', preferred_username: 'odd' }
      hostile.misbehave({ token: (response) => ({ ...response, expires_in }) })
      const person = new Person()
      const page = await comeBy(person, stage, 'odd', '')
      assert.equal(await whoIs(person, stage.origin), 'odd', `${expires_in}: ${page.status}`)
    }
    hostile.misbehave({})
  })
})
