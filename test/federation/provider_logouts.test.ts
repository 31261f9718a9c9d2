import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { codeOf, enrol } from '../support/factors.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { Person } from '../support/person.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile_provider.ts'
import { comeBy, startRelying, whoIs, type Stage } from '../support/provider_stage.ts'

const event = 'http://schemas.openid.net/event/backchannel-logout'
const now = () => Math.floor(Date.now() / 1000)

onSqliteFirst('logout tokens from providers', (newUrl) => {
  let stage: Stage
  let hostile: HostileProvider
  before(async () => {
    stage = await startRelying({ database_url: newUrl() })
    hostile = await startHostileProvider()
    // Two providers here with the same issuer, which does not know that.
    for (const provider of ['peer', 'twin'])
      await stage.hero.providers.add({
        own_callback: true,
        provider,
        preset: 'oidc',
        issuer: hostile.issuer,
        client: 'hero',
        client_secret: 's',
        allow_signup: true,
      })
  })
  after(async () => {
    await hostile?.close()
    await stage?.[Symbol.asyncDispose]()
  })
  afterEach(() => hostile.misbehave({}))

  const signIn = async (sub: string, provider = 'peer', more: object = {}): Promise<Person> => {
    hostile.state.person = { sub, preferred_username: `${provider}-${sub}`, ...more }
    const person = new Person()
    await comeBy(person, stage, provider, '')
    assert.ok(await whoIs(person, stage.origin))
    return person
  }
  const isSignedIn = async (person: Person) => (await whoIs(person, stage.origin)) !== undefined
  const send = async (claims: object): Promise<number> => {
    const defaults = {
      iss: hostile.issuer,
      aud: 'hero',
      iat: now(),
      jti: randomUUID(),
      events: { [event]: {} },
    }
    const { status } = await fetch(`${stage.origin}/oauth/backchannel_logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: hostile.jwt({ ...defaults, ...claims }) }),
    })
    return status
  }

  test('an invalid sub, sid or jti is refused, and a session with an invalid sid counts as one without', async () => {
    const person = await signIn('nul', 'peer', { sid: 'a\u0000b' })
    for (const name of ['a\u0000b', '\ud800', '', 'x'.repeat(256), 5, { a: 1 }]) {
      assert.equal(await send({ sub: name }), 400, `sub ${JSON.stringify(name)}`)
      assert.equal(await send({ sid: name }), 400, `sid ${JSON.stringify(name)}`)
      assert.equal(await send({ sub: 'nul', jti: name }), 400, `jti ${JSON.stringify(name)}`)
    }
    assert.ok(await isSignedIn(person))
  })

  test('a logout token with another typ or an invalid event ends nothing', async () => {
    const person = await signIn('kind')
    for (const typ of ['at+jwt', 'dpop+jwt', 'x']) {
      hostile.misbehave({ header: (header) => ({ ...header, typ }) })
      assert.equal(await send({ sub: 'kind' }), 400, typ)
    }
    hostile.misbehave({})
    for (const value of ['yes', null, true])
      assert.equal(await send({ sub: 'kind', events: { [event]: value } }), 400)
    assert.ok(await isSignedIn(person))
    for (const typ of ['logout+jwt', 'JWT', undefined]) {
      hostile.misbehave({ header: (header) => ({ ...header, typ }) })
      assert.equal(await send({ sub: 'kind' }), 200, String(typ))
    }
    assert.ok(!(await isSignedIn(person)))
  })

  test('a logout by sub and sid also ends sessions of that person whose sid is unknown', async () => {
    const unnamed = await signIn('some')
    const other = await signIn('some', 'peer', { sid: 'another' })
    const somebody = await signIn('else')
    assert.equal(await send({ sub: 'some', sid: 'this' }), 200)
    assert.deepEqual(
      [await isSignedIn(unnamed), await isSignedIn(other), await isSignedIn(somebody)],
      [false, true, true],
    )
    assert.equal(await send({ sid: 'nobody-has-it' }), 200)
    assert.ok(await isSignedIn(somebody), 'without a sub, only the session with this sid ends')
  })

  test('a pending second factor ends with the provider session that it came from', async () => {
    const { hero, origin } = stage
    await signIn('half', 'peer', { sid: 'first' })
    await hero.auth.set_password({ user: 'peer-half', password: goodPassword })
    const own = hero.as((await hero.auth.login({ login: 'peer-half', password: goodPassword })).access_token)
    const secret = await enrol(own)
    const begin = async (sid: string | undefined, provider = 'peer') => {
      hostile.state.person = { sub: 'half', preferred_username: 'half', ...(sid !== undefined && { sid }) }
      const person = new Person()
      const step = await comeBy(person, stage, provider, '')
      assert.match(step.text, /One more step/)
      return { person, step }
    }
    await hero.users.identities.add({ user: 'peer-half', provider: 'twin', subject: 'half' })
    const named = await begin('this')
    const unnamed = await begin(undefined)
    const other = await begin('another')
    const twin = await begin('this', 'twin')
    assert.equal(await send({ sub: 'somebody-else', sid: 'this' }), 200)
    assert.equal(await send({ sub: 'half', sid: 'this' }), 200)
    const [entry] = (await hero.audit.list({ limit: 1 })).items
    assert.equal(`${entry!.method} ${entry!.target}`, 'auth.logout_by_provider user=peer-half provider=twin')
    for (const { person, step } of [named, unnamed, twin]) {
      const { text } = await person.submit(step, '/auth/factor', { code: codeOf(secret, 1) })
      assert.match(text, /no longer works/)
      assert.ok(!(await isSignedIn(person)))
    }
    await other.person.submit(other.step, '/auth/factor', { code: codeOf(secret, 1) })
    assert.equal(await whoIs(other.person, origin), 'peer-half')
    const again = await begin('by its name alone')
    assert.equal(await send({ sid: 'by its name alone' }), 200)
    const gone = await again.person.submit(again.step, '/auth/factor', { code: codeOf(secret, 1) })
    assert.match(gone.text, /no longer works/)
    assert.ok(!(await isSignedIn(again.person)))
  })

  test('a logout reaches each provider here with that issuer, including disabled ones', async () => {
    const [one, two] = [await signIn('both'), await signIn('both', 'twin')]
    assert.equal(await send({ sub: 'both' }), 200)
    assert.deepEqual([await isSignedIn(one), await isSignedIn(two)], [false, false])
    const last = await signIn('both', 'twin')
    for (const provider of ['peer', 'twin']) await stage.hero.providers.update({ provider, enabled: false })
    assert.ok(await isSignedIn(last))
    assert.equal(await send({ sub: 'both' }), 200)
    assert.ok(!(await isSignedIn(last)))
  })

  test('of one configuration for many tenants, the tenant in the token gives the issuer that it must have', async () => {
    const tenant = '9188040d-6c67-4c5b-b112-36a304b66dad'
    const of = (tid: string) => `${hostile.issuer}/${tid}/v2.0`
    const template = of('{tenantid}')
    const tenants = { discovery: (metadata: object) => ({ ...metadata, issuer: template }) }
    const add = (provider: string, issuer: string) =>
      stage.hero.providers.add({
        own_callback: true,
        provider,
        preset: 'oidc',
        issuer,
        client: 'hero',
        client_secret: 's',
        allow_signup: true,
      })
    hostile.misbehave({ ...tenants, claims: (claims) => ({ ...claims, iss: of(tenant), tid: tenant }) })
    await add('many', of('common'))
    const person = await signIn('tenant', 'many')
    // Beside it, one tenant has a configuration of its own.
    hostile.misbehave({
      discovery: (metadata) => ({ ...metadata, issuer: of('single') }),
      claims: (claims) => ({ ...claims, iss: of('single') }),
    })
    await add('single', of('single'))
    const single = await signIn('tenant', 'single')
    hostile.misbehave(tenants)
    for (const [tid, iss] of [
      [tenant, of('another')],
      ['another', of(tenant)],
      [undefined, of(tenant)],
      [tenant, template],
      ['{tenantid}', template],
      ['../x', of('../x')],
      [tenant, `${hostile.issuer}/${tenant}/v1.0`],
      [tenant, of('common')],
      [[tenant], of(tenant)],
    ] as const)
      assert.equal(await send({ sub: 'tenant', tid, iss }), 400, `${String(tid)} ${iss}`)
    assert.equal(await send({ sub: 'tenant', tid: 'another', iss: of('another'), aud: 'other' }), 400)
    assert.ok(await isSignedIn(person))
    assert.equal(await send({ sub: 'tenant', tid: tenant, iss: of(tenant) }), 200)
    assert.deepEqual([await isSignedIn(person), await isSignedIn(single)], [false, true])
    // That configuration's own tokens need no tenant, and reach it as before.
    assert.equal(await send({ sub: 'tenant', iss: of('single') }), 200)
    assert.equal(await isSignedIn(single), false)
  })
})
