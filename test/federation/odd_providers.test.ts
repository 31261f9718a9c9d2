import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { jwtVerify } from 'jose'
import { fitsTemplate } from '../../src/providers/issuer_template.ts'
import { App, callback, newPerson, pkce } from '../support/openid_stage.ts'
import { refused } from '../support/refused.ts'
import { Person } from '../support/person.ts'
import { startHostileProvider, type HostileProvider, type Ways } from '../support/hostile_provider.ts'
import {
  comeBy,
  cookieNames,
  startRelying,
  whoIs,
  type NewProvider,
  type Stage,
} from '../support/provider_stage.ts'

// Providers that are honest, and different from the books.

describe('providers with habits of their own', () => {
  let stage: Stage
  let oidc: HostileProvider
  let plain: HostileProvider
  let version = 0
  before(async () => {
    stage = await startRelying()
    oidc = await startHostileProvider()
    plain = await startHostileProvider('oauth2')
    for (const slug of ['editors', 'admins-there']) await stage.hero.groups.add({ slug })
  })
  after(async () => {
    await oidc.close()
    await plain.close()
    await stage.daemon.close()
  })

  const add = async (more: Partial<NewProvider> = {}) => {
    const provider = `odd-${++version}`
    await stage.hero.providers.add({
      own_callback: true,
      provider,
      preset: 'oidc',
      title: 'The odd one',
      client: 'hero',
      client_secret: 'a secret of ours',
      ...(more.preset === 'oauth2'
        ? {
            authorization_endpoint: `${plain.issuer}/authorize`,
            token_endpoint: `${plain.issuer}/token`,
            userinfo_endpoint: `${plain.issuer}/userinfo`,
          }
        : { issuer: oidc.issuer }),
      ...more,
    })
    await stage.hero.users.identities.add({ user: 'grace', provider, subject: '1' })
    return provider
  }
  const come = async (ways: Ways, more: Partial<NewProvider> = {}) => {
    const peer = more.preset === 'oauth2' ? plain : oidc
    peer.misbehave(ways)
    const provider = await add(more)
    const person = new Person()
    const page = await comeBy(person, stage, provider, '', '/auth/me?went=on')
    return { provider, person, page, user: await whoIs(person, stage.origin) }
  }
  const signsIn = async (ways: Ways, more: Partial<NewProvider> = {}) => {
    const { user, page, provider } = await come(ways, more)
    assert.equal(user, 'grace', page.text)
    return provider
  }

  test('a plain OAuth 2.0 server may send an ID token that nobody asked for', async () => {
    for (const id_token of ['not.a.token', plain.jwt({ iss: 'https://elsewhere.test', sub: '2' }), null])
      await signsIn({ token: (response) => ({ ...response, id_token }) }, { preset: 'oauth2' })
  })

  test('null and "" in optional members, and no token_type, count as missing', async () => {
    const token: Ways['token'] = ({ token_type: _, ...response }) => ({
      ...response,
      refresh_token: null,
      scope: '',
      expires_in: '3600',
    })
    await signsIn({ token })
    await signsIn({
      token: (response) => ({ ...(token(response) as object), expires_in: null, token_type: '' }),
    })
    await signsIn({ token }, { preset: 'oauth2' })
    await signsIn({
      discovery: (metadata) => ({
        ...metadata,
        userinfo_endpoint: null,
        end_session_endpoint: '',
        scopes_supported: null,
      }),
      claims: (claims) => ({ ...claims, azp: '', sid: null, email: null, groups: null }),
    })
    const { user } = await come({ token: ({ access_token: _, ...response }) => response })
    assert.equal(user, undefined)
  })

  test('the page reports an error by its value, and only access_denied means that the person declined', async () => {
    const answering = (error: string) => (answer: URLSearchParams) => {
      answer.delete('code')
      answer.set('error', error)
    }
    for (const [error, words] of [
      ['access_denied', /you stopped the sign-in or are not allowed/],
      ['invalid_scope', /answered with the error “invalid_scope”/],
      ['consent_required', /answered with the error “consent_required”/],
      ['temporarily_unavailable', /can’t sign anybody in at the moment/],
      ['unauthorized_client', /rejected our client_id or secret/],
      ['<b>your account is locked, call 555</b>', /answered with the error “\?”/],
    ] as const) {
      const { user, page } = await come({ back: answering(error) })
      assert.equal(user, undefined)
      assert.match(page.text, words)
      assert.doesNotMatch(page.text, /<b>your|call 555/)
    }
  })

  test('unfinished sign-ins keep the newest few cookies, and the newest works', async () => {
    const provider = await add()
    oidc.misbehave({})
    const person = new Person(({ origin }) => origin === oidc.issuer)
    const begun: URL[] = []
    for (let i = 0; i < 10; i++)
      begun.push((await person.open(`${stage.origin}/login?provider=${provider}`)).url)
    const flows = () => cookieNames(person, stage.origin).filter((name) => /_flow_/.test(name))
    assert.equal(flows().length, 5)
    const finish = async (url: URL) => {
      const answer = await fetch(url, { redirect: 'manual' })
      return person.open(answer.headers.get('location')!)
    }
    assert.equal((await finish(begun[0]!)).status, 400)
    assert.equal((await finish(begun[9]!)).status, 200)
    assert.equal(await whoIs(person, stage.origin), 'grace')
    assert.equal(flows().length, 4)
  })

  test('email_verified may be text or a number, and a silent provider is trusted only with email_trusted', async () => {
    let count = 0
    const verifiedAs = async (claims: object, more: Partial<NewProvider> = {}) => {
      const email = `person-${++count}@example.org`
      oidc.state.person = { sub: `new-${count}`, email, preferred_username: `person-${count}`, ...claims }
      const { user } = await come({}, { allow_signup: true, allowed_domains: ['example.org'], ...more })
      return user !== undefined
    }
    for (const email_verified of [true, 'true', 'True', 1, '1'])
      assert.equal(await verifiedAs({ email_verified }), true, String(email_verified))
    const doubtful = [false, 'false', 0, 'yes', 2, {}, [true]]
    for (const email_verified of doubtful)
      for (const email_trusted of [false, true])
        assert.equal(await verifiedAs({ email_verified }, { email_trusted }), false, String(email_verified))
    for (const silent of [{}, { email_verified: null }]) {
      assert.equal(await verifiedAs(silent), false)
      assert.equal(await verifiedAs(silent, { email_trusted: true }), true)
    }
    await refused(
      add({ issuer: 'https://login.microsoftonline.com/common/v2.0', email_trusted: true }),
      'invalid_params',
      'email_trusted',
    )
    oidc.state.person = {
      sub: '1',
      email: 'grace@example.org',
      email_verified: true,
      preferred_username: 'grace',
    }
  })

  test('groups stand at a path, in objects, as keys or in a text', async () => {
    const groups = [
      { value: 'editors', group: 'editors' },
      { value: '17', group: 'admins-there' },
    ]
    const groupsWith = async (claims: object, groups_claim: string) => {
      oidc.state.person = { sub: '1', ...claims }
      const provider = await signsIn({}, { groups_claim, groups })
      const { items } = await stage.hero.groups.members({ group: 'editors' })
      await stage.hero.providers.remove({ provider })
      return items.some(({ user }) => user === 'grace')
    }
    for (const [claims, at] of [
      [{ realm_access: { roles: ['x', 'editors'] } }, 'realm_access.roles'],
      [{ resource_access: { 'hero.app': { roles: ['editors'] } } }, 'resource_access.hero.app.roles'],
      [{ 'https://example.org/groups': ['editors'] }, 'https://example.org/groups'],
      [{ groups: [{ id: 3, name: 'editors' }] }, 'groups'],
      [{ groups: [{ id: 'editors', name: 'Editors' }] }, 'groups.id'],
      [{ roles: { editors: { org: 'x' }, viewers: {} } }, 'roles'],
      [{ groups: 'viewers, editors' }, 'groups'],
      [{ groups: 'editors' }, 'groups'],
    ] as const)
      assert.equal(await groupsWith(claims, at), true, JSON.stringify(claims))
    for (const [claims, at] of [
      [{ groups: ['my,editors'] }, 'groups'],
      [{ roles: { editors: false } }, 'roles'],
      [{ groups: 'CN=x,editors' }, 'groups'],
      [{}, 'constructor.name'],
      [{ groups: [[['editors']]] }, 'groups'],
    ] as const)
      assert.equal(await groupsWith(claims, at), false, JSON.stringify(claims))
    oidc.state.person = {
      sub: '1',
      email: 'grace@example.org',
      email_verified: true,
      preferred_username: 'grace',
    }
  })

  test('providers.test shows what arrived for a user, and what is read from it now', async () => {
    const { hero } = stage
    oidc.state.person = {
      sub: '1',
      email: 'grace@example.org',
      realm_access: { roles: ['editors', 'x'] },
      note: 'y'.repeat(2000),
    }
    const provider = await signsIn(
      {},
      { groups: [{ value: 'editors', group: 'editors' }], groups_claim: 'groups' },
    )
    const ask = () => hero.providers.test({ provider, user: 'grace' })
    const { received } = await ask()
    const { groups, mapped } = received!
    const claims = received!.claims as Record<string, unknown>
    assert.deepEqual([claims.realm_access, groups, mapped], [{ roles: ['editors', 'x'] }, [], []])
    assert.equal(String(claims.note).length, 501)
    assert.equal('nonce' in claims, false)
    await hero.providers.update({ provider, groups_claim: 'realm_access.roles' })
    const again = (await ask()).received!
    assert.deepEqual([again.groups, again.mapped], [['editors', 'x'], ['editors']])
    assert.equal('received' in (await hero.providers.test({ provider })), false)
    assert.equal((await hero.providers.test({ provider, user: 'ada' })).received, null)
    await refused(hero.providers.test({ provider, user: 'nobody' }), 'not_found')
    // A person whom a rule refuses shows why.
    await hero.providers.update({ provider, allowed_domains: ['elsewhere.test'] })
    oidc.state.person = { sub: '1', email: 'grace@example.org', email_verified: 'no' }
    await comeBy(new Person(), stage, provider, '')
    assert.equal(((await ask()).received!.claims as Record<string, unknown>).email_verified, 'no')
    // It is about a person, so it takes more than managing providers.
    const keeper = await hero.clients.add({
      name: 'K',
      claims: ['proxy.oauth.write'],
      scopes: ['read', 'admin'],
    })
    const { access_token } = await hero.token.create({
      client_id: keeper.client,
      client_secret: keeper.client_secret!,
      scope: 'admin',
    })
    const attempt = await refused(
      hero.as(access_token).providers.test({ provider, user: 'grace' }),
      'claim_required',
    )
    assert.deepEqual(attempt.data.claims, ['proxy.users.read'])
    oidc.state.person = {
      sub: '1',
      email: 'grace@example.org',
      email_verified: true,
      preferred_username: 'grace',
    }
  })

  test('an application that wants the account chosen makes the provider ask for it too', async () => {
    const { hero, origin } = stage
    const provider = await add()
    const client = await hero.clients.add({
      anyone: true,
      name: 'App',
      redirect_uris: [callback],
      first_party: true,
    })
    const app = new App(origin, client)
    const ask = (person: Person) =>
      person.open(app.authorizeUrl({ ...pkce().challenge, prompt: 'select_account' }))
    const button = new RegExp(`name="prompt" value="select_account"[^]*name="provider" value="${provider}"`)
    const guest = newPerson()
    assert.match((await ask(guest)).text, button)
    const person = newPerson()
    await app.signIn(person, 'ada', pkce().challenge)
    const page = await person.submit(await ask(person), '/auth/consent/', { answer: 'switch' })
    assert.match(page.text, button)
    for (const prompt of ['select_account', 'x', undefined]) {
      const url = `${origin}/login?provider=${provider}${prompt === undefined ? '' : `&prompt=${prompt}`}`
      const asked = new URL((await fetch(url, { redirect: 'manual' })).headers.get('location')!)
      assert.equal(asked.searchParams.get('prompt'), prompt === 'x' ? null : (prompt ?? null))
    }
  })

  test('one configuration for many tenants has a template as its issuer, as at Entra', async () => {
    const template = `${oidc.issuer}/{tenantid}/v2.0`
    const issuer = `${oidc.issuer}/common/v2.0`
    const ways = (tid: unknown, iss: string): Ways => ({
      discovery: (metadata) => ({ ...metadata, issuer: template }),
      claims: (claims) => ({ ...claims, iss, tid }),
    })
    const tenant = '9188040d-6c67-4c5b-b112-36a304b66dad'
    const of = (tid: string) => `${oidc.issuer}/${tid}/v2.0`
    await signsIn(ways(tenant, of(tenant)), { issuer })
    for (const [tid, iss] of [
      [tenant, of('another')],
      [undefined, of(tenant)],
      ['../x', of('../x')],
      [tenant, template],
      ['{tenantid}', template],
      [tenant, oidc.issuer],
    ] as const) {
      const { user, page } = await come(ways(tid, iss), { issuer })
      assert.equal(user, undefined, `${tid} ${iss}`)
      assert.match(page.text, /could not prove who you are/)
    }
    const { user } = await come(
      {
        ...ways(tenant, of(tenant)),
        discovery: (metadata) => ({ ...metadata, issuer: 'http://{tenantid}/common/v2.0' }),
      },
      { issuer },
    )
    assert.equal(user, undefined)
    const provider = await add({ issuer })
    oidc.misbehave(ways(tenant, of(tenant)))
    assert.equal((await stage.hero.providers.test({ provider })).ok, true)
  })

  test('the template of an issuer is the entered address but for one segment of its path', () => {
    const entered = 'https://login.example/common/v2.0'
    for (const segment of ['common', 'organizations', '9188040d-6c67-4c5b-b112-36a304b66dad', '{tenantid}'])
      assert.ok(fitsTemplate('https://login.example/{tenantid}/v2.0', entered.replace('common', segment)))
    for (const template of [
      'https://login.example/{tenantid}/v1.0',
      'https://login.exampld/{tenantid}/v2.0',
      'http://login.example/{tenantid}/v2.0',
      'https://{tenantid}/common/v2.0',
      'https://login.example/{tenantid}',
      'https://login.example/common/v{tenantid}',
      'https://login.example/com{tenantid}/v2.0',
      'https://login.example/{tenantid}/v2.0{tenantid}',
      'https://login.example/common/v2.0',
    ])
      assert.equal(fitsTemplate(template, entered), false, template)
    assert.equal(fitsTemplate('https://{tenantid}/common', 'https://intranet/common'), false)
    for (const segment of ['', 'a/b', '..', '%2e', 'x'.repeat(65)])
      assert.equal(fitsTemplate('https://a.example/{tenantid}/v2', `https://a.example/${segment}/v2`), false)
  })

  test('an answer as a form of another site comes again as a link, because our cookie is not sent with it', async () => {
    const provider = await add({ response_mode: 'form_post' })
    let mode: string | null = null
    oidc.misbehave({
      instead: (endpoint, request) => {
        if (endpoint === 'authorize')
          mode = new URL(request.url!, oidc.issuer).searchParams.get('response_mode')
        return false
      },
    })
    const person = new Person(({ origin }) => origin === oidc.issuer)
    const { url } = await person.open(`${stage.origin}/login?provider=${provider}`)
    const back = new URL((await fetch(url, { redirect: 'manual' })).headers.get('location')!)
    assert.equal(mode, 'form_post')
    const posted = await fetch(`${back.origin}${back.pathname}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: oidc.issuer, 'sec-fetch-site': 'cross-site' },
      body: new URLSearchParams([
        ...back.searchParams,
        ['user', '{"name":"x"}'],
        ['next', 'https://evil.test'],
      ]),
    })
    assert.equal(posted.status, 303)
    assert.deepEqual(posted.headers.getSetCookie(), [])
    const again = new URL(posted.headers.get('location')!, stage.origin)
    assert.deepEqual([again.origin, again.pathname], [stage.origin, back.pathname])
    assert.deepEqual([...again.searchParams.keys()].toSorted(), ['code', 'state'])
    // Without the cookie of the flow it signs nobody in.
    assert.equal((await new Person().open(again)).status, 400)
    await person.open(again)
    assert.equal(await whoIs(person, stage.origin), 'grace')
  })

  test('the name that Apple sends once, beside the answer, names a new account and nothing else', async () => {
    let count = 0
    /** Signs in by a form with this `user`; `told` is what the provider itself says about the person. */
    const nameAfter = async (user: string, told: object = {}, more: Partial<NewProvider> = {}) => {
      const provider = await add({ response_mode: 'form_post', allow_signup: true, ...more })
      oidc.misbehave({})
      const sub = `named-${++count}`
      oidc.state.person = { sub, email: `${sub}@example.org`, email_verified: true, ...told }
      const person = new Person(({ origin }) => origin === oidc.issuer)
      const { url } = await person.open(`${stage.origin}/login?provider=${provider}`)
      const back = new URL((await fetch(url, { redirect: 'manual' })).headers.get('location')!)
      const posted = await fetch(`${back.origin}${back.pathname}`, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams([...back.searchParams, ['user', user]]),
      })
      assert.equal(posted.status, 303)
      await person.open(new URL(posted.headers.get('location')!, stage.origin))
      const username = await whoIs(person, stage.origin)
      return stage.hero.users.get({ username: username! })
    }
    const apple = (firstName: unknown, lastName: unknown, more: object = {}) =>
      JSON.stringify({ name: { firstName, lastName }, ...more })
    const evil = { email: 'evil@example.org', sub: '1', groups: ['editors'], login: 'root', username: 'root' }
    const lise = await nameAfter(apple('Lise', 'Meitner', evil))
    assert.deepEqual([lise.display_name, lise.email], ['Lise Meitner', 'named-1@example.org'])
    assert.equal(lise.username, 'named-1')
    for (const [user, name] of [
      [apple('Lise', undefined), 'Lise'],
      [apple('', 'Meitner'), 'Meitner'],
      [apple('\u202eLise\n', '\u200bMeitner'), 'Lise Meitner'],
      [apple('x'.repeat(5000), ''), 'x'.repeat(80)],
    ] as const)
      assert.equal((await nameAfter(user)).display_name, name)
    for (const user of [
      apple('\u3164', '…'),
      apple(7, { a: 1 }),
      apple(['Lise'], null),
      '{"name":"Lise"}',
      '{"name":null}',
      'null',
      '[]',
      '"x"',
      '{',
      '',
      '{"__proto__":{"name":{"firstName":"Lise"}}}',
    ]) {
      const { display_name, username } = await nameAfter(user)
      assert.equal(display_name, username, user)
    }
    // What the provider has signed comes first, and an account that exists keeps its name.
    assert.equal((await nameAfter(apple('Otto', 'Hahn'), { name: 'Lise M.' })).display_name, 'Lise M.')
    await stage.hero.users.update({ username: 'grace', display_name: 'Grace' })
    const known = await nameAfter(apple('Otto', 'Hahn'), { sub: '1' }, { refresh_profile: true })
    assert.deepEqual([known.username, known.display_name], ['grace', 'Grace'])
    // A link is no form: nobody adds a name to an answer of another kind.
    const query = `display_name=Otto&user=${encodeURIComponent(apple('Otto', 'Hahn'))}`
    oidc.misbehave({
      back: (answer) => new URLSearchParams(query).forEach((value, name) => answer.set(name, value)),
    })
    oidc.state.person = { sub: 'linked', email: 'linked@example.org', email_verified: true }
    const person = new Person()
    await comeBy(person, stage, await add({ allow_signup: true }), '')
    assert.equal((await stage.hero.users.get({ username: 'linked' })).display_name, 'linked')
    oidc.state.person = {
      sub: '1',
      email: 'grace@example.org',
      email_verified: true,
      preferred_username: 'grace',
    }
  })

  test('a client secret is made from a key for each request, as Apple wants it', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const client_key = { private_key, key_id: 'KEY1', team_id: 'TEAM1' }
    const key = { client_secret: undefined as never, client_key }
    const provider = await signsIn({}, key)
    const { params, authorization } = oidc.seen.find(({ endpoint }) => endpoint === 'token')!
    assert.equal(authorization, '')
    const { payload, protectedHeader } = await jwtVerify(params.get('client_secret')!, publicKey)
    assert.deepEqual([protectedHeader.alg, protectedHeader.kid], ['ES256', 'KEY1'])
    assert.deepEqual([payload.iss, payload.sub, payload.aud], ['TEAM1', 'hero', oidc.issuer])
    assert.ok(payload.exp! - payload.iat! <= 300)
    const shown = await stage.hero.providers.get({ provider })
    assert.equal(shown.secret_set, true)
    assert.doesNotMatch(JSON.stringify(shown), /PRIVATE|KEY1/)
    await refused(add({ client_key }), 'invalid_params', 'client_key')
    await refused(
      add({ ...key, client_key: { ...client_key, private_key: 'no key' } }),
      'invalid_params',
      'client_key.private_key',
    )
    await stage.hero.providers.update({ provider, client_key: null, client_secret: 'x' })
    await refused(
      stage.hero.providers.update({ provider, client_secret: null }),
      'invalid_params',
      'client_secret',
    )
  })

  test('the secret goes into the header or the form, as the provider says or turns out to want', async () => {
    const sent = () =>
      oidc.seen
        .filter(({ endpoint }) => endpoint === 'token')
        .map(({ authorization, params }) => [authorization !== '', params.has('client_secret')])
    await signsIn({})
    assert.deepEqual(sent(), [[true, false]])
    const announcing =
      (methods: unknown): Ways['discovery'] =>
      (metadata) => ({ ...metadata, token_endpoint_auth_methods_supported: methods })
    await signsIn({ discovery: announcing(['client_secret_post', 'private_key_jwt']) })
    assert.deepEqual(sent(), [[false, true]])
    await signsIn({}, { client_auth: 'client_secret_post' })
    assert.deepEqual(sent(), [[false, true]])
    // It announces nothing, and knows us by the form alone.
    const formOnly: Ways = {
      instead: (endpoint, request, response) => {
        if (endpoint !== 'token' || request.headers.authorization === undefined) return false
        response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}')
        return true
      },
    }
    const provider = await signsIn(formOnly)
    assert.deepEqual(sent(), [
      [true, false],
      [false, true],
    ])
    oidc.misbehave(formOnly)
    await comeBy(new Person(), stage, provider, '')
    assert.deepEqual(sent(), [[false, true]])
    assert.equal((await stage.hero.providers.test({ provider })).ok, true)
    // What an administrator has chosen is not tried in another way.
    const { user } = await come(formOnly, { client_auth: 'client_secret_basic' })
    assert.equal(user, undefined)
    assert.equal(sent().length, 1)
  })

  test('userinfo may be a signed JWT, whose signature counts', async () => {
    oidc.state.person = { sub: '1', name: 'Grace by JWT', email: 'grace@example.org', email_verified: true }
    const signed = (change: (token: string) => string, issuer = oidc.issuer): Ways => ({
      instead: (endpoint, _, response) => {
        if (endpoint !== 'userinfo') return false
        const now = Math.floor(Date.now() / 1000)
        const token = oidc.jwt({ ...oidc.state.person, iss: issuer, aud: 'hero', iat: now, exp: now + 60 })
        response.writeHead(200, { 'content-type': 'application/jwt' }).end(change(token))
        return true
      },
    })
    await signsIn(
      signed((token) => token),
      { refresh_profile: true },
    )
    assert.equal((await stage.hero.users.get({ username: 'grace' })).display_name, 'Grace by JWT')
    for (const ways of [
      signed((token) => `${token.slice(0, -8)}AAAAAAAA`),
      signed((token) => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`),
      signed((token) => token, 'https://elsewhere.test'),
    ])
      assert.equal((await come(ways)).user, undefined)
  })

  test('a provider is reached under another name than people see, by administrators alone', async () => {
    const publicName = 'https://login.odd.example'
    const ways: Ways = {
      discovery: (metadata) =>
        Object.fromEntries(
          Object.entries(metadata).map(([name, value]) => [
            name,
            typeof value === 'string' ? value.replace(oidc.issuer, publicName) : value,
          ]),
        ),
      claims: (claims) => ({ ...claims, iss: publicName }),
    }
    oidc.misbehave(ways)
    const internal_urls = [{ public: publicName, internal: oidc.issuer }]
    const provider = await add({ issuer: publicName, internal_urls })
    const person = new Person(({ origin }) => origin === publicName)
    const { url } = await person.open(`${stage.origin}/login?provider=${provider}`)
    assert.equal(url.origin, publicName)
    const there = await fetch(url.href.replace(publicName, oidc.issuer), { redirect: 'manual' })
    await person.open(there.headers.get('location')!)
    assert.equal(await whoIs(person, stage.origin), 'grace')
    assert.equal((await stage.hero.providers.test({ provider })).ok, true)
    // A name or path that only begins alike is another.
    const before = oidc.seen.length
    const inPath = [{ public: `${publicName}/realm`, internal: `${oidc.issuer}/realm` }]
    for (const other of [
      { issuer: `${publicName}.evil.invalid`, internal_urls },
      { issuer: `${publicName}/realms`, internal_urls: inPath },
    ]) {
      const alike = await add(other)
      assert.equal((await stage.hero.providers.test({ provider: alike })).ok, false)
      assert.equal(oidc.seen.length, before)
    }
    // Plain http stays in a private network.
    const outside = await add({
      issuer: publicName,
      internal_urls: [{ public: publicName, internal: 'http://8.8.8.8' }],
    })
    const { steps } = await stage.hero.providers.test({ provider: outside })
    assert.match(JSON.stringify(steps), /must stay in a private network/)
    for (const entry of [
      { public: `${publicName}/?x`, internal: oidc.issuer },
      { public: publicName, internal: 'http://user@127.0.0.1' },
      { public: publicName, internal: 'http://127.0.0.1/a/../b' },
    ])
      await refused(add({ issuer: publicName, internal_urls: [entry] }), 'invalid_params')
    await stage.hero.settings.set({ key: 'providers_may_be_local', value: false })
    const local = await stage.hero.providers.test({ provider })
    assert.equal(local.ok, false)
    assert.match(JSON.stringify(local.steps), /this machine or its link/)
    await stage.hero.settings.set({ key: 'providers_may_be_local', value: true })
    // Sending requests into our own network takes more than managing providers.
    const keeper = await stage.hero.clients.add({
      name: 'Keeper',
      claims: ['proxy.oauth.write', 'proxy.oauth.read'],
      scopes: ['read', 'admin'],
    })
    const { access_token } = await stage.hero.token.create({
      client_id: keeper.client,
      client_secret: keeper.client_secret!,
      scope: 'admin',
    })
    const as = stage.hero.as(access_token)
    const entry = { public: publicName, internal: 'http://10.0.0.1' }
    const attempt = await refused(
      as.providers.update({ provider, internal_urls: [...internal_urls, entry] }),
      'claim_required',
    )
    assert.deepEqual(attempt.data.claims, ['proxy.admin'])
    await as.providers.update({ provider, title: 'Other', internal_urls })
    await as.providers.update({ provider, internal_urls: [] })
  })
})
