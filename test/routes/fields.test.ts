import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AlreadyExists, InvalidParams, type HeroProxy } from '../../sdk/index.ts'
import { startTestDaemon } from '../support/daemon.ts'

const target = 'http://127.0.0.1:3000'
type Fields = Parameters<HeroProxy['proxy']['routes']['add']>[0]

describe('what a route says besides where it leads', () => {
  let daemon: Awaited<ReturnType<typeof startTestDaemon>>
  let count = 0
  before(async () => {
    daemon = await startTestDaemon({ public_url: 'https://id.example.org' })
  })
  after(() => daemon.close())

  const add = (fields: Partial<Fields> = {}) =>
    daemon.hero.proxy.routes.add({ domain: `r${count++}.test`, target, auth_mode: 'local', ...fields })
  const update = (id: string, fields: object) => daemon.hero.proxy.routes.update({ id, ...fields })
  const refusedFor = (path: string, allowed: RegExp) => (error: unknown) => {
    assert.ok(error instanceof InvalidParams, String(error))
    assert.equal(error.data?.path, path)
    assert.match(String(error.data.allowed), allowed)
    return true
  }

  test('a name: given, or made from domain and path', async () => {
    assert.equal((await add({ name: 'Wiki' })).name, 'Wiki')
    assert.equal((await add({ domain: 'Notes.Example.org' })).name, 'notes-example-org')
    assert.equal(
      (await add({ domain: 'notes.example.org', path_prefix: '/API/v1.2' })).name,
      'notes-example-org-api-v1-2',
    )
    assert.equal((await add({ domain: '*.example.org' })).name, 'any-example-org')
    const long = await add({ domain: `${'a'.repeat(60)}.bc.test` })
    assert.equal(long.name, `${'a'.repeat(60)}-bc`)
  })

  test('a made name that is taken gets a number; a given one is refused, in any case', async () => {
    const first = await add({ domain: 'a-b.c.test' })
    assert.equal(first.name, 'a-b-c-test')
    assert.equal((await add({ domain: 'a.b-c.test' })).name, 'a-b-c-test-2')
    assert.equal((await add({ domain: 'a.b.c-test' })).name, 'a-b-c-test-3')
    const taken = (error: unknown) => {
      assert.ok(error instanceof AlreadyExists)
      assert.equal(error.data?.path, 'name')
      return true
    }
    await assert.rejects(add({ name: 'A-B-C-Test' }), taken)
    const other = await add()
    await assert.rejects(update(other.id, { name: 'A-b-c-test' }), taken)
    assert.equal((await update(first.id, { name: 'A-B-C-TEST' })).name, 'A-B-C-TEST')
    await assert.rejects(add({ name: 'two words' }), refusedFor('name', /1 to 63 letters/))
  })

  test('the fields that people see come back as they were given', async () => {
    const shown = { title: 'Das Wiki 🏠', icon: 'book', description: 'Alles, was wir wissen', listed: false }
    const route = await add(shown as Partial<Fields>)
    assert.deepEqual({ ...route, ...shown }, route)
    assert.deepEqual(await daemon.hero.proxy.routes.get({ id: route.id }), route)
    const plain = await add()
    assert.deepEqual(
      [plain.title, plain.icon, plain.description, plain.listed, plain.origin, plain.also],
      [null, null, '', true, null, []],
    )
    assert.deepEqual(
      [plain.rpc, plain.shares_home, plain.confirm, plain.no_store, plain.webfinger],
      [false, false, false, false, false],
    )
  })

  test('text for people holds nothing that hides or turns other text', async () => {
    const { id } = await add()
    for (const mark of ['\u0007', '\n', '\u007f', '\u0085', '\u2028', '\u2029', '\u202e', '\u2066', '\u2069'])
      for (const field of ['title', 'description'])
        await assert.rejects(
          update(id, { [field]: `Wiki${mark}` }),
          refusedFor(field, /without control characters, line separators or marks/),
          JSON.stringify(mark),
        )
    await assert.rejects(update(id, { title: 'x'.repeat(61) }), refusedFor('title', /at most 60/))
  })

  test('an icon is a name of the set, never an address', async () => {
    const { id } = await add()
    for (const icon of ['https://evil.example/a.svg', 'data:image/svg+xml,x', '/a.svg', 'Book', 'toString'])
      await assert.rejects(update(id, { icon }), refusedFor('icon', /book, calendar/))
  })

  test('sign_in_paths follows the mode until it is given', async () => {
    for (const [auth_mode, on] of [
      ['optional', true],
      ['oauth', true],
      ['local', true],
      ['none', false],
      ['bearer', false],
      ['signature', false],
    ] as const) {
      const { id, sign_in_paths } = await add({ auth_mode })
      assert.equal(sign_in_paths, on, auth_mode)
      assert.equal((await update(id, { sign_in_paths: !on })).sign_in_paths, !on)
      assert.equal((await update(id, { enabled: false })).sign_in_paths, !on, 'other changes keep it')
    }
    const { id } = await add({ auth_mode: 'local', sign_in_paths: false })
    assert.equal((await update(id, { auth_mode: 'optional' })).sign_in_paths, false, 'the same default')
    assert.equal((await update(id, { auth_mode: 'none' })).sign_in_paths, false)
    assert.equal((await update(id, { auth_mode: 'local' })).sign_in_paths, true)
    const both = await update(id, { auth_mode: 'none', sign_in_paths: true })
    assert.equal(both.sign_in_paths, true)
  })

  test('an origin has the domain of its route, in one spelling', async () => {
    const domain = 'Origin.test'
    const { id, origin } = await add({ domain, origin: 'HTTPS://ORIGIN.test:443' })
    assert.equal(origin, 'https://origin.test')
    assert.equal((await update(id, { origin: 'http://origin.test:80' })).origin, 'http://origin.test')
    assert.equal(
      (await update(id, { origin: 'https://origin.test:08443' })).origin,
      'https://origin.test:8443',
    )
    const wildcard = await add({ domain: '*.many.test', origin: 'https://*.many.test:8443' })
    assert.equal(wildcard.origin, 'https://*.many.test:8443')
    for (const wrong of ['https://other.test', 'https://*.origin.test', 'https://origin.test.'])
      await assert.rejects(update(id, { origin: wrong }), refusedFor('origin', /https:\/\/origin\.test:PORT/))
    for (const port of ['0', '65536', '99999'])
      await assert.rejects(
        update(id, { origin: `https://origin.test:${port}` }),
        refusedFor('origin', /1 to 65535/),
      )
    for (const wrong of ['origin.test', 'ftp://origin.test', 'https://origin.test/', 'https://a@origin.test'])
      await assert.rejects(update(id, { origin: wrong }), refusedFor('origin', /https:\/\/DOMAIN/))
    await assert.rejects(update(id, { domain: 'moved.test' }), refusedFor('origin', /moved\.test/))
    await update(id, { domain: 'moved.test', origin: null })
  })

  test('all routes of a host have one origin', async () => {
    const domain = 'one.test'
    const first = await add({ domain, name: 'first', origin: 'https://one.test:8443' })
    const silent = await add({ domain, path_prefix: '/a' })
    const second = { domain, path_prefix: '/b', origin: 'https://one.test' }
    const names = (error: unknown) => {
      assert.ok(refusedFor('origin', /https:\/\/one\.test:8443, the origin of the route "first"/)(error))
      assert.equal((error as InvalidParams).data?.route, 'first')
      return true
    }
    await assert.rejects(add(second), names)
    await assert.rejects(update(silent.id, { origin: 'http://one.test:8443' }), names)
    assert.equal((await add({ ...second, origin: 'https://ONE.test:8443' })).origin, first.origin)
    await add({ domain: 'other.one.test', origin: 'https://other.one.test' })
  })

  test('also names hosts at which people are signed in', async () => {
    await add({ domain: 'api.also.test' })
    await add({ domain: '*.wide.test', auth_mode: 'optional' })
    await add({ domain: 'open.also.test', auth_mode: 'none' })
    await add({ domain: 'hidden.wide.test', auth_mode: 'bearer' })
    const domain = 'app.also.test'
    const { id, also } = await add({ domain, also: ['API.also.test', 'x.wide.test'] })
    assert.deepEqual(also, ['api.also.test', 'x.wide.test'])
    for (const wrong of [
      ['open.also.test'],
      ['nowhere.test'],
      ['hidden.wide.test'],
      ['wide.test'],
      [domain],
      ['id.example.org'],
    ])
      await assert.rejects(update(id, { also: wrong }), refusedFor('also/0', /optional, oauth or local/))
    await assert.rejects(
      update(id, { also: ['api.also.test', 'Api.also.test'] }),
      refusedFor('also/1', /once/),
    )
    await assert.rejects(update(id, { also: ['*.wide.test'] }), InvalidParams)
    await assert.rejects(
      update(id, { also: ['api.also.test', 'x.wide.test', 'y.wide.test'] }),
      refusedFor('also', /two hosts/),
    )
    await assert.rejects(update(id, { auth_mode: 'bearer' }), refusedFor('also', /where people sign in/))
    await update(id, { auth_mode: 'bearer', also: [] })
  })
})
