import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import { byHand } from '../support/people.ts'
import {
  newSigningKey,
  startHostileProvider,
  type HostileProvider,
  type Ways,
} from '../support/hostile_provider.ts'
import { comeBy, auditLines, startRelying, whoIs, type Stage } from '../support/provider_stage.ts'

// The client modules of the OpenID conformance suite, under their names.
// A provider that misbehaves signs nobody in and shows an error; one that is merely unusual signs people in.

let stage: Stage
let hostile: HostileProvider
let version = 0

/** Adds a provider for each test, so that nothing is cached. */
const begin = async (more: object = {}): Promise<string> => {
  const provider = `evil-${++version}`
  const { hero } = stage
  await hero.providers.add({
    own_callback: true,
    provider,
    preset: 'oidc',
    issuer: hostile.issuer,
    title: 'The evil one',
    client: 'hero',
    client_secret: 'a secret of ours',
    ...more,
  })
  await hero.users.identities.add({ user: 'grace', provider, subject: '1' })
  return provider
}

const outcome = async (ways: Ways, more: object = {}) => {
  hostile.misbehave(ways)
  const provider = await begin(more)
  const person = new Person()
  const page = await comeBy(person, stage, provider, '', '/auth/me?went=on')
  return { provider, person, page, user: await whoIs(person, stage.origin) }
}

const refusedWith = async (ways: Ways, words: RegExp = /could not prove who you are/): Promise<void> => {
  const { page, user, person, provider } = await outcome(ways)
  assert.equal(user, undefined, 'no session')
  assert.ok(page.status >= 400, String(page.status))
  assert.match(page.text, words)
  assert.match(page.text, /Other ways to sign in/)
  assert.ok(!person.cookiesAt(new URL(stage.origin)).includes('session='))
  if (page.url.pathname.startsWith('/oauth/callback/')) {
    assert.equal((await auditLines(stage))[0], `auth.login_by_provider provider=${provider} unavailable`)
    const again = await person.open(page.url)
    assert.equal(again.status, 400, 'the flow is used up')
  }
  assert.deepEqual(
    (await stage.hero.sessions.list({ user: 'grace' })).items.filter((one) => one.provider === provider),
    [],
  )
}

const acceptedWith = async (ways: Ways, more: object = {}) => {
  const done = await outcome(ways, more)
  assert.equal(done.user, 'grace', done.page.text)
  assert.equal(done.page.url.search, '?went=on')
  return done
}

before(async () => {
  stage = await startRelying()
  hostile = await startHostileProvider()
})
after(async () => {
  await hostile?.close()
  await stage?.[Symbol.asyncDispose]()
})
afterEach(() => (hostile.state.keys = [newSigningKey('one')]))

const without = (name: string) => (claims: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name))
const withClaim = (name: string, value: unknown) => (claims: Record<string, unknown>) => ({
  ...claims,
  [name]: value,
})

describe('client-basic', () => {
  test('oidcc-client-test', async () => {
    await acceptedWith({})
    const authorize = hostile.seen.find(({ endpoint }) => endpoint === 'authorize')!.params
    assert.match(authorize.get('state')!, /^[\w-]{43}$/)
    assert.match(authorize.get('nonce')!, /^[\w-]{43}$/)
    assert.equal(authorize.get('code_challenge_method'), 'S256')
    assert.equal(authorize.get('redirect_uri'), `${stage.origin}/oauth/callback/evil-${version}`)
    assert.ok(authorize.get('scope')!.split(' ').includes('openid'))
  })
  test('oidcc-client-test-invalid-iss', () =>
    refusedWith({ claims: withClaim('iss', 'https://other.example.org') }))
  test('oidcc-client-test-missing-sub', () =>
    refusedWith({ claims: without('sub') }, /could not prove|Unexpected response/))
  test('oidcc-client-test-invalid-aud', () => refusedWith({ claims: withClaim('aud', 'another client') }))
  test('oidcc-client-test-missing-iat', () =>
    refusedWith({ claims: without('iat') }, /could not prove|Unexpected response/))
  test('oidcc-client-test-kid-absent-single-jwks', async () => {
    await acceptedWith({ header: without('kid') })
  })
  test('oidcc-client-test-kid-absent-multiple-jwks', async () => {
    hostile.state.keys.push(newSigningKey('two'))
    await refusedWith({ header: without('kid') })
  })
  test('oidcc-client-test-idtoken-sig-rs256', async () => {
    await acceptedWith({})
  })
  test('oidcc-client-test-idtoken-sig-none', () =>
    refusedWith(
      { header: withClaim('alg', 'none'), idToken: (token) => token.replace(/[^.]+$/, '') },
      /could not prove|Unexpected response/,
    ))
  test('oidcc-client-test-invalid-sig-rs256', () =>
    refusedWith({
      idToken: (token) =>
        token.replace(/[^.]+$/, (sig) => `${sig.startsWith('A') ? 'B' : 'A'}${sig.slice(1)}`),
    }))
  test('oidcc-client-test-userinfo-bearer-header', async () => {
    await acceptedWith({})
    const { authorization, params } = hostile.seen.find(({ endpoint }) => endpoint === 'userinfo')!
    assert.match(authorization, /^Bearer at-/i)
    assert.equal(params.size, 0, 'no token in the query or the body')
  })
  test('oidcc-client-test-userinfo-bearer-body', async () => {
    // The suite accepts the header or the body; a provider that accepts the body alone does not work with us.
    await refusedWith(
      {
        instead: (endpoint, request, response) => {
          if (endpoint !== 'userinfo' || request.method === 'POST') return false
          response.writeHead(405).end()
          return true
        },
      },
      /Unexpected response/,
    )
  })
  test('oidcc-client-test-userinfo-invalid-sub', () =>
    refusedWith({ userinfo: (response) => ({ ...response, sub: '2' }) }))
  test('oidcc-client-test-nonce-invalid', () => refusedWith({ claims: withClaim('nonce', 'another nonce') }))
  test('oidcc-client-test-scope-userinfo-claims', async () => {
    hostile.state.person = { ...hostile.state.person, preferred_username: 'told by userinfo' }
    const { provider } = await acceptedWith({})
    const { items } = await stage.hero.users.identities.list({ user: 'grace' })
    assert.equal(items.find((one) => one.provider === provider)!.login, 'told by userinfo')
  })
  test('oidcc-client-test-client-secret-basic', async () => {
    await acceptedWith({}, { client_secret: 'a secret: with + and %' })
    const { authorization, params } = hostile.seen.find(({ endpoint }) => endpoint === 'token')!
    const [user, secret] = Buffer.from(authorization.slice(6), 'base64').toString().split(':')
    assert.deepEqual(
      [user, secret].map((part) => decodeURIComponent(part!.replaceAll('+', ' '))),
      ['hero', 'a secret: with + and %'],
    )
    assert.equal(params.get('client_secret'), null)
    assert.match(params.get('code_verifier')!, /^[\w-]{43}$/)
  })
})

describe('client-config', () => {
  test('oidcc-client-test-discovery-openid-config', async () => {
    await acceptedWith({})
    assert.equal(hostile.asked('discovery'), 1)
    assert.equal(hostile.seen[0]!.endpoint, 'discovery', 'no request came before it')
  })
  test('oidcc-client-test-discovery-jwks-uri-keys', async () => {
    await acceptedWith({})
    assert.equal(hostile.asked('jwks'), 1)
  })
  test('oidcc-client-test-discovery-issuer-mismatch', async () => {
    await refusedWith({ discovery: (metadata) => ({ ...metadata, issuer: `${hostile.issuer}/other` }) })
    assert.equal(hostile.asked('authorize'), 0, 'nobody was sent there')
  })
  test('oidcc-client-test-idtoken-sig-none (config)', () =>
    refusedWith(
      {
        header: withClaim('alg', 'none'),
        idToken: (token) => token.replace(/[^.]+$/, ''),
        discovery: (metadata) => ({ ...metadata, id_token_signing_alg_values_supported: ['none', 'RS256'] }),
      },
      /could not prove|Unexpected response/,
    ))
  test('oidcc-client-test-signing-key-rotation-just-before-signing', async () => {
    hostile.misbehave({})
    const provider = await begin()
    await comeBy(new Person(), stage, provider, '')
    hostile.state.keys = [newSigningKey('rotated')]
    const person = new Person()
    await comeBy(person, stage, provider, '')
    assert.equal(await whoIs(person, stage.origin), 'grace')
    assert.equal(hostile.asked('jwks'), 2)
  })
  test('oidcc-client-test-signing-key-rotation', async () => {
    hostile.misbehave({})
    const provider = await begin()
    const [first, second] = [newSigningKey('first'), newSigningKey('second')]
    hostile.state.keys = [first, second]
    await comeBy(new Person(), stage, provider, '')
    hostile.state.keys = [second, first]
    const person = new Person()
    await comeBy(person, stage, provider, '')
    assert.equal(await whoIs(person, stage.origin), 'grace')
    assert.equal(hostile.asked('jwks'), 1, 'both keys were cached')
  })
  test('made-up key IDs cause one JWKS request in ten seconds (R6)', async () => {
    hostile.misbehave({})
    const provider = await begin()
    await comeBy(new Person(), stage, provider, '')
    hostile.misbehave({ header: (header) => ({ ...header, kid: String(Math.random()) }) })
    const people = Array.from({ length: 8 }, () => new Person())
    const pages = await Promise.all(people.map((person) => comeBy(person, stage, provider, '')))
    await comeBy(new Person(), stage, provider, '')
    for (const page of pages) assert.match(page.text, /could not prove/)
    assert.equal(hostile.asked('jwks'), 1)
  })
})

test('an authorization endpoint that is not a web page is refused', async () => {
  for (const authorization_endpoint of [
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'no address',
  ])
    await refusedWith(
      { discovery: (response) => ({ ...response, authorization_endpoint }) },
      /Unexpected response/,
    )
})

describe('client-refresh', () => {
  /** Returns grace, with a stored token that is about to expire. */
  const kept = async (ways: Ways) => {
    const { provider } = await acceptedWith({}, { keep_tokens: true })
    hostile.misbehave(ways)
    await byHand(stage.daemon, (database) =>
      database.query.updateTable('provider_tokens').set({ expires_at: 1 }).execute(),
    )
    const { access_token } = await stage.hero.auth.login({ login: 'grace', password: goodPassword })
    return { provider, grace: stage.hero.as(access_token) }
  }
  test('oidcc-client-test-refresh-token', async () => {
    const { provider, grace } = await kept({})
    const all = await Promise.all(Array.from({ length: 10 }, () => grace.auth.upstream_token({ provider })))
    assert.equal(new Set(all.map(({ access_token }) => access_token)).size, 1)
    assert.match(all[0]!.access_token, /^at-/)
    assert.equal(hostile.asked('token'), 1, 'one renewal serves all concurrent requests')
  })
  test('a token that lives for seconds is returned, and renewed after half of its life at the earliest', async () => {
    const { provider, grace } = await kept({ token: withClaim('expires_in', 20) })
    const { access_token } = await grace.auth.upstream_token({ provider })
    assert.equal((await grace.auth.upstream_token({ provider })).access_token, access_token)
    assert.equal(hostile.asked('token'), 1)
  })
  for (const [name, claims] of [
    ['oidcc-client-test-refresh-token-invalid-issuer', withClaim('iss', 'https://other.example.org')],
    ['oidcc-client-test-refresh-token-invalid-sub', withClaim('sub', '2')],
  ] as const)
    test(name, async () => {
      const { provider, grace } = await kept({ claims })
      await refused(grace.auth.upstream_token({ provider }), 'conflict')
      await refused(grace.auth.upstream_token({ provider }), 'not_found')
      const { items } = await stage.hero.audit.list({ limit: 2 })
      assert.deepEqual(
        items.map(({ method, outcome }) => `${method} ${outcome}`),
        ['auth.upstream_token not_found', 'auth.upstream_token conflict'],
      )
    })
})

describe('validation of each ID token claim (D38)', () => {
  const past = Math.floor(Date.now() / 1000) - 3600
  for (const [name, ways] of Object.entries({
    expired: { claims: withClaim('exp', past) },
    'without exp': { claims: without('exp') },
    'from the future': { claims: withClaim('iat', past + 7200) },
    'with several audiences and no azp': { claims: withClaim('aud', ['hero', 'other']) },
    'with several audiences and the azp of another client': {
      claims: (claims: object) => ({ ...claims, aud: ['hero', 'other'], azp: 'other' }),
    },
    'with the azp of another client': { claims: withClaim('azp', 'other') },
    'without nonce': { claims: without('nonce') },
    'without iss': { claims: without('iss') },
    'without aud': { claims: without('aud') },
    'with an empty sub': { claims: withClaim('sub', '') },
    'signed with the client secret': { header: withClaim('alg', 'HS256') },
    'with an unknown critical header': { header: withClaim('crit', ['x']) },
    'signed with an unpublished key': { jwks: () => ({ keys: [] }) },
    'that is missing': { token: without('id_token') },
  } satisfies Record<string, Ways>))
    test(`an ID token ${name} signs nobody in`, () =>
      refusedWith(ways, /could not prove|Unexpected response/))
})
