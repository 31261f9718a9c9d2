import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { signRequest } from '../../../sdk/index.ts'
import { authModeNames } from '../../../src/routes/auth_modes.ts'
import { goodPassword } from '../../support/daemon.ts'
import { ask, askRaw } from '../../support/http.ts'
import { valuesOf } from '../../support/upstream.ts'
import { newKey, providerSession } from '../mode_stage.ts'
import { folded, got, startStage, type Stage } from '../../support/edge_stage.ts'

const separators = [..."-_.~!#$%&'*+^`|"]
const reserved = [
  ['x', 'hero', 'user'],
  ['x', 'hero', 'context'],
  ['x', 'hero', 'claims'],
  ['x', 'hero', 'impersonator'],
  ['x', 'hero', 'foo'],
  ['x', 'proxy', 'user', 'email'],
  ['x', 'proxy', 'user', 'pubkey'],
  ['x', 'proxy', 'auth', 'method'],
] as const

/** Every name above with each separator, alone and mixed with the usual one, in three cases. */
const spellings = reserved.flatMap((parts) =>
  separators.flatMap((separator) => {
    const names = [parts.join(separator), `${parts[0]}${separator}${parts.slice(1).join('-')}`]
    return names.flatMap((name) => [
      name,
      name.toUpperCase(),
      name.replaceAll(/\b[a-z]/g, (c) => c.toUpperCase()),
    ])
  }),
)

const chunks = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))

describe('identity headers (D01 to D05)', () => {
  let stage: Stage
  const { privateKey, pubkey } = newKey()
  let token: string
  let provided: string

  before(async () => {
    stage = await startStage()
    const { hero } = stage.daemon
    const bearer_token = 's'.repeat(40)
    for (const auth_mode of authModeNames)
      await stage.route({ domain: `${auth_mode}.localhost`, auth_mode, bearer_token })
    await hero.users.keys.add({ user: 'ada', pubkey })
    token = (await hero.auth.login({ login: 'bob', password: goodPassword })).access_token
    provided = await providerSession(
      stage,
      'bob',
      'forge',
      authModeNames.map((mode) => `${mode}.localhost`),
    )
  })
  after(() => stage.close())

  /** Asserts the identity headers of the proxy, and fails on every other header of the two families. */
  const expectIdentity = (rawHeaders: readonly string[], who: 'guest' | 'ada' | 'bob', method: string) => {
    const seen = [...folded(rawHeaders)].filter(([name]) => /^X_(HERO|PROXY)_/.test(name)).sort()
    const wanted = {
      guest: [],
      ada: [
        ['X_HERO_CLAIMS', ['app.use,groups.team,users.ada']],
        ['X_HERO_CONTEXT', ['1']],
        ['X_HERO_USER', ['ada']],
      ],
      bob: [
        ['X_HERO_CLAIMS', ['users.bob']],
        ['X_HERO_CONTEXT', ['1']],
        ['X_HERO_USER', ['bob']],
      ],
    }[who]
    const key = method === 'signature' ? [['X_PROXY_USER_PUBKEY', [pubkey]]] : []
    const email = who === 'guest' ? [] : [['X_PROXY_USER_EMAIL', [`${who}@example.org`]]]
    assert.deepEqual(seen, [...wanted, ['X_PROXY_AUTH_METHOD', [method]], ...email, ...key])
  }

  const callers = [
    { mode: 'none', who: 'guest', by: 'nothing', method: 'none' },
    { mode: 'none', who: 'guest', by: 'session', method: 'none' },
    { mode: 'optional', who: 'guest', by: 'nothing', method: 'none' },
    { mode: 'optional', who: 'ada', by: 'session', method: 'local' },
    { mode: 'optional', who: 'bob', by: 'token', method: 'bearer' },
    { mode: 'bearer', who: 'bob', by: 'token', method: 'bearer' },
    { mode: 'bearer', who: 'guest', by: 'static token', method: 'bearer' },
    { mode: 'oauth', who: 'bob', by: 'provider', method: 'oauth' },
    { mode: 'local', who: 'ada', by: 'session', method: 'local' },
    { mode: 'signature', who: 'ada', by: 'signature', method: 'signature' },
  ] as const

  for (const { mode, who, by, method } of callers) {
    const title = `${mode}, by ${by}`
    const credential = (): string[] => {
      if (by === 'session') return ['Cookie', stage.ada]
      if (by === 'provider') return ['Cookie', provided]
      if (by === 'token') return ['Authorization', `Bearer ${token}`]
      if (by === 'static token') return ['Authorization', `Bearer ${'s'.repeat(40)}`]
      if (by === 'nothing') return []
      const request = { method: 'GET', host: 'signature.localhost', path: '/', privateKey }
      return Object.entries(signRequest(request)).flat()
    }

    test(`${title}: an identity header of the client is removed in every spelling`, async () => {
      for (const names of chunks(spellings, 90)) {
        const headers = [...credential(), ...names.flatMap((name) => [name, 'root'])]
        const answer = await ask(stage.daemon, `${mode}.localhost`, '/', { headers })
        assert.equal(answer.status, 200)
        expectIdentity(got(answer).rawHeaders, who, method)
        assert.ok(!answer.body.includes('root'), 'a value of the client was forwarded')
      }
    })

    test(`${title}: a header that the client repeats 2 or 50 times is replaced`, async () => {
      for (const times of [2, 50]) {
        const headers = [
          ...credential(),
          ...Array.from({ length: times }, () => ['X-Hero-User', 'root']).flat(),
        ]
        const answer = await ask(stage.daemon, `${mode}.localhost`, '/', { headers })
        expectIdentity(got(answer).rawHeaders, who, method)
      }
    })

    test(`${title}: a Connection header of the client removes none of the proxy's headers`, async () => {
      const answer = await ask(stage.daemon, `${mode}.localhost`, '/', {
        headers: [
          ...credential(),
          'Connection',
          'close, X-Hero-User, X-Hero-Claims, x-forwarded-for, X-Proxy-Auth-Method, X-Secret-Hop',
          'Connection',
          'x-hero-context, Cookie',
          'X-Secret-Hop',
          'yes',
        ],
      })
      const { rawHeaders } = got(answer)
      expectIdentity(rawHeaders, who, method)
      assert.deepEqual(valuesOf(rawHeaders, 'x-forwarded-for'), ['127.0.0.1'])
      assert.deepEqual(valuesOf(rawHeaders, 'x-secret-hop'), [])
      assert.ok(!valuesOf(rawHeaders, 'connection').join().toLowerCase().includes('hero'))
    })
  }

  test('identity headers that a user lacks are not taken from the request (D05)', async () => {
    const answer = await ask(stage.daemon, 'local.localhost', '/', {
      headers: [
        'X-Hero-Claims',
        'admin',
        'X-Hero-Impersonator',
        'root',
        'Cookie',
        stage.bob,
        'x-hero-claims',
        'admin',
      ],
    })
    expectIdentity(got(answer).rawHeaders, 'bob', 'local')
  })

  test('for a user without an email address, an X-Proxy-User-Email of the client is removed', async () => {
    await stage.daemon.hero.users.update({ username: 'bob', email: null })
    const headers = ['Cookie', stage.bob, 'X-Proxy-User-Email', 'root@example.org']
    const answer = await ask(stage.daemon, 'local.localhost', '/', { headers })
    assert.deepEqual(valuesOf(got(answer).rawHeaders, 'x-proxy-user-email'), [])
    await stage.daemon.hero.users.update({ username: 'bob', email: 'bob@example.org' })
  })

  test('trailers of a request carry no identity', async () => {
    const answer = await askRaw(
      stage.daemon,
      `POST / HTTP/1.1\r\nHost: optional.localhost\r\nTransfer-Encoding: chunked\r\nTrailer: X-Hero-User\r\nConnection: close\r\n\r\n2\r\nhi\r\n0\r\nX-Hero-User: root\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 200 /)
    assert.ok(!answer.includes('root'))
  })

  test('spelling variants of framing headers and the header Proxy are not forwarded', async () => {
    const headers = [
      'Content_Length',
      '5',
      'Transfer_Encoding',
      'chunked',
      'Content.Length',
      '5',
      'Proxy',
      'http://evil.test',
    ]
    const { rawHeaders } = got(await ask(stage.daemon, 'optional.localhost', '/', { headers }))
    const names = folded(rawHeaders)
    for (const name of ['CONTENT_LENGTH', 'TRANSFER_ENCODING', 'PROXY']) assert.ok(!names.has(name), name)
  })

  test('headers of the application are forwarded unchanged', async () => {
    const headers = [
      'X-App_Token',
      'a',
      'x.custom',
      'b',
      'Accept-Language',
      'de',
      'X-Heroic',
      'c',
      'X-Twice',
      '1',
      'X-Twice',
      '2',
    ]
    const { rawHeaders } = got(await ask(stage.daemon, 'optional.localhost', '/', { headers }))
    for (const name of ['X-App_Token', 'x.custom', 'X-Heroic'])
      assert.equal(valuesOf(rawHeaders, name).length, 1, name)
    assert.deepEqual(valuesOf(rawHeaders, 'x-twice'), ['1', '2'])
  })

  test('an upgrade request carries the same identity headers', async () => {
    const spoofed = spellings
      .slice(0, 60)
      .map((name) => `${name}: root\r\n`)
      .join('')
    const answer = await askRaw(
      stage.daemon,
      `GET / HTTP/1.1\r\nHost: local.localhost\r\nCookie: ${stage.ada}\r\n${spoofed}Connection: Upgrade, X-Hero-User\r\nUpgrade: websocket\r\n\r\n`,
    )
    const seen = stage.upstream.seen.at(-1)!
    assert.match(answer, /^HTTP\/1\.1 200 /, 'an upstream may answer an upgrade with a plain response')
    expectIdentity(seen.rawHeaders, 'ada', 'local')
  })
})
