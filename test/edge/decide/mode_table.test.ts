import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { signRequest } from '../../../sdk/index.ts'
import { authModeNames, type AuthMode as Mode } from '../../../src/routes/auth_modes.ts'
import { goodPassword } from '../../support/daemon.ts'
import { ask, askRaw } from '../../support/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../../support/upstream.ts'
import { kinds, newKey, providerSession, refusals, spoofed, type Kind } from '../mode_stage.ts'
import { folded, startStage, type Stage } from '../../support/edge_stage.ts'

/**
 * The outcome of a request: it passes with an identity (`method:user`), as a guest (`guest`, `cleared` with the cookie
 * cleared, or `bearer:` for a static token), or it is refused as its mode refuses.
 */
type Outcome =
  | 'guest'
  | 'cleared'
  | `${'network' | 'bearer' | 'oauth' | 'local' | 'signature'}:${string}`
  | 'token'
  | 'provider'
  | 'login'
  | 'sign'

const modes: readonly Mode[] = ['none', 'optional', 'bearer', 'oauth', 'local', 'signature']

/** Written by hand from the requirements: the outcome of each credential with none, optional, bearer, oauth, local, signature. */
const table: Record<string, readonly [Outcome, Outcome, Outcome, Outcome, Outcome, Outcome]> = {
  nothing: ['guest', 'guest', 'token', 'provider', 'login', 'sign'],
  'password session': ['guest', 'local:ada', 'token', 'provider', 'local:ada', 'sign'],
  'provider session': ['guest', 'oauth:olga', 'token', 'oauth:olga', 'oauth:olga', 'sign'],
  'stale session': ['guest', 'cleared', 'token', 'provider', 'login', 'sign'],
  'user token': ['guest', 'bearer:tom', 'bearer:tom', 'provider', 'login', 'sign'],
  'kept token': ['guest', 'bearer:tom', 'bearer:tom', 'provider', 'login', 'sign'],
  "a program's token": ['guest', 'bearer:client.deploy', 'bearer:client.deploy', 'provider', 'login', 'sign'],
  "a program's token for another audience": ['guest', 'guest', 'token', 'provider', 'login', 'sign'],
  'kept token as session': ['guest', 'cleared', 'token', 'provider', 'login', 'sign'],
  "the route's token": ['guest', 'guest', 'bearer:', 'provider', 'login', 'sign'],
  "the daemon's token": ['guest', 'guest', 'bearer:', 'provider', 'login', 'sign'],
  "another route's token": ['guest', 'guest', 'token', 'provider', 'login', 'sign'],
  network: ['network:nora', 'network:nora', 'token', 'provider', 'login', 'sign'],
  signature: ['guest', 'guest', 'token', 'provider', 'login', 'signature:sigi'],
  'session and network': ['network:nora', 'local:ada', 'token', 'provider', 'local:ada', 'sign'],
  'session and user token': ['guest', 'bearer:tom', 'bearer:tom', 'provider', 'local:ada', 'sign'],
  'stale session and network': ['network:nora', 'network:nora', 'token', 'provider', 'login', 'sign'],
  'session as token': ['guest', 'guest', 'token', 'provider', 'login', 'sign'],
  'user token as session': ['guest', 'cleared', 'token', 'provider', 'login', 'sign'],
}
const noCredential = table.nothing!
const invalidSession: typeof noCredential = ['guest', 'cleared', 'token', 'provider', 'login', 'sign']

/** D24: invalid credentials as headers, and their outcomes; an invalid session cookie is cleared. */
const garbage: [string[], typeof noCredential][] = [
  ...[
    '',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Basic',
    'bEaReR x',
    'Basic !!!',
    'Bearer null',
    'Negotiate x',
  ].map((value): [string[], typeof noCredential] => [['Authorization', value], noCredential]),
  [['Authorization', `Bearer ${'A'.repeat(8000)}`], noCredential],
  [['Authorization', `Bearer ${'A'.repeat(43)}`], noCredential],
  [['Authorization', 'Bearer a', 'Authorization', 'Bearer b'], noCredential],
  [['Cookie', ''], noCredential],
  [['Cookie', '__Host-hero_proxy_session'], noCredential],
  [['Cookie', '__Host-hero_proxy_session='], invalidSession],
  [['Cookie', `__Host-hero_proxy_session=${'A'.repeat(8000)}`], invalidSession],
  [['Cookie', '__Host-hero_proxy_session=!; a=b'], invalidSession],
  [['X-Signature', 'x', 'X-Signature-Pubkey', 'y'], noCredential],
]

describe('every mode with every credential and kind of request', () => {
  let stage: Stage
  let upstream: Upstream
  let credentials: Record<string, string[]>
  let privateKey: KeyObject
  let pubkey: string
  const routeToken = 'r'.repeat(40)
  const daemonToken = 'd'.repeat(40)
  const otherToken = 'o'.repeat(40)

  before(async () => {
    stage = await startStage({
      trusted_proxies: '127.0.0.1',
      forward_auth_from: '127.0.0.1',
      bearer_token: daemonToken,
    })
    const { hero } = stage.daemon
    upstream = await startUpstream()
    upstream.server.on('upgrade', (request, socket) => {
      upstream.seen.push({ method: request.method!, url: request.url!, rawHeaders: request.rawHeaders })
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    })
    for (const username of ['olga', 'tom', 'nora', 'sigi'])
      await hero.users.add({ username, email: `${username}@example.org`, password: goodPassword })
    for (const auth_mode of modes) {
      const bearer_token = auth_mode === 'bearer' ? routeToken : null
      await stage.route({
        domain: `${auth_mode}.localhost`,
        auth_mode,
        bearer_token,
        target: upstream.target,
      })
    }
    await stage.route({ domain: 'other.localhost', auth_mode: 'bearer', bearer_token: otherToken })
    await hero.settings.set({ key: 'network_login', value: true })
    await hero.users.networks.add({ user: 'nora', network: '10.9.0.0/16' })
    ;({ privateKey, pubkey } = newKey())
    await hero.users.keys.add({ user: 'sigi', pubkey })
    const hosts = modes.map((mode) => `${mode}.localhost`)
    const stale = await providerSession(stage, 'bob', 'password', hosts)
    const { items } = await hero.sessions.list({ user: 'bob' })
    await hero.sessions.revoke({ id: items[0]!.id })
    const { access_token } = await hero.auth.login({ login: 'tom', password: goodPassword })
    const kept = await hero.token.create({ user: 'tom', name: 'x', scope: 'write' })
    const deploy = await hero.clients.add({
      name: 'Deploy',
      client: 'deploy',
      scopes: ['read', 'write'],
      claims: ['deploy.run'],
    })
    const programToken = async (resource?: string) => {
      const answer = await ask(stage.daemon, 'localhost:9997', '/token', {
        method: 'POST',
        headers: [
          'Content-Type',
          'application/x-www-form-urlencoded',
          'Authorization',
          `Basic ${btoa(`${deploy.client}:${deploy.client_secret}`)}`,
        ],
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          ...(resource && { resource }),
        }).toString(),
      })
      return (JSON.parse(answer.body) as { access_token: string }).access_token
    }
    const near = ['X-Forwarded-For', '10.9.8.7']
    const bearer = (token: string) => ['Authorization', `Bearer ${token}`]
    credentials = {
      nothing: [],
      'password session': ['Cookie', stage.ada],
      'provider session': ['Cookie', await providerSession(stage, 'olga', 'forge', hosts)],
      'stale session': ['Cookie', stale],
      'user token': bearer(access_token),
      'kept token': bearer(kept.access_token),
      "a program's token": bearer(await programToken()),
      "a program's token for another audience": bearer(await programToken('http://other.localhost/')),
      'kept token as session': ['Cookie', `__Host-hero_proxy_session=${kept.access_token}`],
      "the route's token": bearer(routeToken),
      "the daemon's token": bearer(daemonToken),
      "another route's token": bearer(otherToken),
      network: near,
      'session and network': ['Cookie', stage.ada, ...near],
      'session and user token': ['Cookie', stage.ada, ...bearer(access_token)],
      'stale session and network': ['Cookie', stale, ...near],
      'session as token': bearer(stage.ada.split('=')[1]!),
      'user token as session': ['Cookie', `__Host-hero_proxy_session=${access_token}`],
    }
  })
  after(async () => {
    await upstream.close()
    await stage.close()
  })

  const send = async (mode: Mode, kind: Kind, given: readonly string[]) => {
    const { method, headers, ...rest } = kinds[kind]
    const host = `${mode}.localhost`
    const all = [...headers, ...spoofed, ...given]
    if (kind !== 'websocket') {
      const answer = await ask(stage.daemon, host, '/a?b=c', { method, headers: all, ...rest })
      return { status: answer.status, head: answer.headers as Record<string, unknown>, body: answer.body }
    }
    let lines = `GET /a?b=c HTTP/1.1\r\nHost: ${host}\r\n`
    for (let i = 0; i < all.length; i += 2) lines += `${all[i]}: ${all[i + 1]}\r\n`
    const text = await askRaw(stage.daemon, `${lines}\r\n`)
    const [head = '', body = ''] = text.split('\r\n\r\n')
    const pairs = head.split('\r\n').map((line) => line.split(': ') as [string, string])
    const map = Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value]))
    return { status: Number(head.slice(9, 12)), head: map as Record<string, unknown>, body }
  }

  const signed = (mode: Mode, kind: Kind) => {
    const { method, ...rest } = kinds[kind]
    const body = 'body' in rest ? rest.body : undefined
    return Object.entries(
      signRequest({ method, host: `${mode}.localhost`, path: '/a?b=c', body, privateKey }),
    ).flat()
  }

  const expectUpstream = (rawHeaders: readonly string[], method: string, user: string, where: string) => {
    const seen = [...folded(rawHeaders)].filter(([name]) => /^X_(HERO|PROXY)_/.test(name)).sort()
    const program = user.includes('.')
    const claims = user === 'ada' ? 'app.use,groups.team,users.ada' : program ? 'deploy.run' : `users.${user}`
    const identity = [
      ['X_HERO_CLAIMS', [claims]],
      ['X_HERO_CONTEXT', ['1']],
      ['X_HERO_USER', [user]],
    ]
    assert.deepEqual(
      seen,
      [
        ...(user === '' ? [] : identity),
        ['X_PROXY_AUTH_METHOD', [method]],
        ...(user === '' || program ? [] : [['X_PROXY_USER_EMAIL', [`${user}@example.org`]]]),
        ...(method === 'signature' ? [['X_PROXY_USER_PUBKEY', [pubkey]]] : []),
      ],
      where,
    )
    const secrets = [...valuesOf(rawHeaders, 'cookie'), ...valuesOf(rawHeaders, 'authorization')].join()
    for (const secret of ['hero_proxy', daemonToken, ...(method === 'bearer' ? ['Bearer'] : [])])
      assert.ok(!secrets.includes(secret), `${where}: a credential of hero_proxy was forwarded`)
    if (method === 'signature') assert.ok(!rawHeaders.some((text) => /^x-signature/i.test(text)), where)
  }

  const check = async (mode: Mode, kind: Kind, given: readonly string[], outcome: Outcome, what: string) => {
    const where = `${mode}, ${what}, ${kind}`
    const before = upstream.seen.length
    const { status, head, body } = await send(mode, kind, given)
    const refusal = refusals[outcome]
    if (refusal) {
      assert.equal(status, refusal.status[kind], where)
      assert.equal(head.location, status === 302 ? refusal.location : undefined, where)
      if (status === 401) assert.match(String(head['www-authenticate']), refusal.challenge, where)
      assert.ok(!body.includes('rawHeaders'), where)
      return assert.equal(upstream.seen.length, before, where)
    }
    assert.equal(status, kind === 'websocket' ? 101 : 200, where)
    assert.equal(upstream.seen.length, before + 1, where)
    const [method, user = ''] = outcome === 'guest' || outcome === 'cleared' ? ['none'] : outcome.split(':')
    expectUpstream(upstream.seen.at(-1)!.rawHeaders, method!, user, where)
    if (kind === 'websocket') return
    const cleared = String(head['set-cookie'] ?? '').includes('Max-Age=0')
    assert.equal(
      cleared,
      outcome === 'cleared' || (what === 'stale session and network' && mode === 'optional'),
      where,
    )
  }

  test('the table covers every mode', () => assert.deepEqual(authModeNames, modes))

  for (const [i, mode] of modes.entries()) {
    for (const [name, outcomes] of Object.entries(table)) {
      test(`${mode}: ${name}: ${outcomes[i]}`, async () => {
        for (const kind of Object.keys(kinds) as Kind[]) {
          const given = name === 'signature' ? signed(mode, kind) : credentials[name]!
          await check(mode, kind, given, outcomes[i]!, name)
        }
      })
    }

    test(`${mode}: invalid credentials count as none (D24)`, async () => {
      for (const [given, outcomes] of garbage)
        for (const kind of ['navigation', 'fetch', 'post', 'websocket'] as const)
          await check(mode, kind, given, outcomes[i]!, given.join().slice(0, 60))
      for (const line of ['Authorization: Bearer \0', 'Cookie: a=\0', 'X-Signature: \0'])
        assert.match(
          await askRaw(stage.daemon, `GET / HTTP/1.1\r\nHost: ${mode}.localhost\r\n${line}\r\n\r\n`),
          /^HTTP\/1\.1 400 /,
        )
    })
  }
})
