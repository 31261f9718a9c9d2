import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { byHand } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile_provider.ts'
import { startRelying, whoIs, type Stage } from '../support/provider_stage.ts'

const now = () => Math.floor(Date.now() / 1000)

describe('the first factor of a person who has only a provider, while no mail is sent', () => {
  let stage: Stage
  let hostile: HostileProvider
  before(async () => {
    stage = await startRelying()
    hostile = await startHostileProvider('oidc')
    const { hero } = stage
    await hero.providers.add({
      own_callback: true,
      provider: 'peer',
      preset: 'oidc',
      issuer: hostile.issuer,
      title: 'The peer',
      client: 'hero',
      client_secret: 's',
    })
    await hero.users.add({ username: 'only', email: 'only@example.org' })
    await hero.users.add({ username: 'other', email: 'other@example.org' })
    await hero.users.identities.add({ user: 'only', provider: 'peer', subject: '1' })
    await hero.users.identities.add({ user: 'other', provider: 'peer', subject: 'two' })
  })
  after(async () => {
    await hostile?.close()
    await stage?.[Symbol.asyncDispose]()
  })

  /** What the provider says from now on. */
  const says = (told: Record<string, unknown>) =>
    hostile.misbehave({ claims: (claims) => ({ ...claims, ...told }) })
  const come = async () => {
    says({ auth_time: now() })
    const person = new Person()
    await person.open(`${stage.origin}/login?provider=peer&next=/auth/me`)
    assert.equal(await whoIs(person, stage.origin), 'only')
    return person
  }
  const begin = async (person: Person) =>
    person.submit(await person.open(`${stage.origin}/auth/security`), '/auth/account/add_totp', {})
  const opens = async (person: Person) =>
    / name="secret" value="[A-Z2-7]{32}"/.test((await begin(person)).text)
  /** Presses the button of the page that asks for a proof. */
  const round = async (person: Person) =>
    person.submit(await begin(person), '/auth/prove', { provider: 'peer', password: '' })

  test('a round that was begun for this proof opens it, in this session only', async () => {
    const person = await come()
    const elsewhere = await come()
    const asks = await begin(person)
    assert.equal(asks.url.pathname, '/auth/prove')
    assert.match(asks.text, /<button class="quiet" name="provider" value="peer">Sign in again with The peer/)
    const back = await round(person)
    assert.equal(back.url.pathname, '/auth/security', back.text)
    assert.ok(await opens(person))
    assert.ok(!(await opens(elsewhere)))
  })

  test('a sign-in with a fresh auth_time is not enough, and neither is a round begun by a link or for something else', async () => {
    const person = await come()
    assert.ok(!(await opens(person)))
    await person.open(`${stage.origin}/login?provider=peer&prompt=login&next=/auth/me`)
    assert.ok(!(await opens(person)))
    const { text, url } = await person.open(`${stage.origin}/auth/prove?proof=any&return_to=/auth/me`)
    assert.ok(!text.includes('name="provider"'))
    await person.follow({ text, url } as never, '/login?provider=peer&prompt=login')
    assert.ok(!(await opens(person)))
  })

  test('no auth_time, one of before the round, and another account there open nothing', async () => {
    const person = await come()
    for (const told of [{ auth_time: undefined }, { auth_time: now() - 60 }, { auth_time: now() + 3600 }]) {
      says(told)
      assert.equal((await round(person)).status, 403, JSON.stringify(told))
      assert.ok(!(await opens(person)))
    }
    hostile.misbehave({
      claims: (claims) => ({ ...claims, auth_time: now(), sub: 'two' }),
      userinfo: (person) => ({ ...person, sub: 'two' }),
    })
    const asks = await round(person)
    assert.match(asks.text, /action="\/auth\/replace"/)
    assert.ok(!(await opens(person)))
    await person.submit(asks, '/auth/replace', { answer: 'replace' })
    assert.equal(await whoIs(person, stage.origin), 'other')
    assert.ok(!(await opens(person)))
  })

  test('it counts for nothing while a code by mail or an administrator decides', async () => {
    const { hero } = stage
    for (const value of ['administrator', 'mail'] as const) {
      await hero.settings.set({ key: 'factor_enrolment', value })
      if (value === 'mail') await hero.settings.set({ key: 'smtp_host', value: 'localhost' })
      const person = await come()
      const page = await person.open(`${stage.origin}/auth/prove?return_to=/auth/security`)
      await person.submit(page, '/auth/prove', { provider: 'peer', password: '' })
      assert.ok(!(await opens(person)), value)
    }
    await hero.settings.set({ key: 'factor_enrolment', value: 'proof' })
    const person = await come()
    assert.ok(!(await opens(person)))
    await round(person)
    assert.ok(await opens(person), 'the setting asks for a proof alone')
    // It lasts as long as a fresh proof.
    await byHand(stage.daemon, async (database) => {
      await database.query.updateTable('sessions').set({ mailed_at: 1 }).where('mailed_at', '>', 0).execute()
      database.changed('sessions')
    })
    assert.ok(!(await opens(person)))
    // A person with a password gives that.
    await hero.auth.set_password({ user: 'only', password: goodPassword })
    const again = await come()
    assert.ok(await opens(again))
  })
})
