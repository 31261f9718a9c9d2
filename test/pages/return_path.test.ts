import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as fc from 'fast-check'
import { goodPassword } from '../support/daemon.ts'
import { ask } from '../support/http.ts'
import { root } from '../support/daemon_process.ts'
import { returnPath } from '../../src/pages/return_path.ts'
import { openForm, postForm, startStage, type Stage } from '../support/edge_stage.ts'

const corpus = join(root, 'test', 'corpora', 'redirects', 'redirects.txt')
const place = 'http://localhost:9997/auth/login'

const decode = (text: string) =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))

/** Asserts that a browser stays on this origin, with the value as it is and decoded up to twice on the way. */
const staysHere = (location: string) => {
  for (const text of [location, decode(location), decode(decode(location))]) {
    assert.equal(
      URL.canParse(text, place) ? new URL(text, place).origin : 'broken',
      new URL(place).origin,
      text,
    )
  }
}

const own = [
  '//evil.test',
  '///evil.test',
  '/\\evil.test',
  '\\\\evil.test',
  '/\t/evil.test',
  '/\n/evil.test',
  '\t//evil.test',
  ' //evil.test',
  '/%09/evil.test',
  '/%2f/evil.test',
  '/%5cevil.test',
  '/%252fevil.test',
  '/.//evil.test',
  '/..//evil.test',
  '/x/..//evil.test',
  '/%2e//evil.test',
  '/x/%2e%2e//evil.test',
  '/.\\/evil.test',
  '/./\\evil.test',
  '/%2e/%2fevil.test',
  '/%2e%2f%2fevil.test',
  '/.%2f/evil.test',
  '/%zz/..//evil.test',
  '/%2f%2fevil.test/%zz',
  'http://evil.test',
  'https:evil.test',
  'http:/evil.test',
  'javascript:alert(1)',
  'data:text/html,x',
  'evil.test',
  '',
  '.',
  '?x',
  '#x',
  '//',
  '/\\/',
  '@evil.test',
  '/@evil.test',
  'http://door.localhost@evil.test',
  'http://door.localhost:9997/x',
  '/\u2028/evil.test',
  '/\uff0fevil.test',
  '/\u3002',
  '/\ud800',
  `/${'a'.repeat(15_000)}`,
  '/%00/evil.test',
  '/a\r\nSet-Cookie: x=y',
  '/a%0d%0aSet-Cookie:x=y',
]

describe('the redirect after signing in (D17)', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
  })
  after(() => stage.close())

  test('stays on this origin for the listed payloads', () => {
    const lines = readFileSync(corpus, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
    assert.ok(lines.length > 200)
    for (const line of lines) {
      staysHere(returnPath(line))
      staysHere(returnPath(decode(line)))
      staysHere(returnPath(`/${line}`))
    }
  })

  test('stays on this origin for payloads found in this project', () =>
    own.forEach((value) => staysHere(returnPath(value))))

  test('stays on this origin for generated strings', () => {
    const pieces = [
      '/',
      '\\',
      '.',
      '..',
      '%2f',
      '%5c',
      '%2e',
      '%25',
      '%09',
      '\t',
      ' ',
      '\n',
      ':',
      '@',
      'http',
      'evil.test',
      '?',
      '#',
      ';',
      '%zz',
      '%',
      '\u3002',
      '%e3%80%82',
      '/x',
      '%00',
      '[',
      '\u00a0',
    ]
    const made = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join(''))
    const any = fc.oneof(
      made,
      made.map((text) => `/${text}`),
      fc.string({ unit: 'binary' }),
      fc.webUrl(),
    )
    fc.assert(
      fc.property(any, (value) => staysHere(returnPath(value))),
      { numRuns: 6_000 },
    )
  })

  test('keeps paths of this origin', () => {
    for (const value of [
      '/',
      '/a/b?c=d&e=f#g',
      '/a%20b',
      '/caf%C3%A9?x=%2F',
      '/?q=100%25',
      '/a//b',
      '/a?x=http://other.test/',
    ])
      assert.equal(returnPath(value), value)
  })

  test('stays on this origin at every endpoint that takes one', async () => {
    const host = 'localhost'
    const form = await openForm(stage.daemon, host)
    for (const value of own.filter((text) => text.length < 100)) {
      const query = encodeURIComponent(value.toWellFormed())
      const headers = ['Accept', 'text/html', 'Cookie', stage.ada]
      const signedIn = await ask(stage.daemon, host, `/auth/login?return_to=${query}`, { headers })
      assert.equal(signedIn.status, 302)
      staysHere(signedIn.headers.location!)
      const old = await ask(stage.daemon, host, `/login?next=${query}`, { headers: ['Accept', 'text/html'] })
      staysHere(old.headers.location!)
      staysHere(new URL(old.headers.location!, place).searchParams.get('return_to')!)
      const page = await ask(stage.daemon, host, `/auth/login?return_to=${query}`, {
        headers: ['Accept', 'text/html', 'Cookie', form.cookie],
      })
      staysHere(/name="return_to" value="([^"]*)"/.exec(page.body)![1]!)
    }
    for (const value of [
      '/.//evil.test',
      '//evil.test',
      '/\\evil.test',
      'https://evil.test',
      '/%2e//evil.test',
    ]) {
      const fields = { form_token: form.token, login: 'ada', password: goodPassword, return_to: value }
      const { status, headers } = await postForm(stage.daemon, host, '/auth/login', fields, [
        'Cookie',
        form.cookie,
      ])
      assert.deepEqual([status, headers.location], [303, '/'], value)
    }
  })

  test('at a service, the person comes back to exactly the path they asked for', async () => {
    const host = 'inner.localhost'
    const origin = `http://${host}:9997`
    await stage.route({ domain: host, auth_mode: 'local' })
    for (const path of ['//evil.test/x?y', '/%2Fenc', '/a?x=1%23sec', '/@evil.test', '/%5cevil.test']) {
      const { status, headers } = await ask(stage.daemon, host, path, { headers: ['Accept', 'text/html'] })
      const address = `${origin}/.hero_proxy/sign_in?return_to=${encodeURIComponent(path)}`
      assert.deepEqual([status, headers.location], [302, address])
      const signedIn = await ask(stage.daemon, host, address.slice(origin.length), {
        headers: ['Accept', 'text/html', 'Cookie', stage.ada],
      })
      assert.deepEqual([signedIn.status, signedIn.headers.location], [302, origin + path])
    }
    for (const value of [
      '',
      'evil.test',
      'http://evil.test/',
      '/a b',
      '/\\evil.test',
      '/x/../y',
      '/.hero_proxy/sign_out',
    ]) {
      const { headers } = await ask(
        stage.daemon,
        host,
        `/.hero_proxy/sign_in?return_to=${encodeURIComponent(value)}`,
        { headers: ['Accept', 'text/html', 'Cookie', stage.ada] },
      )
      assert.equal(headers.location, `${origin}/`, value)
    }
  })
})
