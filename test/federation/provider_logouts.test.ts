import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { codeOf, enrol } from '../support/factors.ts'
import { onBothDatabases } from '../support/databases.ts'
import { Person } from '../support/person.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile_provider.ts'
import { comeBy, startRelying, whoIs, type Stage } from '../support/provider_stage.ts'

const event = 'http://schemas.openid.net/event/backchannel-logout'
const now = () => Math.floor(Date.now() / 1000)

onBothDatabases('logout tokens of providers', (newUrl) => {
  let stage: Stage
  let hostile: HostileProvider
  before(async () => {
    stage = await startRelying({ database_url: newUrl() })
    hostile = await startHostileProvider()
    // One issuer under two names, of which it knows nothing.
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

  const come = async (sub: string, provider = 'peer', more: object = {}): Promise<Person> => {
    hostile.state.person = { sub, preferred_username: `${provider}-${sub}`, ...more }
    const person = new Person()
    await comeBy(person, stage, provider, '')
    assert.ok(await whoIs(person, stage.origin))
    return person
  }
  const lives = async (person: Person) => (await whoIs(person, stage.origin)) !== undefined
  const send = async (claims: object): Promise<number> => {
    const told = { iss: hostile.issuer, aud: 'hero', iat: now(), jti: randomUUID(), events: { [event]: {} } }
    const { status } = await fetch(`${stage.origin}/oauth/backchannel_logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: hostile.jwt({ ...told, ...claims }) }),
    })
    return status
  }

  test('names that no database holds are refused, and where they name a session it is one without a name', async () => {
    const person = await come('nul', 'peer', { sid: 'a\u0000b' })
    for (const name of ['a\u0000b', '\ud800', '', 'x'.repeat(256), 5, { a: 1 }]) {
      assert.equal(await send({ sub: name }), 400, `sub ${JSON.stringify(name)}`)
      assert.equal(await send({ sid: name }), 400, `sid ${JSON.stringify(name)}`)
      assert.equal(await send({ sub: 'nul', jti: name }), 400, `jti ${JSON.stringify(name)}`)
    }
    assert.ok(await lives(person))
  })

  test('another kind of token, and an event that is no object, end nothing', async () => {
    const person = await come('kind')
    for (const typ of ['at+jwt', 'dpop+jwt', 'x']) {
      hostile.misbehave({ header: (header) => ({ ...header, typ }) })
      assert.equal(await send({ sub: 'kind' }), 400, typ)
    }
    hostile.misbehave({})
    for (const told of ['yes', null, true])
      assert.equal(await send({ sub: 'kind', events: { [event]: told } }), 400)
    assert.ok(await lives(person))
    for (const typ of ['logout+jwt', 'JWT', undefined]) {
      hostile.misbehave({ header: (header) => ({ ...header, typ }) })
      assert.equal(await send({ sub: 'kind' }), 200, String(typ))
    }
    assert.ok(!(await lives(person)))
  })

  test('a session of that person whose name was never told could be the one that ended', async () => {
    const unnamed = await come('some')
    const other = await come('some', 'peer', { sid: 'another' })
    const somebody = await come('else')
    assert.equal(await send({ sub: 'some', sid: 'this' }), 200)
    assert.deepEqual([await lives(unnamed), await lives(other), await lives(somebody)], [false, true, true])
    assert.equal(await send({ sid: 'nobody-has-it' }), 200)
    assert.ok(await lives(somebody), 'without a person only what has the name')
  })

  test('a sign-in that waits for its second step ends too, where it is of what ended there', async () => {
    const { hero, origin } = stage
    await come('half', 'peer', { sid: 'first' })
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
    const [told] = (await hero.audit.list({ limit: 1 })).items
    assert.equal(`${told!.method} ${told!.target}`, 'auth.logout_by_provider user=peer-half provider=twin')
    for (const { person, step } of [named, unnamed, twin]) {
      const { text } = await person.submit(step, '/auth/factor', { code: codeOf(secret, 1) })
      assert.match(text, /no longer works/)
      assert.ok(!(await lives(person)))
    }
    await other.person.submit(other.step, '/auth/factor', { code: codeOf(secret, 1) })
    assert.equal(await whoIs(other.person, origin), 'peer-half')
    const again = await begin('by its name alone')
    assert.equal(await send({ sid: 'by its name alone' }), 200)
    const gone = await again.person.submit(again.step, '/auth/factor', { code: codeOf(secret, 1) })
    assert.match(gone.text, /no longer works/)
    assert.ok(!(await lives(again.person)))
  })

  test('it is heard for every name that the issuer has here, turned off ones among them', async () => {
    const [one, two] = [await come('both'), await come('both', 'twin')]
    assert.equal(await send({ sub: 'both' }), 200)
    assert.deepEqual([await lives(one), await lives(two)], [false, false])
    const last = await come('both', 'twin')
    for (const provider of ['peer', 'twin']) await stage.hero.providers.update({ provider, enabled: false })
    assert.ok(await lives(last))
    assert.equal(await send({ sub: 'both' }), 200)
    assert.ok(!(await lives(last)))
  })
})
