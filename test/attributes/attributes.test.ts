import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { HeroProxy } from '../../sdk/index.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand, person } from '../support/people.ts'
import { refused } from '../support/refused.ts'

type Fields = Parameters<HeroProxy['attributes']['add']>[0]

onSqliteFirst('attributes', (newUrl) => {
  let daemon: TestDaemon
  let hero: HeroProxy
  let grace: HeroProxy
  let ada: HeroProxy
  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl() })
    hero = daemon.hero
    grace = await person(daemon, 'grace')
    ada = await person(daemon, 'ada', { is_admin: true })
    for (const username of ['joan', 'linus']) await hero.users.add({ username })
  })
  after(() => daemon.close())

  const say = (username: string, attributes: Record<string, unknown>, by = hero) =>
    by.users.update({ username, attributes: attributes as never })
  const of = async (username: string) => (await hero.users.get({ username })).attributes
  const define = (fields: Omit<Fields, 'type' | 'source'> & Partial<Fields>) =>
    hero.attributes.add({ type: 'text', source: 'administrator', ...fields })

  test('given name, family name, language and time zone are there from the start, for people to say', async () => {
    const { items } = await hero.attributes.list()
    assert.deepEqual(
      items.map(({ name, source, scope }) => [name, source, scope]),
      ['family_name', 'given_name', 'locale', 'zoneinfo'].map((name) => [name, 'person', 'profile']),
    )
    assert.equal(await of('grace'), undefined)
    await say('grace', { given_name: 'Grace', zoneinfo: 'America/New_York', locale: 'en-US' }, grace)
    assert.deepEqual(await of('grace'), {
      given_name: 'Grace',
      zoneinfo: 'America/New_York',
      locale: 'en-US',
    })
    await say('grace', { locale: null, given_name: 'G.' }, grace)
    assert.deepEqual(await of('grace'), { given_name: 'G.', zoneinfo: 'America/New_York' })
    for (const wrong of [{ zoneinfo: 'Mars/Base' }, { locale: 'x' }, { locale: 'en\n' }, { given_name: '' }])
      await refused(say('grace', wrong, grace), 'invalid_params', `attributes.${Object.keys(wrong)[0]}`)
  })

  test('each type takes its values and no others', async () => {
    await define({ name: 'motto' })
    await define({ name: 'floor', type: 'number', values: [1, 2] })
    await define({ name: 'remote', type: 'boolean' })
    await define({ name: 'teams', type: 'list', values: ['red', 'blue'] })
    await define({ name: 'quota', pattern: '[0-9]{1,4} [MG]B' })
    const right = { motto: '{name} & co', floor: 2, remote: false, teams: ['red', 'blue'], quota: '5 GB' }
    assert.deepEqual((await say('joan', right)).attributes, right)
    const wrong: Record<string, unknown[]> = {
      motto: ['', ' a', 'a\nb', 'a\r\nSet-Cookie: x', 'a\u2028b', 'a\u202eb', 'x'.repeat(256), 7, ['a']],
      floor: [3, '1', true],
      remote: [0, 'true', 'no'],
      teams: ['red', ['green'], ['red', 'red'], [1]],
      quota: ['5 GB ', '5 TB', 'x5 GB', '5 GB\n', '55555 GB'],
    }
    for (const [name, values] of Object.entries(wrong))
      for (const value of values) await refused(say('joan', { [name]: value }), 'invalid_params')
    assert.deepEqual(await of('joan'), right)
  })

  test('names that mean something to JavaScript, to JWT or to us are none', async () => {
    for (const name of [
      '__proto__',
      'Quota',
      '1st',
      'a.b',
      'a'.repeat(64),
      'sub',
      'nonce',
      'groups',
      'email_verified',
      'acr',
      'email',
      'name',
      'picture',
    ])
      await refused(define({ name }), 'invalid_params')
    await define({ name: 'constructor' })
    await say('linus', { constructor: 'x' })
    assert.deepEqual(await of('linus'), { constructor: 'x' })
    await hero.attributes.remove({ name: 'constructor' })
    const raw = `{"username":"linus","attributes":{"__proto__":"x"}}`
    await refused(hero.users.update(JSON.parse(raw) as never), 'invalid_params')
    await refused(say('linus', { nothing: 'x' }), 'invalid_params', 'attributes.nothing')
    assert.equal(await of('linus'), undefined)
  })

  test('people say what is theirs, administrators the rest, with a fresh proof, and nobody what a provider says', async () => {
    await define({ name: 'desk' })
    await hero.providers.add({
      provider: 'forge',
      preset: 'forge',
      issuer: 'https://forge.example.org',
      client: 'c',
      client_secret: 's',
    })
    await define({ name: 'rank', source: 'forge' })
    await refused(define({ name: 'other', source: 'nobody' }), 'invalid_params', 'source')
    await refused(say('grace', { desk: '1' }, grace), 'claim_required', 'attributes.desk')
    await refused(say('joan', { given_name: 'J' }, grace), 'claim_required')
    await refused(say('grace', { rank: '1' }, grace), 'invalid_params', 'attributes.rank')
    await refused(say('grace', { rank: '1' }), 'invalid_params', 'attributes.rank')
    await say('grace', { desk: '1' }, ada)
    await byHand(daemon, async (database) => {
      await database.query
        .updateTable('sessions')
        .set({ proven_at: Math.floor(Date.now() / 1000) - 1000 })
        .execute()
      database.changed('sessions')
    })
    await refused(say('grace', { desk: '2' }, ada), 'proof_required')
    await refused(say('ada', { desk: '2' }, ada), 'proof_required')
    await say('ada', { given_name: 'Ada' }, ada)
    assert.equal((await of('grace'))?.desk, '1')
    const { access_token } = await hero.token.create({ user: 'ada', name: 'script', scope: 'write' })
    await refused(say('grace', { desk: '2' }, hero.as(access_token)), 'claim_required')
  })

  test('a unique value is one person’s, in any spelling that an application may fold', async () => {
    await define({ name: 'staff', unique: true })
    await say('joan', { staff: 'Bob' })
    for (const taken of ['Bob', 'bob', 'ＢＯＢ', 'bo\u200bb', 'BOB'])
      await refused(say('linus', { staff: taken }), 'already_exists', 'attributes.staff')
    await say('joan', { staff: 'bOb' })
    const both = await Promise.allSettled(['joan', 'linus'].map((name) => say(name, { staff: 'race' })))
    assert.equal(both.filter(({ status }) => status === 'fulfilled').length, 1)
    await hero.users.remove({ username: 'joan' })
    await say('linus', { staff: 'bob' })
    await refused(define({ name: 'flags', type: 'list', unique: true }), 'invalid_params', 'unique')
  })

  test('another source removes what the first one said, and removal all of it', async () => {
    await define({ name: 'nick', source: 'person', unique: true })
    await say('grace', { nick: 'boss' }, grace)
    await hero.attributes.update({ name: 'nick', values: ['boss'] })
    assert.equal((await of('grace'))?.nick, 'boss')
    await hero.attributes.update({ name: 'nick', source: 'administrator' })
    assert.equal((await of('grace'))?.nick, undefined)
    await say('grace', { nick: 'boss' })
    await hero.attributes.remove({ name: 'nick' })
    await define({ name: 'nick', source: 'administrator' })
    assert.equal((await of('grace'))?.nick, undefined)
  })

  test('a definition that contradicts itself is refused', async () => {
    const wrong: [string, Partial<Fields>][] = [
      ['pattern', { pattern: '(' }],
      ['pattern', { pattern: '(?=a)a' }],
      ['pattern', { type: 'number', pattern: 'a' }],
      ['values', { values: [1] }],
      ['values', { type: 'number', values: ['1'] }],
      ['values', { type: 'boolean', values: ['x'] }],
    ]
    for (const [path, fields] of wrong)
      await refused(define({ name: 'odd', ...fields }), 'invalid_params', path)
    // Applications would find accounts by what a person says.
    await refused(define({ name: 'uid', source: 'person', scope: 'profile' }), 'invalid_params', 'scope')
    await refused(define({ name: 'uid', scope: 'profile' }), 'invalid_params', 'scope')
    await define({ name: 'uid', scope: 'profile', unique: true })
    await refused(hero.attributes.update({ name: 'uid', source: 'person' }), 'invalid_params', 'scope')
    await refused(define({ name: 'uid' }), 'already_exists', 'name')
    await refused(hero.attributes.update({ name: 'missing' }), 'not_found')
  })

  test('a pattern that makes other engines slow takes no time', async () => {
    await define({ name: 'slow', pattern: '(a+)+$' })
    const began = performance.now()
    await refused(say('linus', { slow: `${'a'.repeat(254)}b` }), 'invalid_params')
    assert.ok(performance.now() - began < 1000)
  })
})
