import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import {
  ClaimRequired,
  Unauthenticated,
  identityFrom,
  matchesClaim,
  requireClaim,
  satisfiesRule,
  type Identity,
} from '../../sdk/index.ts'

const sent = {
  'x-hero-user': 'ada',
  'x-hero-context': '1',
  'x-hero-claims': 'engineers.tickets.read,users.ada',
}
const ada: Identity = {
  username: 'ada',
  context: 1,
  claims: ['engineers.tickets.read', 'users.ada'],
  email: undefined,
  impersonator: undefined,
}

describe('identityFrom', () => {
  test('it reads the headers of node:http and of fetch', () => {
    assert.deepEqual(identityFrom(sent), ada)
    assert.deepEqual(identityFrom(new Headers(sent)), ada)
    assert.deepEqual(
      identityFrom(new Headers({ 'X-Hero-User': 'ada', 'X-HERO-CONTEXT': '1', 'x-hero-claims': '' })),
      {
        ...ada,
        claims: [],
      },
    )
    const more = { ...sent, 'x-proxy-user-email': 'ada@example.org', 'x-hero-impersonator': 'root' }
    assert.deepEqual(identityFrom(more), { ...ada, email: 'ada@example.org', impersonator: 'root' })
  })

  test('a header named get does not pass for fetch Headers', () => {
    assert.deepEqual(identityFrom({ ...sent, get: 'x' }), ada)
  })

  test('a username with a dot identifies a program', () => {
    for (const user of ['client.deploy', 'client.a.b_c-d', 'service.wiki'])
      assert.deepEqual(identityFrom({ ...sent, 'x-hero-user': user }), {
        ...ada,
        username: user,
        program: true,
      })
    for (const user of ['client.', 'service', '.x', 'other.deploy', 'client.a,b', 'client.a b'])
      assert.equal(identityFrom({ ...sent, 'x-hero-user': user })?.program, undefined, user)
    for (const user of ['client.', '.x', 'other.deploy', 'client.a,b'])
      assert.equal(identityFrom({ ...sent, 'x-hero-user': user }), undefined, user)
  })

  test('context 0 is valid', () => {
    assert.equal(identityFrom({ ...sent, 'x-hero-context': '0' })?.context, 0)
  })

  const malformed: Record<string, Record<string, string | string[] | undefined>> = {
    'no header at all': { 'x-hero-user': undefined, 'x-hero-context': undefined, 'x-hero-claims': undefined },
    'no user': { 'x-hero-user': undefined },
    'no context': { 'x-hero-context': undefined },
    'no claims': { 'x-hero-claims': undefined },
    'an empty user': { 'x-hero-user': '' },
    'a user sent twice': { 'x-hero-user': 'ada, root' },
    'a user as a list': { 'x-hero-user': ['ada'] },
    'a user with a dot': { 'x-hero-user': 'a.b' },
    'a user with a line break': { 'x-hero-user': 'ada\n' },
    'a user that is too long': { 'x-hero-user': 'a'.repeat(64) },
    'an empty context': { 'x-hero-context': '' },
    'a negative context': { 'x-hero-context': '-1' },
    'a context with a decimal point': { 'x-hero-context': '1.0' },
    'a context with an exponent': { 'x-hero-context': '1e3' },
    'a context with a space': { 'x-hero-context': ' 1' },
    'a context sent twice': { 'x-hero-context': '1, 0' },
    'an impersonator sent twice': { 'x-hero-impersonator': 'root, eve' },
    'an empty impersonator': { 'x-hero-impersonator': '' },
    'an address sent twice': { 'x-proxy-user-email': 'a@x.org, b@x.org' },
    'claims with a space': { 'x-hero-claims': 'a, b' },
    'an empty claim in the list': { 'x-hero-claims': 'a,,b' },
    'claims that end in a comma': { 'x-hero-claims': 'a,' },
    'a claim with a wildcard': { 'x-hero-claims': 'engineers.*' },
    'a claim with an empty segment': { 'x-hero-claims': 'a..b' },
    'a claim with non-ASCII letters': { 'x-hero-claims': 'engineérs' },
  }
  for (const [what, change] of Object.entries(malformed)) {
    test(`${what}: the caller is a guest`, () => {
      assert.equal(identityFrom({ ...sent, ...change }), undefined)
      assert.throws(() => requireClaim('users.ada')({ ...sent, ...change }), Unauthenticated)
    })
  }
})

describe('requireClaim', () => {
  const may = (rule: string | string[], claims: string) => {
    try {
      return requireClaim(rule)({ ...sent, 'x-hero-claims': claims }).username === 'ada'
    } catch (error) {
      assert.ok(error instanceof ClaimRequired)
      assert.deepEqual(error.claims, [rule].flat())
      assert.equal(error.status, 403)
      return false
    }
  }

  test('a claim matches exactly', () => {
    assert.ok(may('engineers.tickets.read', 'engineers.tickets.read'))
    assert.ok(!may('engineers.tickets.read', 'engineers.tickets'))
    assert.ok(!may('engineers.tickets.read', 'engineers.tickets.read.all'))
    assert.ok(!may('engineers.tickets.read', 'Engineers.tickets.read'))
    assert.ok(!may('engineers', ''))
  })

  test('engineers.* matches claims below engineers, and neither itself nor similar names', () => {
    assert.ok(may('engineers.*', 'engineers.tickets'))
    assert.ok(may('engineers.*', 'engineers.tickets.read'))
    assert.ok(may('engineers.tickets.*', 'engineers.tickets.read'))
    for (const claims of [
      'engineers',
      'engineersx.y',
      'groups.engineers',
      'xengineers.y',
      'ENGINEERS.y',
      '',
    ]) {
      assert.ok(!may('engineers.*', claims), claims)
    }
  })

  test('an asterisk elsewhere is no wildcard', () => {
    for (const rule of [
      '*',
      '.*',
      '*.read',
      'engineers*',
      'eng*.tickets.read',
      'engineers.*.read',
      'engineers.**',
      '',
    ]) {
      assert.ok(!may(rule, 'engineers.tickets.read,engineers'), rule)
    }
  })

  test('one claim of a list suffices, and the list must not be empty', () => {
    assert.ok(may(['wiki.*', 'users.ada'], 'users.ada'))
    assert.ok(!may(['wiki.*', 'users.root'], 'users.ada'))
    assert.throws(() => requireClaim([]), TypeError)
    const rule = ['users.ada']
    const check = requireClaim(rule)
    rule.push('anything')
    assert.throws(() => check({ ...sent, 'x-hero-claims': 'anything' }), ClaimRequired)
  })

  test('matchesClaim and satisfiesRule agree with requireClaim', () => {
    assert.ok(matchesClaim('a.*', new Set(['b', 'a.c'])))
    assert.ok(!matchesClaim('a.*', ['a']))
    assert.ok(satisfiesRule(['x', 'a.*'], new Set(['a.c']).values()))
    assert.ok(satisfiesRule([], []))
  })

  test('repeated headers in a node:http service are refused', async () => {
    const check = requireClaim('engineers.*')
    const server = createServer(({ headers }, response) => {
      try {
        response.end(check(headers).username)
      } catch (error) {
        response.writeHead((error as ClaimRequired).status).end()
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const status = (headers: string[]) =>
      new Promise<number | undefined>((resolve, reject) => {
        const list = ['Host', 'x', ...headers] as unknown as Record<string, string>
        request({ port, host: '127.0.0.1', headers: list, agent: false }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
          .on('error', reject)
          .end()
      })
    const good = Object.entries(sent).flat()
    assert.equal(await status(good), 200)
    assert.equal(await status([...good, 'X-Hero-User', 'root']), 401)
    assert.equal(await status([...good, 'X-Hero-Claims', 'engineers.all']), 401)
    assert.equal(await status([...good, 'X-Hero-Context', '0']), 401)
    assert.equal(await status([]), 401)
    assert.equal(
      await status(['X-Hero-User', 'ada', 'X-Hero-Context', '1', 'X-Hero-Claims', 'wiki.read']),
      403,
    )
    server.close()
  })
})
