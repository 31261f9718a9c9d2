import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { RouteTrial } from '../../../sdk/methods.ts'
import { goodPassword } from '../../support/daemon.ts'
import { ask, askRaw } from '../../support/http.ts'
import { startUpstream } from '../../support/upstream.ts'
import { paths as hostile } from '../hostile_paths.ts'
import { got, openAt, startStage, type Stage } from '../../support/edge_stage.ts'

const kinds = {
  navigation: ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate'],
  fetch: ['Accept', '*/*', 'Sec-Fetch-Mode', 'cors'],
} as const

/** The headers of the proxy that the upstream received, without the values that differ in each request. */
const ours = (rawHeaders: readonly string[]): string[] => {
  const list: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (!/^(host|x-(hero|proxy|forwarded)-.*|x-request-id)$/i.test(name)) continue
    const differs = name === 'X-Request-Id' || name === 'X-Hero-Assertion'
    list.push(`${name}: ${differs ? '…' : rawHeaders[i + 1]}`)
  }
  return list
}

describe('proxy.routes.test agrees with what happens', () => {
  let stage: Stage
  const tokens = new Map<string, string>()
  before(async () => {
    stage = await startStage()
    for (const auth_mode of ['none', 'optional', 'local'] as const) {
      await stage.route({ domain: `${auth_mode}.localhost`, auth_mode })
      await stage.route({ domain: `plain-${auth_mode}.test`, auth_mode })
      if (auth_mode === 'none') continue
      await stage.route({
        domain: `claim-${auth_mode}.localhost`,
        auth_mode,
        required_claims: ['app.use', 'app.other'],
        audience: 'https://app.example.org',
      })
    }
    for (const auth_mode of ['bearer', 'oauth', 'signature'] as const)
      await stage.route({ domain: `${auth_mode}.localhost`, auth_mode })
    for (const user of ['ada', 'bob']) {
      const { access_token } = await stage.daemon.hero.auth.login({ login: user, password: goodPassword })
      tokens.set(user, access_token)
    }
    const domain = 'paths.localhost'
    await stage.route({ domain, auth_mode: 'optional', path_prefix: '/open' })
    await stage.route({ domain, auth_mode: 'local', path_prefix: '/open/secret', preserve_host: false })
    await stage.route({ domain, auth_mode: 'optional', path_prefix: '/app', strip_prefix: true })
    await stage.route({ domain, auth_mode: 'none', path_prefix: '/off', enabled: false })
    await stage.route({ domain: '*.wild.localhost', auth_mode: 'optional' })
    await openAt(stage.daemon, 'a.wild.localhost', stage.ada, stage.bob)
  })
  after(() => stage.close())

  const trialOf = (params: Parameters<Stage['daemon']['hero']['proxy']['routes']['test']>[0]) =>
    stage.daemon.hero.proxy.routes.test(params)
  const cookieOf = (user: string | undefined) =>
    user === undefined ? [] : ['Cookie', user === 'ada' ? stage.ada : stage.bob]
  /** The credential that the user would send to this host. */
  const proofOf = (user: string | undefined, host: string) =>
    user !== undefined && host === 'bearer.localhost'
      ? ['Authorization', `Bearer ${tokens.get(user)}`]
      : cookieOf(user)
  /** Hosts that only guests are tested with, because no user of this test has the credential they accept. */
  const strange = (user: string | undefined) =>
    user === undefined ? ['oauth.localhost', 'signature.localhost'] : []

  const hosts = [
    ...['none', 'optional', 'local'].flatMap((mode) => [`${mode}.localhost`, `plain-${mode}.test`]),
    'bearer.localhost',
    'claim-optional.localhost',
    'claim-local.localhost',
    'a.wild.localhost',
    'A.Wild.Localhost:8080',
    'a.b.wild.localhost',
    'nobody.test',
    'localhost',
    '-bad-',
  ]
  const paths = [
    '/ /x?y=/../z /open /open/secret /open/secret/x /openly /app /app/x?q /off/x /OPEN/secret /open/%73ecret',
    '/open//secret /open/./secret /open/x/../secret /open/..;/secret /open%2fsecret /open/secret%00 /a%zz',
    '/open\\secret /open/secret;x /x/%2e%2e/y /é /auth/login /auth/nothing /login /rpc /health /admin',
    '/.well-known/x /LOGIN /auth/../x /.hero_proxy/me /.hero_proxy/x /%2ehero_proxy/x /.HERO_PROXY /logout',
    '/auth/me /open/login /metrics',
  ]
    .join(' ')
    .split(' ')
    .concat('')

  const oursAtServices = /^\/(auth\/login$|\.hero_proxy|%2ehero_proxy|\.HERO_PROXY)/

  /** What really happened, in the form of a result. */
  const happened = (answer: Awaited<ReturnType<typeof ask>>, seen: number) => {
    const { status, headers, body } = answer
    if (stage.upstream.seen.length > seen) {
      const { url } = got({ body })
      return { act: 'forward', status: null, target: url, location: null }
    }
    if (status === 302) return { act: 'redirect', status, target: null, location: headers.location! }
    return { act: 'refuse', status, target: null, location: null }
  }
  const verdict = ({ act, status, target, location }: RouteTrial) => ({ act, status, target, location })

  for (const user of [undefined, 'ada', 'bob']) {
    test(`for every request of ${user ?? 'a guest'}`, async () => {
      let forwarded = 0
      for (const host of [...hosts, ...strange(user), 'paths.localhost']) {
        for (const path of host === 'paths.localhost' ? paths : ['/', '/x?y=z', '/auth/login', '/rpc']) {
          for (const [kind, method] of [
            ['navigation', 'GET'],
            ['fetch', 'GET'],
            ['fetch', 'POST'],
            ['navigation', 'TRACE'],
          ] as const) {
            // The same session asks a second time within ten seconds, so the service may have a login of its own.
            if (host === 'A.Wild.Localhost:8080' && path === '/auth/login') continue
            const what = `${user} ${method} ${kind} ${host}${path}`
            const trial = await trialOf({
              url: `http://${host}${path}`,
              method,
              kind,
              ...(user !== undefined && { user }),
            })
            // Node's client sends neither.
            if (path === '/é' || method === 'TRACE') {
              assert.deepEqual([trial.act, trial.status], ['refuse', method === 'TRACE' ? 405 : 400], what)
              continue
            }
            const { length } = stage.upstream.seen
            const answer = await ask(stage.daemon, host, path === '' ? '/' : path, {
              method,
              headers: [...kinds[kind], ...proofOf(user, host)],
            })
            if (trial.act === 'own') {
              assert.equal(stage.upstream.seen.length, length, what)
              assert.match(path, host === 'localhost' ? /^\/($|auth\/|rpc)/ : oursAtServices, what)
              continue
            }
            assert.deepEqual(verdict(trial), happened(answer, length), what)
            assert.ok(trial.why.length > 10)
            if (trial.act !== 'forward') continue
            forwarded++
            assert.equal(trial.upstream, stage.upstream.target)
            const reported = trial.headers.flatMap(({ name, value }) => [name, value])
            assert.deepEqual(ours(reported).toSorted(), ours(got(answer).rawHeaders).toSorted(), what)
          }
        }
      }
      assert.ok(forwarded > 30)
    })

    test(`for every upgrade of ${user ?? 'a guest'}`, async () => {
      await using switching = await startUpstream()
      switching.server.on('upgrade', (request, socket) => {
        socket.end(`HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${request.url}`)
      })
      const { items } = await stage.daemon.hero.proxy.routes.list()
      for (const { id } of items)
        await stage.daemon.hero.proxy.routes.update({ id, target: switching.target })
      for (const host of [...hosts, ...strange(user), 'paths.localhost']) {
        for (const path of host === 'paths.localhost'
          ? paths.filter((path) => path !== '/é')
          : ['/', '/x?y=z']) {
          const url = `http://${host}${path}`
          const trial = await trialOf({ url, kind: 'websocket', ...(user !== undefined && { user }) })
          const [name, value] = proofOf(user, host)
          const proof = name === undefined ? '' : `${name}: ${value}\r\n`
          const answer = await askRaw(
            stage.daemon,
            `GET ${path === '' ? '/' : path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${proof}\r\n`,
            2000,
          )
          const [, status, rest] = /^HTTP\/1\.1 (\d+) [^]*?\r\n\r\n([^]*)$/.exec(answer) ?? []
          if (status === '101') assert.deepEqual([trial.act, trial.target], ['forward', rest], url)
          else assert.deepEqual([trial.act, String(trial.status)], ['refuse', status], url)
        }
      }
      for (const { id } of items)
        await stage.daemon.hero.proxy.routes.update({ id, target: stage.upstream.target })
    })
  }

  test('for hostile paths', async () => {
    const domain = 'hostile.localhost'
    await stage.route({ domain, auth_mode: 'none' })
    await stage.route({ domain, auth_mode: 'local', path_prefix: '/desk', required_claims: ['app.use'] })
    const acts = new Set<string>()
    for (const path of ['/desk', ...hostile.filter((path) => path.startsWith('/'))]) {
      for (const user of [undefined, 'ada', 'bob']) {
        const trial = await trialOf({
          url: `http://${domain}${path}`,
          kind: 'fetch',
          ...(user !== undefined && { user }),
        })
        const { length } = stage.upstream.seen
        const headers = [...kinds.fetch, ...cookieOf(user)]
        const answer = await ask(stage.daemon, domain, path, { headers }).catch(() => undefined)
        // The method also accepts paths that Node's client refuses to send.
        if (!answer) assert.equal(trial.status, 400, path)
        else assert.deepEqual(verdict(trial), happened(answer, length), `${user} ${path}`)
        acts.add(`${trial.act} ${trial.status}`)
      }
    }
    assert.ok(acts.has('refuse 400') && acts.has('refuse 403') && acts.has('forward null'), [...acts].join())
  })
})
