import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isName, nameFrom, shownName } from '../../src/contract/names.ts'
import { newId, now } from '../../src/storage/ids.ts'
import { render } from '../../src/mail/render.ts'
import { catalogueOf } from '../../src/strings/language.ts'
import { Authenticator } from '../support/authenticator.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand, person } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import type { HeroProxy } from '../../sdk/index.ts'

const char = (code: number) => String.fromCodePoint(code)
/** Each alone and inside other text. */
const invisible = [
  0x00, 0x09, 0x0a, 0x0d, 0x1b, 0x7f, 0x85, 0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x180e, 0x200b,
  0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202d, 0x202e, 0x2060, 0x2061, 0x2066, 0x2069,
  0x206f, 0x2800, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xe000, 0x1d173, 0xe0001, 0xe0041, 0xe0100,
].map(char)
const refusedNames = [
  '',
  ' ',
  '\u00a0\u3000',
  '…',
  '👍',
  '\u0301',
  'x'.repeat(81),
  ...invisible,
  ...invisible.map((one) => `Ada${one}Lovelace`),
  'Visit\nhttps://evil.example',
]
const goodNames = [
  'A',
  '7',
  'Ada Lovelace',
  'Žofie Ďuríková',
  '山田 太郎',
  'محمد',
  'Kim’s phone (2)',
  'x'.repeat(80),
  '𝒜da',
  '👍 ok',
]

test('the rule for names', () => {
  for (const name of refusedNames) assert.equal(isName(name), false, JSON.stringify(name))
  for (const name of goodNames) {
    assert.equal(isName(name), true, name)
    assert.equal(shownName(name), name)
    assert.equal(nameFrom(name), name)
  }
  for (const one of invisible) assert.equal(shownName(`a${one}b`), 'a\ufffdb')
  assert.equal(nameFrom(' Ada\u202e\n\u200bLovelace '), 'Ada Lovelace')
  assert.equal(nameFrom('\u3164'), '')
  assert.equal(nameFrom(`${'x'.repeat(79)} y`), 'x'.repeat(79))
})

describe('every name that people choose follows it', () => {
  let daemon: TestDaemon
  let hero: HeroProxy
  let ada: HeroProxy
  let invalid: (name: string) => Promise<unknown>[]
  before(async () => {
    daemon = await startTestDaemon()
    hero = daemon.hero
    await hero.settings.set({ key: 'registration_mode', value: 'open' })
    await hero.settings.set({ key: 'client_registration', value: 'token' })
    ada = await person(daemon, 'ada')
    await hero.groups.add({ slug: 'choir' })
    await hero.clients.add({ client: 'wiki', name: 'Wiki', grants: ['client_credentials'] })
    const key = new Authenticator(daemon.config.public_url)
    const attestation = key.create(await ada.factors.passkey_options())
    const { id } = await ada.factors.add_passkey({ name: 'Key', attestation })
    const other = new Authenticator(daemon.config.public_url)
    const more = other.create(await ada.factors.passkey_options())
    const target = 'http://127.0.0.1:9'
    const route = await hero.proxy.routes.add({ domain: 'a.test', target, auth_mode: 'none' })
    invalid = (name) => [
      hero.users.add({ username: 'x', display_name: name }),
      hero.users.update({ username: 'ada', display_name: name }),
      hero.auth.register({
        username: 'x',
        email: 'x@example.org',
        password: goodPassword,
        display_name: name,
      }),
      hero.groups.add({ slug: 'x', name }),
      hero.groups.update({ group: 'choir', name }),
      hero.clients.add({ client: 'x', name, grants: ['client_credentials'] }),
      hero.clients.update({ client: 'wiki', name }),
      hero.clients.registration_tokens.add({ name }),
      hero.token.create({ user: 'ada', name }),
      ada.factors.add_passkey({ name, attestation: more }),
      ada.factors.rename_passkey({ id, name }),
      hero.proxy.routes.add({ domain: 'b.test', target, auth_mode: 'none', title: name }),
      hero.proxy.routes.update({ id: route.id, title: name }),
      hero.providers.add({
        provider: 'x',
        preset: 'oidc',
        issuer: 'https://x.test',
        client: 'x',
        title: name,
      }),
    ]
  })
  after(() => daemon.close())

  test('when it is set', async () => {
    for (const name of refusedNames)
      for (const [i, call] of invalid(name).entries()) {
        const error = await refused(call, 'invalid_params')
        assert.match(String(error.data.path), /^(name|display_name|title)/, `${i} ${JSON.stringify(name)}`)
      }
  })

  test('and values of an earlier version are shown with a replacement for what it refuses', async () => {
    const old = 'Bank\u202e\nof\u200bevil'
    const shown = 'Bank\ufffd\ufffdof\ufffdevil'
    await byHand(daemon, async (database) => {
      const { query } = database
      await query.updateTable('users').set({ display_name: old }).where('username', '=', 'ada').execute()
      await query
        .updateTable('groups')
        .set({ name: old, description: old })
        .where('slug', '=', 'choir')
        .execute()
      await query.updateTable('clients').set({ name: old }).where('client', '=', 'wiki').execute()
      await query.updateTable('passkeys').set({ name: old }).execute()
      await query.updateTable('routes').set({ title: old }).execute()
      await query.updateTable('roles').set({ description: old }).execute()
      const { id } = await query
        .selectFrom('users')
        .select('id')
        .where('username', '=', 'ada')
        .executeTakeFirstOrThrow()
      await query
        .insertInto('user_networks')
        .values({ id: newId(), user_id: id, network: '10.0.0.0/8', description: old, created_at: now() })
        .execute()
      for (const subject of ['users', 'groups', 'clients', 'routes'] as const) database.changed(subject)
    })
    await hero.token.create({ user: 'ada', name: 'Script' })
    await byHand(daemon, ({ query }) => query.updateTable('tokens').set({ name: old }).execute())
    assert.equal((await hero.users.get({ username: 'ada' })).display_name, shown)
    assert.equal((await hero.users.list({ search: 'ada' })).items[0]!.display_name, shown)
    const group = await hero.groups.get({ group: 'choir' })
    assert.deepEqual([group.name, group.description], [shown, shown])
    assert.equal((await hero.clients.get({ client: 'wiki' })).name, shown)
    assert.equal((await hero.factors.list({ user: 'ada' })).passkeys[0]!.name, shown)
    assert.equal((await hero.proxy.routes.list({})).items[0]!.title, shown)
    assert.equal((await hero.roles.list({})).items[0]!.description, shown)
    assert.equal((await hero.users.networks.list({ user: 'ada' })).items[0]!.description, shown)
    assert.equal((await hero.token.list({ user: 'ada' })).items[0]!.name, shown)
    await hero.clients.registration_tokens.add({ name: 'Editor' })
    await byHand(daemon, ({ query }) => query.updateTable('registration_tokens').set({ name: old }).execute())
    assert.equal((await hero.clients.registration_tokens.list()).items[0]!.name, shown)
    const words = await catalogueOf('en')
    const change = { what: 'passkey_added', name: old } as const
    for (const mail of [
      render(words, 'reset', 'Desk', { name: old, link: 'https://id.test/x', lifetime: 60 }),
      render(words, 'factors_changed', 'Desk', { change }),
    ]) {
      assert.match(mail.text, /Bank\ufffd.?of\ufffdevil/)
      assert.doesNotMatch(mail.text, /[\u202e\u200b]/)
    }
  })
})
