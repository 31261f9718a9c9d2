import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openForm, startStage, type Stage } from '../support/edge_stage.ts'
import { ask, type Answer } from '../support/http.ts'
import { ownPathAnswers } from './own_path_answers.ts'
import { unlessLong } from '../long.ts'

type Request = NonNullable<Parameters<typeof ask>[3]>

const recorded = ownPathAnswers.trim().split('\n')
const paths = recorded.filter((line) => line.startsWith('/'))
const hosts = ['localhost', 'none.localhost', 'optional.localhost'] as const
/** What a line of the record calls each host. */
const names = ['home', 'none', 'optional'] as const
const isProbe = (path: string) => /^\/(health|livez|readyz)$/.test(path)
const isForwardAuth = (path: string) => /^\/auth\/forward(\/|$)/.test(path)

/** What identifies the answering part: the error code, the redirect target or the content type. */
const mark = ({ headers, body }: Answer): string => {
  if (headers.allow !== undefined) return `allow ${headers.allow}`
  if (headers.location !== undefined) return headers.location.replace(/\?.*/, '?…')
  const type = headers['content-type']?.replace(/;.*/, '') ?? ''
  if (!type.endsWith('json')) return type
  const { code, error } = JSON.parse(body) as { code?: unknown; error?: unknown }
  return [code, error].find((name) => typeof name === 'string') ?? type
}

describe('responses at own paths, by host, method and body', () => {
  let stage: Stage
  /** An own form as a browser submits it, by host. */
  const forms = new Map<string, Request>()

  before(async () => {
    stage = await startStage({
      public_url: 'http://localhost:9997',
      trusted_proxies: '127.0.0.1',
      forward_auth_from: '127.0.0.1',
    })
    const { settings } = stage.daemon.hero
    await settings.set({ key: 'hs256_tokens', value: true })
    await settings.set({ key: 'client_registration', value: 'open' })
    const { cookie, token } = await openForm(stage.daemon, 'localhost:9997')
    for (const domain of hosts) {
      const auth_mode = domain === 'optional.localhost' ? 'optional' : 'none'
      await stage.route({ domain, auth_mode, shares_home: domain === 'localhost' })
      const type = ['Content-Type', 'application/x-www-form-urlencoded']
      // At a service, a form cookie of ours would mark a page from before people signed in at home only.
      const ours = domain === 'localhost' ? ['Cookie', cookie] : []
      const headers = [...type, 'Origin', `http://${domain}:9997`, ...ours]
      forms.set(domain, { method: 'POST', headers, body: `form_token=${token}` })
    }
  })
  after(() => stage.close())

  /** Every kind of request to a path; the body of a POST decides what answers it. */
  const ways = (host: string): Record<string, Request> => ({
    GET: {},
    'POST json': { method: 'POST', headers: ['Content-Type', 'application/json'], body: '{}' },
    'POST form': forms.get(host) ?? { method: 'POST' },
    ...Object.fromEntries(['PUT', 'DELETE', 'PATCH', 'OPTIONS'].map((method) => [method, { method }])),
  })

  const answerOf = async (host: string, path: string, request?: Request): Promise<string> => {
    const before = stage.upstream.seen.length
    const answer = await ask(stage.daemon, `${host}:9997`, path, request)
    return stage.upstream.seen.length > before ? 'service' : `${answer.status} ${mark(answer)}`
  }

  /** All responses at a path of a host, equal ones combined: `200 text/html: GET`. */
  const answersAt = async (host: string, path: string): Promise<string> => {
    const found = new Map<string, string[]>()
    for (const [way, request] of Object.entries(ways(host))) {
      const answer = await answerOf(host, path, request)
      found.set(answer, [...(found.get(answer) ?? []), way])
    }
    if (found.size === 1) return [...found.keys()].join()
    return [...found].map(([answer, of]) => `${answer}: ${of.join(', ')}`).join(' | ')
  }

  /** The lines of the record for one path: hosts that answer alike share a line. */
  const linesOf = async (path: string): Promise<string[]> => {
    const [home, none, optional] = [
      await answersAt(hosts[0], path),
      await answersAt(hosts[1], path),
      await answersAt(hosts[2], path),
    ]
    const line = (name: string, answers: string) => `  ${name.padEnd(9)} ${answers}`
    if (home === none && none === optional) return [path, line('every', home)]
    if (none === optional) return [path, line('home', home), line('routed', none)]
    return [path, ...[home, none, optional].map((answers, i) => line(names[i]!, answers))]
  }

  test('are as recorded, at home and on hosts with a route', async () => {
    const now: string[] = []
    for (const path of paths) now.push(...(await linesOf(path)))
    assert.deepEqual(now, recorded)
  })

  test('are the same for HEAD as for GET, without the body', async () => {
    for (const host of hosts) {
      for (const path of paths) {
        const get = await ask(stage.daemon, `${host}:9997`, path)
        const head = await ask(stage.daemon, `${host}:9997`, path, { method: 'HEAD' })
        assert.deepEqual(
          [head.status, head.headers.allow, head.headers['content-type'], head.body],
          [get.status, get.headers.allow, get.headers['content-type'], ''],
          `${host}${path}`,
        )
      }
    }
  })

  test('are 404 on a host without a route, except for forward auth and probes', async () => {
    const host = 'unrouted.localhost'
    for (const path of paths) {
      for (const [way, request] of Object.entries(ways(host))) {
        const answer = await answerOf(host, path, request)
        if (isForwardAuth(path)) assert.notEqual(answer, '404 not_found', path)
        else if (isProbe(path))
          assert.equal(answer, way === 'GET' ? '200 application/json' : '405 allow GET', path)
        else assert.equal(answer, '404 not_found', path)
      }
    }
  })

  test('agree with the route test, forward auth and upgrades', { skip: unlessLong }, async () => {
    for (const path of paths) {
      for (const method of ['GET', 'POST']) {
        for (const host of hosts) {
          const url = `http://${host}:9997${path}`
          const { act } = await stage.daemon.hero.proxy.routes.test({ url, method, kind: 'fetch' })
          const where = `${method} ${url}: ${act}`
          if (!isForwardAuth(path)) {
            const answer = await answerOf(host, path, ways(host)[method] ?? ways(host)['POST json'])
            assert.equal(act === 'own', answer !== 'service', where)
          }
          assert.equal(await forwardAuth(method, host, path), act === 'own' ? '403 own_path' : '200 ', where)
          // Forward auth refuses an own path before it looks up the host, so the host needs no route.
          if (host === 'none.localhost')
            assert.equal(
              await forwardAuth(method, 'unrouted.localhost', path),
              act === 'own' ? '403 own_path' : '404 not_found',
              where,
            )
          if (method === 'POST' || isForwardAuth(path)) continue
          const upgrade = { headers: ['Connection', 'Upgrade', 'Upgrade', 'x'] }
          assert.equal(
            await answerOf(host, path, upgrade),
            act === 'own' ? '404 not_found' : 'service',
            where,
          )
        }
      }
    }
  })

  /** What a proxy in front receives when it asks about this request. */
  const forwardAuth = (method: string, host: string, path: string) => {
    const headers = Object.entries({
      'X-Forwarded-Method': method,
      'X-Forwarded-Proto': 'http',
      'X-Forwarded-Host': `${host}:9997`,
      'X-Forwarded-Uri': path,
      'X-Forwarded-For': '10.1.1.1',
    }).flat()
    return answerOf('localhost', '/auth/forward', { headers })
  }
})
