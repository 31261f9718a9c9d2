import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Authenticator } from '../../support/authenticator.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../../support/daemon.ts'
import { freePort } from '../../support/free_port.ts'
import { ask } from '../../support/http.ts'
import { byHand, signedIn } from '../../support/people.ts'
import { Person } from '../../support/person.ts'
import { startUpstream, type Upstream } from '../../support/upstream.ts'

type RequestOptions = { challenge: string; rpId: string }

/** The options in the form of a page that asks for passkeys of a host. */
const optionsIn = (text: string, host: string): RequestOptions => {
  const found = [...text.matchAll(/data-options="([^"]*)"/g)]
    .map(([, json]) => JSON.parse(json!.replaceAll('&quot;', '"')) as RequestOptions)
    .find(({ rpId }) => rpId === host)
  assert.ok(found, `no passkey of ${host} in: ${text}`)
  return found
}

describe('after the public URL has changed', () => {
  let daemon: TestDaemon
  let upstream: Upstream
  let port: number
  let key: Authenticator
  let home: string
  let old: string
  const [homeHost, oldHost] = ['id.localhost', 'old.localhost']

  before(async () => {
    port = await freePort()
    home = `http://${homeHost}:${port}`
    old = `http://${oldHost}:${port}`
    upstream = await startUpstream()
    daemon = await startTestDaemon({ listen: `127.0.0.1:${port}`, public_url: old })
    const { hero } = daemon
    for (const username of ['ada', 'bob']) await hero.users.add({ username, password: goodPassword })
    await hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: upstream.target,
      auth_mode: 'local',
    })
    await hero.proxy.routes.add({ domain: '*.localhost', target: upstream.target, auth_mode: 'none' })
    const ada = await signedIn(daemon, 'ada')
    key = new Authenticator(old)
    const attestation = key.create(await ada.factors.passkey_options())
    await ada.factors.add_passkey({ name: 'Laptop', attestation })
    daemon = await daemon.restart({ public_url: home, previous_public_urls: old })
  })
  after(async () => {
    await daemon?.close()
    await upstream?.close()
  })

  const at = (host: string, path: string, headers: string[] = []) =>
    ask(daemon, `${host}:${port}`, path, { headers: ['Accept', 'text/html', ...headers] })

  /** Begins at home, as a browser without related origins, and returns the page at the old host. */
  const away = async (person: Person) => {
    const page = await person.open(`${home}/auth/login?return_to=/auth/passkeys`)
    const form = {
      ...page,
      text: page.text.replaceAll('action="/auth/passkey"', 'action="/auth/passkey/begin"'),
    }
    return person.submit(form, '/auth/passkey/begin', { rp_id: oldHost })
  }
  /** Uses the passkey at the old host, and returns the address at home with the code, which stays unused. */
  const codeOf = async (person: Person, answer = key.get.bind(key)) => {
    const page = await away(person)
    assert.equal(page.url.origin + page.url.pathname, `${old}/.hero_proxy/passkey`)
    assert.equal(person.cookiesAt(page.url), '', 'the old host sets no cookie')
    const begun = page.url.searchParams.get('begun')!
    const stopped = await ask(daemon, `${oldHost}:${port}`, '/.hero_proxy/passkey', {
      method: 'POST',
      headers: ['Content-Type', 'application/x-www-form-urlencoded', 'Origin', old, 'Accept', 'text/html'],
      body: new URLSearchParams({ begun, answer: answer(optionsIn(page.text, oldHost)) }).toString(),
    })
    assert.equal(stopped.headers['set-cookie'], undefined)
    return /url=([^"]+)"/.exec(stopped.body)?.[1] ?? `${stopped.status}`
  }

  test('its host names home as a related origin, and leads people home', async () => {
    const { body, headers } = await at(oldHost, '/.well-known/webauthn')
    assert.deepEqual(JSON.parse(body), { origins: [home] })
    assert.equal(headers['content-type'], 'application/json')
    for (const path of [
      '/',
      '/auth/login?return_to=/x',
      '//double//x?y',
      '/auth/reset?token=t',
      '/rpc',
      '/.hero_proxy/arrive',
    ])
      assert.equal((await at(oldHost, path)).headers.location, home + path)
    const program = await ask(daemon, `${oldHost}:${port}`, '/auth/me')
    assert.deepEqual([program.status, program.headers['content-type']], [404, 'application/problem+json'])
    for (const method of ['POST', 'PUT', 'OPTIONS']) {
      const { status, headers: answered } = await ask(daemon, `${oldHost}:${port}`, '/rpc', {
        method,
        headers: ['Origin', home],
      })
      assert.equal(status, 404, method)
      assert.equal(answered['access-control-allow-origin'], undefined)
    }
    const upgrade = ['Connection', 'Upgrade', 'Upgrade', 'websocket']
    assert.equal((await at(oldHost, '/', upgrade)).status, 404)
    assert.match((await at(oldHost, '/sw.js', ['Service-Worker', 'script'])).body, /unregister/)
    assert.equal(upstream.seen.length, 0, 'no wildcard covers it')
  })

  test('no handover leads there, and its sessions have ended', async () => {
    const person = new Person()
    await person.signIn(await person.open(`${home}/auth/login`), 'bob', goodPassword)
    const service = encodeURIComponent(`${old}/`)
    const refused = await person.open(`${home}/auth/login?service=${service}&arrival=${'0'.repeat(64)}`)
    assert.equal(refused.status, 400)
  })

  test('a passkey of the old name signs in at home, with related origins', async () => {
    const person = new Person()
    const page = await person.open(`${home}/auth/login?return_to=/auth/passkeys`)
    const answer = key.get(optionsIn(page.text, oldHost), { origin: home })
    const entered = await person.submit(page, '/auth/passkey', { answer })
    assert.equal(entered.url.href, `${home}/auth/passkeys`)
    assert.match(entered.text, /belongs to old\.localhost/, 'people see which passkeys depend on it')
  })

  test('and without them by the page of the old host', async () => {
    const person = new Person()
    const to = await codeOf(person)
    assert.match(to, new RegExp(`^${home}/auth/passkey/arrive\\?code=[A-Za-z0-9_-]{43}$`))
    const entered = await person.open(to)
    assert.equal(entered.url.href, `${home}/auth/passkeys`)
    assert.match(entered.text, /Laptop/)
  })

  test('a fresh proof takes it, too', async () => {
    const person = new Person()
    await person.open(await codeOf(person))
    const page = await person.open(`${home}/auth/prove?return_to=/auth/security`)
    const form = {
      ...page,
      text: page.text.replaceAll(
        'action="/auth/prove" data-passkey',
        'action="/auth/passkey/begin" data-passkey',
      ),
    }
    const asked = await person.submit(form, '/auth/passkey/begin', {})
    const answer = key.get(optionsIn(asked.text, oldHost))
    await byHand(daemon, ({ query }) => query.updateTable('sessions').set({ proven_at: 1 }).execute())
    const back = await person.submit(asked, '/.hero_proxy/passkey', { answer })
    assert.equal(back.url.href, `${home}/auth/security`)
    const proven = await byHand(daemon, ({ query }) =>
      query.selectFrom('sessions').select('id').where('proven_at', '>', 1).execute(),
    )
    assert.equal(proven.length, 1)
  })

  const refuses = async (person: Person, address: string) => {
    const { status, text } = await person.open(address)
    assert.equal(status, 401)
    assert.match(text, /not accepted/)
    assert.doesNotMatch(person.cookiesAt(new URL(home)), /session/)
  }

  test('a code counts once', async () => {
    const person = new Person()
    const to = await codeOf(person)
    const [first, ...others] = await Promise.all(
      Array.from({ length: 20 }, () =>
        ask(daemon, `${homeHost}:${port}`, new URL(to).pathname + new URL(to).search, {
          headers: ['Accept', 'text/html', 'Cookie', person.cookiesAt(new URL(home))],
        }),
      ),
    )
    const entered = [first!, ...others].filter(({ status }) => status === 303)
    assert.equal(entered.length, 1)
    await refuses(person, to)
  })

  test('a code of another browser is used up by showing it', async () => {
    const victim = new Person()
    await away(victim)
    const attacker = new Person()
    const to = await codeOf(attacker)
    await refuses(victim, to)
    await refuses(attacker, to)
    const guest = new Person()
    const again = await codeOf(attacker)
    await refuses(guest, again)
    await refuses(attacker, again)
  })

  test('a script, a picture or HEAD does not use a code up', async () => {
    const person = new Person()
    const to = new URL(await codeOf(person))
    const cookie = ['Cookie', person.cookiesAt(to)]
    for (const more of [
      ['Sec-Fetch-Mode', 'no-cors'],
      ['Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Dest', 'iframe'],
      ['Sec-Fetch-Mode', 'navigate', 'Sec-Purpose', 'prefetch'],
    ])
      assert.equal((await at(homeHost, to.pathname + to.search, [...more, ...cookie])).status, 401)
    await ask(daemon, `${homeHost}:${port}`, to.pathname + to.search, { method: 'HEAD', headers: cookie })
    assert.equal((await person.open(to)).url.href, `${home}/auth/passkeys`)
  })

  test('an answer for another name, origin, host or beginning makes no code', async () => {
    const refused = async (answer: (options: RequestOptions) => string) =>
      assert.equal(await codeOf(new Person(), answer as typeof key.get), '401')
    await refused((options) => key.get(options, { rpId: 'localhost' }))
    await refused((options) => key.get(options, { rpId: homeHost }))
    for (const origin of [
      home,
      `http://wiki.localhost:${port}`,
      `https://${oldHost}:${port}`,
      'http://localhost',
    ])
      await refused((options) => key.get(options, { origin }))
    const other = optionsIn((await away(new Person())).text, oldHost)
    await refused(() => key.get(other))
    const own = (await daemon.hero.auth.passkey_options({ rp_id: oldHost })) as RequestOptions
    await refused(() => key.get(own))
    const page = await away(new Person())
    const begun = page.url.searchParams.get('begun')!
    for (const host of ['wiki.localhost', 'x.localhost', homeHost]) {
      const { body } = await at(host, `/.hero_proxy/passkey?begun=${encodeURIComponent(begun)}`)
      assert.doesNotMatch(body, /data-options/, host)
    }
    assert.equal((await at(oldHost, `/.hero_proxy/passkey?begun=${'x'.repeat(80)}`)).status, 401)
    // A form of another site.
    const posted = await ask(daemon, `${oldHost}:${port}`, '/.hero_proxy/passkey', {
      method: 'POST',
      headers: [
        'Content-Type',
        'application/x-www-form-urlencoded',
        'Origin',
        `http://wiki.localhost:${port}`,
      ],
      body: new URLSearchParams({ begun, answer: key.get(optionsIn(page.text, oldHost)) }).toString(),
    })
    assert.equal(posted.status, 401)
  })

  test('a passkey of the old name counts at home by its own name only', async () => {
    const { hero } = daemon
    const options = (await hero.auth.passkey_options({})) as RequestOptions
    assert.equal(options.rpId, oldHost, 'the first name stays')
    for (const rpId of ['localhost', homeHost])
      await assert.rejects(
        hero.auth.login_by_passkey({ assertion: key.get(options, { origin: home, rpId }) }),
        /not accepted/,
      )
    await assert.rejects(
      hero.auth.login_by_passkey({ assertion: key.get(options, { origin: old }) }),
      /not accepted/,
      'the old origin counts at the page of the old host only',
    )
    for (const rp_id of ['localhost', 'wiki.localhost', 'example.org'])
      await assert.rejects(hero.auth.passkey_options({ rp_id }), /previous_public_urls/)
    for (const given of [{}, { assertion: 'xx', passkey_code: 'xx' }, { passkey_code: 'xx' }])
      await assert.rejects(hero.auth.login_by_passkey(given))
  })

  test('another name is an administrator’s choice, and the old passkeys keep theirs', async () => {
    const { hero } = daemon
    await assert.rejects(hero.settings.set({ key: 'passkey_rp_id', value: 'localhost' }))
    await hero.settings.set({ key: 'passkey_rp_id', value: homeHost })
    const bob = await signedIn(daemon, 'bob')
    const bobs = new Authenticator(home)
    const creation = await bob.factors.passkey_options()
    assert.equal(creation.rp.id, homeHost)
    await bob.factors.add_passkey({ name: 'New', attestation: bobs.create(creation) })
    const page = await new Person().open(`${home}/auth/login`)
    assert.match(page.text, /Use a passkey of old\.localhost/)
    optionsIn(page.text, homeHost)
    const bobsAnswer = bobs.get((await hero.auth.passkey_options({})) as RequestOptions)
    assert.equal((await hero.auth.login_by_passkey({ assertion: bobsAnswer })).user, 'bob')
    const person = new Person()
    assert.equal((await person.open(await codeOf(person))).url.href, `${home}/auth/passkeys`)
    await hero.settings.set({ key: 'passkey_rp_id', value: '' })
  })

  test('the start and doctor say how many passkeys depend on it, and routes there are refused', async () => {
    const { hero } = daemon
    const { checks } = await hero.doctor.checks()
    const found = checks.find(({ check }) => check === 'previous_names')!
    assert.match(found.text, /1 on old\.localhost/)
    assert.match(found.advice!, /before its domain is given up/)
    const { target } = upstream
    await assert.rejects(
      hero.proxy.routes.add({ domain: oldHost, target, auth_mode: 'none', shares_home: true }),
      /earlier public URL/,
    )
    await assert.rejects(
      hero.proxy.routes.add({ domain: 'new.localhost', target, auth_mode: 'local', also: [oldHost] }),
    )
  })

  // The last test, because the daemon starts again with other names.
  test('once the name is given up, its passkeys count nowhere', async () => {
    daemon = await daemon.restart({
      public_url: home,
      previous_public_urls: `http://older.localhost:${port}`,
    })
    const { hero } = daemon
    const options = (await hero.auth.passkey_options({})) as RequestOptions
    assert.equal(options.rpId, homeHost)
    const assertion = key.get({ ...options, rpId: oldHost }, { origin: home })
    await assert.rejects(hero.auth.login_by_passkey({ assertion }), /not accepted/)
    const { checks } = await hero.doctor.checks()
    assert.match(
      checks.find(({ check }) => check === 'previous_names')!.text,
      /cannot be used.*: 1 of old\.localhost/,
    )
  })
})

describe('the start', () => {
  test('ends sign-ins that were opened at another host, with their children', async () => {
    const port = await freePort()
    await using upstream = await startUpstream()
    let daemon: TestDaemon = await startTestDaemon({
      listen: `127.0.0.1:${port}`,
      public_url: `http://localhost:${port}`,
    })
    try {
      const { target } = upstream
      await daemon.hero.users.add({ username: 'ada', password: goodPassword })
      await daemon.hero.proxy.routes.add({ domain: 'wiki.localhost', target, auth_mode: 'local' })
      const wiki = `http://wiki.localhost:${port}/page`
      const person = new Person()
      await person.signIn(await person.open(wiki), 'ada', goodPassword)
      assert.equal((await person.open(wiki)).url.href, wiki)
      // A row from before this was kept was opened at home.
      await byHand(daemon, ({ query }) => query.updateTable('sessions').set({ home: '' }).execute())
      daemon = await daemon.restart()
      assert.equal((await person.open(wiki)).url.href, wiki)
      const { access_token } = await daemon.hero.auth.login({ login: 'ada', password: goodPassword })
      daemon = await daemon.restart({
        public_url: `http://id.localhost:${port}`,
        previous_public_urls: `http://localhost:${port}`,
      })
      assert.match((await person.open(wiki)).url.href, /^http:\/\/id\.localhost:\d+\/auth\/login\?service=/)
      // The sessions of programs have no host.
      await daemon.hero.as(access_token).auth.me()
    } finally {
      await daemon.close()
    }
  })

  test('refuses an earlier URL at home’s host or at the host of an enabled route', async () => {
    await assert.rejects(
      startTestDaemon({
        public_url: 'https://id.example.org',
        previous_public_urls: 'http://ID.example.org:8080',
      }),
      /^ConfigError: previous_public_urls: http:\/\/id\.example\.org:8080 has the host of public_url[^\n]*$/,
    )
    let daemon: TestDaemon = await startTestDaemon({ public_url: 'https://id.example.org' })
    const { port } = daemon.edge
    const { id } = await daemon.hero.proxy.routes.add({
      domain: 'old.example.org',
      target: 'http://127.0.0.1:9',
      auth_mode: 'none',
    })
    const restarted = () => daemon.restart({ previous_public_urls: 'https://old.example.org' })
    await assert.rejects(
      restarted(),
      /^Error: previous_public_urls: the route old-example-org has the host [^\n]*$/,
    )
    daemon = await startTestDaemon(
      { public_url: 'https://id.example.org', listen: `127.0.0.1:${port}` },
      daemon.dir,
    )
    try {
      await daemon.hero.proxy.routes.update({ id, enabled: false })
      daemon = await restarted()
      await assert.rejects(daemon.hero.proxy.routes.update({ id, enabled: true }), /earlier public URL/)
      await daemon.hero.proxy.routes.update({ id, title: 'Old' })
      await daemon.hero.proxy.routes.remove({ id })
    } finally {
      await daemon.close()
    }
  })
})
