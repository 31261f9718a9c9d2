import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { askRaw } from '../../support/http.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: open.localhost\r\n\r\n'
const behind = 'GET /behind HTTP/1.1\r\nHost: open.localhost\r\nConnection: close\r\n\r\n'
const large = `X-Large: ${'x'.repeat(20_000)}\r\n`

/** Requests that are refused while their connection goes on, and the status. */
const refused: Readonly<Record<string, readonly [line: string, headers: string, status: number]>> = {
  'no session': ['POST /', 'Host: local.localhost\r\n', 401],
  'no token': ['POST /', 'Host: bearer.localhost\r\n', 401],
  'no signature': ['POST /', 'Host: signature.localhost\r\n', 401],
  'an unknown host': ['POST /', 'Host: unknown.test\r\n', 404],
  'an own path that does not exist': ['POST /.hero_proxy/x', 'Host: open.localhost\r\n', 404],
  'a method that an own path does not take': ['POST /.hero_proxy/me', 'Host: open.localhost\r\n', 405],
  'a form of another origin': ['POST /.hero_proxy/cookies', 'Host: open.localhost\r\n', 403],
  'forward auth': ['POST /auth/forward', 'Host: open.localhost\r\n', 403],
  'an ambiguous rest': ['POST /strip//x', 'Host: strip.localhost\r\n', 400],
  'a head that is too large': ['POST /', `Host: open.localhost\r\n${large}`, 431],
  'a head that is too large at an own path': ['POST /rpc', `Host: localhost\r\n${large}`, 431],
  'a body that is too large': ['POST /', 'Host: small.localhost\r\n', 413],
  'a service that is down': ['POST /', 'Host: down.localhost\r\n', 502],
}

/** The same body, framed in two ways. It looks like a request. */
const framings = {
  length: `Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  chunked: `Transfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\nX-Trailer: y\r\n\r\n`,
}

const lanes: Readonly<Record<string, Record<string, string>>> = {
  'the fast lane': {},
  'node:http': { fast_lane: 'off' },
}
for (const [lane, settings] of Object.entries(lanes))
  describe(`behind a refusal, by ${lane}`, () => {
    let stage: Stage
    before(async () => {
      stage = await startStage(settings)
      await stage.route({ domain: 'open.localhost', auth_mode: 'none' })
      await stage.route({ domain: 'local.localhost', auth_mode: 'local' })
      await stage.route({ domain: 'bearer.localhost', auth_mode: 'bearer' })
      await stage.route({ domain: 'signature.localhost', auth_mode: 'signature' })
      await stage.route({
        domain: 'strip.localhost',
        auth_mode: 'none',
        path_prefix: '/strip',
        strip_prefix: true,
      })
      await stage.route({ domain: 'small.localhost', auth_mode: 'none', max_body: 3 })
      await stage.route({ domain: 'down.localhost', auth_mode: 'none', target: 'http://127.0.0.1:9' })
    })
    after(() => stage.close())

    for (const [title, [line, headers, status]] of Object.entries(refused))
      test(`${title}: the body is no request, and each request has its own response`, async () => {
        for (const [framing, rest] of Object.entries(framings))
          for (const times of [1, 2]) {
            const requests = Array.from(
              { length: times },
              (_, i) => `${line === 'POST /' ? `POST /${i}` : line} HTTP/1.1\r\n${headers}${rest}`,
            )
            const text = await askRaw(stage.daemon, requests.join('') + behind, 1500)
            const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, found]) => Number(found))
            // The first one may have reached the service before its body turned out to be too large.
            const seen = stage.upstream.seen
              .splice(0)
              .map(({ url }) => url)
              .filter((url) => url !== '/0')
            assert.ok(!seen.includes('/smuggled'), framing)
            // A refusal may end the connection; then nothing behind it runs.
            const ended = /connection: close/i.test(text.slice(0, text.indexOf('\r\n\r\n')))
            const all = [...Array.from({ length: times }, () => status), 200]
            assert.deepEqual(
              [statuses, seen],
              ended ? [[status], []] : [all, ['/behind']],
              `${framing} ${times}`,
            )
          }
      })
  })
