import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { ClaimRequired, ConnectionError, HeroProxy, NotFound, Unauthenticated } from '../../sdk/index.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { startUpstream } from '../support/upstream.ts'

const operatorToken = 'operator-token-of-this-test-0123456789'

describe('the SDK at the edge', () => {
  let daemon: TestDaemon
  let url: string
  before(async () => {
    daemon = await startTestDaemon({ operator_token: operatorToken })
    // The edge answers on the host of its public URL.
    url = `http://localhost:${daemon.edge.port}`
    await daemon.hero.users.add({ username: 'ada', email: 'ada@example.org', password: goodPassword })
  })
  after(() => daemon.close())

  test('without a token, the public methods work', async () => {
    const hero = new HeroProxy({ url })
    assert.equal((await hero.health()).status, 'ok')
    await assert.rejects(hero.stats(), Unauthenticated)
    await assert.rejects(hero.users.list(), Unauthenticated)
  })

  test('a token of a person works, from the options or with as()', async () => {
    const hero = new HeroProxy({ url })
    const { access_token: token } = await hero.auth.login({ login: 'ada', password: goodPassword })
    for (const ada of [hero.as(token), new HeroProxy({ url, token })]) {
      assert.match(JSON.stringify(await ada.auth.me()), /"ada"/)
      await assert.rejects(ada.users.list(), ClaimRequired)
    }
    await assert.rejects(hero.as(`${token}x`).health(), Unauthenticated)
  })

  test('with the operator token, each method works', async () => {
    const hero = new HeroProxy({ url, token: operatorToken })
    assert.ok((await hero.stats()).rpc_calls > 0)
    await assert.rejects(hero.users.get({ username: 'nobody' }), NotFound)
    const names = Array.from({ length: 40 }, (_, i) => `edge-${i}`)
    await Promise.all(names.map((slug) => hero.groups.add({ slug })))
    assert.equal((await hero.groups.get({ group: 'edge-39' })).slug, 'edge-39')
    await assert.rejects(new HeroProxy({ url, token: `${operatorToken}x` }).stats(), Unauthenticated)
  })

  test('an answer that is not from hero_proxy is a ConnectionError', async () => {
    const answers: ((request: IncomingMessage, response: ServerResponse) => void)[] = [
      (_, response) => response.end('<html>'),
      (_, response) => response.writeHead(502).end('{}'),
      (_, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
      (request) => request.socket.destroy(),
    ]
    for (const answer of answers) {
      await using upstream = await startUpstream(answer)
      const hero = new HeroProxy({ url: upstream.target, token: 'secret' })
      const error = await hero.health().then(
        () => assert.fail('not refused'),
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof ConnectionError, String(error))
      assert.doesNotMatch(error.message, /secret/)
      assert.equal(upstream.seen.length, 1)
    }
    await using silent = await startUpstream(() => {})
    await assert.rejects(new HeroProxy({ url: silent.target, timeout: 100 }).health(), ConnectionError)
  })
})
