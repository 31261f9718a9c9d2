import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { Person } from '../support/person.ts'
import {
  App,
  atCallback,
  callback,
  newPerson,
  payloadOf,
  pkce,
  post,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'

suite('the device authorization grant (RFC 8628)', () => {
  let stage: Provider
  before(async () => {
    stage = await startProvider()
    const tv = { name: 'The television', public: true, grants: ['device_code'] as 'device_code'[] }
    await stage.daemon.hero.clients.add({ anyone: true, ...tv, client: 'tv' })
    await stage.daemon.hero.clients.add({ anyone: true, ...tv, client: 'radio' })
  })
  after(() => stage.daemon.close())

  const begin = async (client = 'tv', scope = 'openid profile') => {
    const { status, headers, body } = await post(`${stage.issuer}/oauth/device`, {
      client_id: client,
      scope,
    })
    assert.equal(status, 200)
    assert.equal(headers.get('cache-control'), 'no-store')
    const codes = body as unknown as Record<'device_code' | 'user_code' | 'verification_uri_complete', string>
    const poll = (client_id = client) =>
      post(`${stage.issuer}/token`, {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: codes.device_code,
        client_id,
      })
    return { ...codes, poll }
  }
  type Begun = Awaited<ReturnType<typeof begin>>
  const pending = async ({ poll }: Begun) => assert.equal((await poll()).body.error, 'authorization_pending')

  /** Enters the user code and returns the confirmation page. */
  const openConfirmation = async (person: Person, { user_code }: Begun) => {
    const page = await person.open(`${stage.issuer}/device`)
    return person.submit(page, '/device', { user_code })
  }
  const approve = async (person: Person, begun: Begun, login: string) => {
    let page = await person.submit(await openConfirmation(person, begun), '/device', { confirm: 'yes' })
    if (page.url.pathname === '/auth/login') page = await person.signIn(page, login, goodPassword)
    if (page.url.pathname.startsWith('/auth/consent/'))
      page = await person.submit(page, '/auth/consent/', { answer: 'allow' })
    return page
  }
  const formOf = (text: string) => ({
    xsrf: /name="xsrf" value="([^"]+)"/.exec(text)![1]!,
  })
  const postFrom = (person: Person, fields: Record<string, string>, headers = {}) =>
    person.open(`${stage.issuer}/device`, {
      method: 'POST',
      body: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    })

  test('opening verification_uri_complete shows the confirmation page and approves nothing', async () => {
    const begun = await begin()
    const person = newPerson()
    await approve(person, await begin(), 'ada')
    const opened = await person.open(begun.verification_uri_complete)
    await pending(begun)
    const confirm = await person.submit(opened, '', {})
    assert.match(confirm.text, /Is this your device\?/)
    assert.match(confirm.text, /The television/)
    await pending(begun)
  })

  test('a form without a valid session is shown again and can be submitted', async () => {
    for (const fields of [{}, { user_code: 'AAAA-BBBB' }, { xsrf: 'x', user_code: 'x' }]) {
      const person = newPerson()
      const page = await postFrom(person, fields as Record<string, string>)
      assert.equal(page.status, 400)
      const again = await person.submit(page, '/device', { user_code: 'AAAA-BBBB' })
      assert.match(again.text, /This code doesn’t exist/)
    }
    assert.equal((await newPerson().open(`${stage.issuer}/device/x`)).status, 400)
  })

  test('an approval is bound to the browser that entered the code', async () => {
    const begun = await begin()
    const [victim, attacker] = [newPerson(), newPerson()]
    await approve(victim, await begin(), 'ada')
    const page = await openConfirmation(attacker, begun)
    const { xsrf } = formOf(page.text)
    const forged = { user_code: begun.user_code, confirm: 'yes' }
    for (const fields of [forged, { ...forged, xsrf: '' }, { ...forged, xsrf }, { ...forged, xsrf: 'x' }]) {
      const answer = await postFrom(victim, fields, {
        'sec-fetch-site': 'cross-site',
        origin: 'https://evil.test',
      })
      assert.ok(answer.status >= 400, JSON.stringify(fields))
      assert.doesNotMatch(answer.text, /is signed in/)
    }
    await pending(begun)
    // The URL of the next step does not work in another browser either.
    const login = await attacker.submit(page, '/device', { confirm: 'yes' })
    assert.equal(login.url.pathname, '/auth/login')
    const consent = new URL(login.url.searchParams.get('return_to')!, stage.issuer)
    assert.equal((await victim.open(consent)).status, 400)
    const uid = consent.pathname.split('/').at(-1)!
    assert.ok((await victim.open(`${stage.issuer}/device/${uid}`)).status >= 400)
    await pending(begun)
  })

  test('a code signs in one device, once, as the first person who approves', async () => {
    const begun = await begin()
    assert.match((await approve(newPerson(), begun, 'grace')).text, /is signed in/)
    const second = await openConfirmation(newPerson(), begun)
    assert.match(second.text, /already used/)
    // Another client cannot redeem it, even after the approval.
    assert.equal((await begun.poll('radio')).body.error, 'invalid_grant')
    const answers = await Promise.all(Array.from({ length: 8 }, () => begun.poll()))
    const won = answers.filter(({ status }) => status === 200)
    assert.equal(won.length, 1)
    assert.equal(payloadOf(won[0]!.body.id_token).preferred_username, 'grace')
    assert.equal((await begun.poll()).body.error, 'invalid_grant')
  })

  test('a refusal on either page signs in no device', async () => {
    const refused = await begin()
    const person = newPerson()
    await person.submit(await openConfirmation(person, refused), '/device', { abort: 'yes' })
    assert.equal((await refused.poll()).body.error, 'access_denied')
    // The consent page offers a refusal too.
    const denied = await begin('radio')
    const other = newPerson()
    const login = await other.submit(await openConfirmation(other, denied), '/device', { confirm: 'yes' })
    const consent = await other.signIn(login, 'grace', goodPassword)
    await other.submit(consent, '/auth/consent/', { answer: 'refuse' })
    assert.equal((await denied.poll()).body.error, 'access_denied')
  })

  test('a device is not signed in when the account is deactivated before the device polls', async () => {
    const { hero } = stage.daemon
    await hero.users.add({ username: 'linus', email: 'linus@example.org', password: goodPassword })
    const begun = await begin()
    await approve(newPerson(), begun, 'linus')
    await hero.users.update({ username: 'linus', is_active: false })
    assert.equal((await begun.poll()).body.error, 'invalid_grant')
  })

  test('after a sign-out before the last step, the flow asks for a sign-in and continues as the new person', async () => {
    const { hero } = stage.daemon
    const own = { client: 'own-tv', name: 'Own', public: true, first_party: true }
    await hero.clients.add({
      anyone: true,
      ...own,
      redirect_uris: [callback],
      grants: ['device_code', 'authorization_code'],
    })
    const { code_verifier, challenge } = pkce()
    const app = new App(stage.issuer, { client: 'own-tv', client_secret: null })
    const begun = await begin('own-tv', 'openid offline_access')
    const ways = {
      '/authorize/': (person: Person) => person.open(app.authorizeUrl({ ...challenge, scope: 'openid' })),
      '/device/': async (person: Person) =>
        person.submit(await openConfirmation(person, begun), '/device', { confirm: 'yes' }),
    }
    for (const [last, way] of Object.entries(ways)) {
      let stays = true
      const person = new Person((url) => atCallback(url) || (stays && url.pathname.startsWith(last)))
      const { url } = await person.signIn(await way(person), 'grace', goodPassword)
      assert.ok(url.pathname.startsWith(last), url.pathname)
      await hero.sessions.revoke_all({ user: 'grace' })
      stays = false
      const page = await person.open(url)
      assert.equal(page.url.pathname, '/auth/login', last)
      await pending(begun)
      // The flow continues as the person who signs in there.
      const end = await person.signIn(page, 'ada', goodPassword)
      if (last === '/device/') assert.match(end.text, /is signed in/)
      else assert.equal((await app.redeem(end.url.searchParams.get('code')!, code_verifier)).status, 200)
    }
    const { sub } = payloadOf((await begun.poll()).body.id_token)
    assert.equal(sub, (await hero.users.get({ username: 'ada' })).id)
  })

  test('a form post without its session is refused and shows the form', async () => {
    for (const headers of [{}, { cookie: 'hero_proxy_openid=planted' }] as Record<string, string>[]) {
      const answer = await postFrom(newPerson(), { user_code: 'BCDF-GHJK', confirm: 'yes' }, headers)
      assert.equal(answer.status, 400)
      assert.match(answer.text, /Enter the code that the device shows/)
    }
  })

  test('a client without the device grant cannot start it', async () => {
    const { client } = await stage.daemon.hero.clients.add({
      anyone: true,
      name: 'page',
      public: true,
      redirect_uris: ['https://page.test/cb'],
    })
    const { status, body } = await post(`${stage.issuer}/oauth/device`, {
      client_id: client,
      scope: 'openid',
    })
    assert.equal(status, 400)
    assert.match(String(body.error), /^(unauthorized_client|invalid_request)$/)
    assert.equal('user_code' in body, false)
  })

  test('guessing user codes is limited for each person and network, and a correct code does not reset the limit', async (t) => {
    const person = newPerson()
    await approve(person, await begin(), 'grace')
    const own = await begin()
    const guess = async (who: Person, user_code: string) =>
      who.submit(await who.open(`${stage.issuer}/device`), '/device', { user_code })
    const guesses = async (who: Person) => {
      for (let wrong = 0; ; wrong++) {
        const page = await guess(who, 'BBBB-BBBB')
        if (page.status === 429) return { wrong, page }
        assert.match(page.text, /This code doesn’t exist/)
        // A correct code in between does not reset the count.
        if (wrong === 5) assert.match((await guess(who, own.user_code)).text, /Is this your device/)
        assert.ok(wrong < 20, 'no limit was reached')
      }
    }
    const { wrong, page } = await guesses(person)
    assert.equal(wrong, 10)
    assert.match(page.text, /Too many wrong codes\. Wait \d+ (seconds|minute)/)
    assert.match(page.headers.get('retry-after')!, /^[1-9]\d?$/)
    // Over the limit, a correct code is refused too: any other answer would reveal it.
    assert.equal((await guess(person, own.user_code)).status, 429)
    const again = newPerson()
    await again.signIn(await again.open(`${stage.issuer}/auth/login`), 'grace', goodPassword)
    assert.equal((await guess(again, own.user_code)).status, 429, 'the limit holds in another browser')
    // Without a session, guesses count against the network.
    assert.ok((await guesses(newPerson())).wrong <= 10)
    assert.equal((await guess(newPerson(), own.user_code)).status, 429)
    await pending(own)
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 })
    assert.match((await approve(person, await begin(), 'grace')).text, /is signed in/)
  })

  test('an expired code signs in no device', async (t) => {
    const old = await begin()
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 601_000 })
    assert.equal((await old.poll()).body.error, 'expired_token')
    assert.match((await openConfirmation(newPerson(), old)).text, /has expired/)
  })
})
