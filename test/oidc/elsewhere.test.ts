import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import {
  App,
  atCallback,
  callback,
  payloadOf,
  pkce,
  post,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'
import { Person } from '../support/person.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const network = { 'x-forwarded-for': '198.51.100.1' }

suite('a sign-in that another device opened', () => {
  let stage: Provider
  let upstream: Upstream
  let app: App
  let phone: Person
  before(async () => {
    upstream = await startUpstream()
    stage = await startProvider({ trusted_proxies: '127.0.0.1' })
    const { hero } = stage.daemon
    const anybody = { anyone: true, name: 'An application' }
    const scopes = ['openid', 'groups', 'claims', 'offline_access'] as const
    app = new App(
      stage.issuer,
      await hero.clients.add({
        ...anybody,
        redirect_uris: [callback],
        scopes: [...scopes],
      }),
    )
    await hero.clients.add({ ...anybody, client: 'tv', public: true, grants: ['device_code'] })
    const to = { target: upstream.target, auth_mode: 'local' as const }
    await hero.proxy.routes.add({ domain: 'wiki.localhost', ...to })
    await hero.proxy.routes.add({ domain: 'shy.localhost', ...to, confirm: true })
    await hero.groups.add({ slug: 'crew' })
    await hero.groups.add_member({ group: 'crew', user: 'ada' })
    await hero.groups.add_admin({ group: 'crew', user: 'ada' })
    await hero.proxy.routes.add({ domain: 'safe.localhost', ...to, proof_age: 3600 })
    phone = await ada()
  })
  after(async () => {
    await stage.daemon.close()
    await upstream.close()
  })

  const ada = async (person = new Person(atCallback, network)) => {
    await person.signIn(await person.open(`${stage.issuer}/auth/login`), 'ada', goodPassword)
    return person
  }
  const signInAnew = (browser: Person, page: Awaited<ReturnType<Person['open']>>) => {
    assert.equal(page.url.pathname, '/auth/login')
    assert.match(page.text, /Another device signed you in in this browser/)
    return browser.signIn(page, 'ada', goodPassword)
  }
  /** A browser in which ada is signed in by her phone. */
  const byPhone = async () => {
    const browser = new Person(atCallback, network)
    await browser.submit(await browser.open(`${stage.issuer}/auth/elsewhere`), '/auth/elsewhere', {})
    const browser_secret = /elsewhere=([\w-]{43})/.exec(browser.cookiesAt(new URL(stage.issuer)))![1]!
    const { link, digits } = await stage.daemon.hero.auth.look_elsewhere({ browser_secret })
    const found = await phone.submit(await phone.open(link!), '/auth/elsewhere/open', {})
    await phone.submit(found, '/auth/elsewhere/approve', { digits: digits! })
    const wait = await browser.open(`${stage.issuer}/auth/elsewhere/wait`)
    const { url } = await browser.submit(wait, '/auth/elsewhere/enter', {})
    assert.equal(url.pathname, '/')
    return browser
  }
  const at = (name: string) => `${stage.issuer.replace('localhost', name)}/`
  /** The claims that a service sees. */
  const claimsAt = async (browser: Person, name = 'wiki.localhost') => {
    upstream.seen.length = 0
    await browser.open(at(name))
    const headers = upstream.seen.at(-1)?.rawHeaders ?? []
    return headers[headers.findIndex((header) => header.toLowerCase() === 'x-hero-claims') + 1] ?? ''
  }
  const rpc = async (browser: Person, method: string, params: object) => {
    const { text } = await browser.open(`${stage.issuer}/rpc`, {
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      headers: { 'content-type': 'application/json', origin: stage.issuer },
    })
    const { error } = JSON.parse(text) as { error?: { data: { code: string; reason?: string } } }
    return error?.data.reason ?? error?.data.code
  }

  test('holds no claim of administrators at services or for methods, whatever is proved in it, until a new sign-in', async () => {
    assert.match(await claimsAt(await ada()), /(^|,)groups\.admin(,|$)/)
    assert.match(await claimsAt(await ada()), /(^|,)groups\.crew\.admin(,|$)/)
    const browser = await byPhone()
    const less = await claimsAt(browser)
    assert.match(less, /(^|,)users\.ada(,|$)/)
    assert.match(less, /(^|,)groups\.crew(,|$)/)
    assert.doesNotMatch(less, /(^|,)(groups\.admin|groups\.crew\.admin|admin|proxy\.)/)
    assert.equal(await rpc(browser, 'settings.list', {}), 'proof_required')
    assert.equal(await rpc(browser, 'auth.prove', { password: goodPassword }), 'elsewhere_proves_nothing')
    assert.equal(await rpc(browser, 'auth.me', {}), undefined)
    assert.equal(await rpc(browser, 'settings.list', {}), 'proof_required')
    assert.equal(await claimsAt(browser), less)
    await stage.daemon.hero.settings.set({ key: 'admin_factor', value: true })
    assert.equal(await claimsAt(browser), less)
    await stage.daemon.hero.settings.set({ key: 'admin_factor', value: false })
    const asked = await browser.open(`${stage.issuer}/auth/prove?return_to=%2Fauth%2Fsessions`)
    const { url } = await signInAnew(browser, asked)
    assert.equal(url.pathname, '/auth/sessions')
    assert.match(await claimsAt(browser), /(^|,)groups\.admin(,|$)/)
    assert.equal(await rpc(browser, 'settings.list', {}), undefined)
    const { items } = await stage.daemon.hero.sessions.list({ user: 'ada' })
    assert.ok(items.every((session) => !session.by_another_device))
  })

  test('does not open a place that asks for a recent proof; a new sign-in does', async () => {
    const browser = await byPhone()
    const asked = await browser.open(at('safe.localhost'))
    await signInAnew(browser, asked)
    assert.equal((await browser.open(at('safe.localhost'))).url.hostname, 'safe.localhost')
  })

  test('makes no token, and exports nothing', async () => {
    const browser = await byPhone()
    for (const [method, params] of [
      ['token.create', { name: 'script', scope: 'read' }],
      ['auth.export', {}],
      ['factors.add_totp', {}],
      ['auth.change_email', { email: 'thief@example.org' }],
      ['users.identities.link', { link: 'x'.repeat(43) }],
    ] as const)
      assert.equal(await rpc(browser, method, params), 'proof_required', method)
    const tokens = await browser.open(`${stage.issuer}/auth/tokens`)
    const form = { name: 'script', scope: 'read', days: '7' }
    await signInAnew(browser, await browser.submit(tokens, '/auth/account/make_token', form))
  })

  test('takes no token of a provider, changes nothing, and ends nothing but itself', async () => {
    await stage.daemon.hero.providers.add({
      provider: 'forge',
      preset: 'github',
      client: 'c',
      client_secret: 's',
    })
    const browser = await byPhone()
    const { items } = await stage.daemon.hero.sessions.list({ user: 'ada' })
    const own = items.find((one) => one.by_another_device)!.id
    const others = items.find((one) => !one.by_another_device)!.id
    for (const [method, params] of [
      ['auth.upstream_token', { provider: 'forge' }],
      ['sessions.revoke', { id: others }],
      ['sessions.revoke_all', {}],
      ['consents.revoke', { client: app.client.client }],
      ['token.revoke', { id: 'x'.repeat(20) }],
      ['sessions.trusted.revoke', { id: others }],
      ['users.update', { username: 'ada', display_name: 'Thief' }],
      ['users.set_picture', { user: 'ada', picture: null }],
    ] as const)
      assert.equal(await rpc(browser, method, params), 'elsewhere_proves_nothing', method)
    const list = await browser.open(`${stage.issuer}/auth/account/revoke_all`)
    const answer = await browser.submit(list, '/auth/account/revoke_all', {})
    assert.match(answer.text, /Another device opened this sign-in. To do this, sign in here yourself/)
    assert.equal((await phone.open(`${stage.issuer}/auth/me`)).url.pathname, '/auth/me')
    assert.equal(await rpc(browser, 'sessions.revoke', { id: own }), undefined)
    assert.equal(await rpc(browser, 'auth.me', {}), 'unauthenticated')
  })

  test('confirms for no service, and leaves an enrolment link unused', async () => {
    const browser = await byPhone()
    await signInAnew(browser, await browser.open(at('shy.localhost')))
    const next = await browser.open(at('shy.localhost'))
    assert.match(next.text, /action="\/auth\/come_back"/, 'asked for the first time now')
    const other = await byPhone()
    const { link } = await stage.daemon.hero.users.enrolment_link({ user: 'ada' })
    const asked = await other.submit(await other.open(link), '/auth/enrol', {})
    const { url } = await signInAnew(other, asked)
    assert.equal(url.href, link)
    assert.equal(
      (await other.submit(await other.open(link), '/auth/enrol', {})).url.pathname,
      '/auth/security',
    )
  })

  test('consents to nothing; what was consented to before says acr 0, and ends with the session', async () => {
    const scope = 'openid groups claims offline_access'
    const browser = await byPhone()
    const asked = await browser.open(app.authorizeUrl({ scope, ...pkce().challenge }))
    const consent = await signInAnew(browser, asked)
    assert.match(consent.url.pathname, /^\/auth\/consent\//)
    await app.tokens(phone, 'ada', { scope })
    const other = await byPhone()
    const { body } = await app.tokens(other, 'nobody signs in', { scope })
    const claims = payloadOf(body.id_token) as { acr: string; amr?: unknown; groups?: string[] }
    assert.equal(claims.acr, '0')
    assert.ok(!(claims.groups ?? []).includes('admin'), JSON.stringify(claims))
    assert.doesNotMatch(JSON.stringify(claims), /"(groups\.admin|admin|proxy\.[a-z.]+)"/)
    const info = JSON.stringify(await (await app.userinfo(body.access_token)).json())
    assert.doesNotMatch(info, /"(groups\.admin|admin|proxy\.[a-z.]+)"/)
    const { body: renewed } = await app.refresh(body.refresh_token)
    assert.doesNotMatch(JSON.stringify(payloadOf(renewed.id_token)), /"(groups\.admin|admin|proxy\.[a-z.]+)"/)
    const { items } = await stage.daemon.hero.sessions.list({ user: 'ada' })
    await stage.daemon.hero.sessions.revoke({ id: items.find((one) => one.by_another_device)!.id })
    assert.equal((await app.refresh(renewed.refresh_token)).status, 400)
  })

  test('approves no device until a new sign-in', async () => {
    const { body } = await post(`${stage.issuer}/oauth/device`, { client_id: 'tv', scope: 'openid' })
    const { user_code, device_code } = body as unknown as Record<'user_code' | 'device_code', string>
    const poll = async () => {
      const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
      return (await post(`${stage.issuer}/token`, { grant_type, device_code, client_id: 'tv' })).body
    }
    const browser = await byPhone()
    const typed = await browser.submit(await browser.open(`${stage.issuer}/device`), '/device', { user_code })
    const asked = await browser.submit(typed, '/device', { confirm: 'yes' })
    assert.equal(asked.url.pathname, '/auth/login')
    assert.equal((await poll()).error, 'authorization_pending')
    let page = await signInAnew(browser, asked)
    if (page.url.pathname.startsWith('/auth/consent/'))
      page = await browser.submit(page, '/auth/consent/', { answer: 'allow' })
    const { access_token } = await poll()
    assert.equal(typeof access_token, 'string')
  })
})
