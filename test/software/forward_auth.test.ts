import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { folded, got } from '../support/edge_stage.ts'
import { goodPassword } from '../support/daemon.ts'
import { ask, signIn, type Answer } from '../support/http.ts'
import { kinds, missing } from './front.ts'
import { startFrontStage, type FrontStage } from './front_stage.ts'

for (const kind of kinds) {
  describe(`${kind} with docs/forward-auth`, { skip: missing(kind) }, () => {
    let all: FrontStage
    before(async () => {
      all = await startFrontStage(kind)
    })
    after(() => all[Symbol.asyncDispose]())

    test('a user signs in through the front proxy, and the service receives the identity', async () => {
      const { stage, front, at } = all
      const guest = await at('/page?x=1', ['Accept', 'text/html'])
      assert.equal(guest.status, 302)
      const login = `http://${front.host}/.hero_proxy/sign_in?return_to=%2Fpage%3Fx%3D1`
      assert.equal(guest.headers.location, login)
      const pathOf = ({ headers: { location } }: Answer) =>
        new URL(location!).pathname + new URL(location!).search
      const cookieOf = ({ headers }: Answer) => headers['set-cookie']![0]!.split(';')[0]!
      const atHome = await signIn(stage.daemon, 'localhost', 'ada', goodPassword)
      const left = await at(pathOf(guest), ['Accept', 'text/html'])
      assert.equal(new URL(left.headers.location!).origin, `http://localhost:${front.edge.port}`)
      const sent = await ask(stage.daemon, 'localhost', pathOf(left), {
        headers: ['Cookie', atHome, 'Accept', 'text/html'],
      })
      const arrived = await at(pathOf(sent), ['Cookie', cookieOf(left), 'Accept', 'text/html'])
      assert.equal(arrived.headers.location, `http://${front.host}/page?x=1`)
      const session = cookieOf(arrived)
      assert.equal(
        (await at('/page', ['Cookie', atHome])).status,
        401,
        'the session of home counts there alone',
      )
      const page = await at('/page?x=1', ['Cookie', `${session}; theme=dark`, 'Accept', 'text/html'])
      assert.equal(page.status, 200)
      const { method, url, rawHeaders } = got(page)
      assert.deepEqual([method, url], ['GET', '/page?x=1'])
      const headers = folded(rawHeaders)
      assert.deepEqual(headers.get('X_HERO_USER'), ['ada'])
      assert.deepEqual(headers.get('X_HERO_CONTEXT'), ['1'])
      assert.deepEqual(headers.get('X_HERO_CLAIMS'), ['app.use,groups.team,users.ada'])
      assert.deepEqual(headers.get('X_PROXY_USER_EMAIL'), ['ada@example.org'])
      assert.deepEqual(headers.get('X_PROXY_AUTH_METHOD'), ['local'])
      assert.match(headers.get('X_HERO_ASSERTION')![0]!, /^ey/)
      assert.deepEqual(headers.get('X_HERO_IMPERSONATOR'), undefined)
      assert.deepEqual(headers.get('COOKIE'), ['theme=dark'], 'the session cookie is removed')
      assert.deepEqual(headers.get('HOST'), [front.host])
    })

    test('GET of the usual sign-in paths leads home, and POST reaches the service', async () => {
      const { stage, at } = all
      for (const path of ['/login?next=/page', '/auth/login?return_to=/page']) {
        const guest = await at(path, ['Accept', 'text/html'])
        assert.equal(guest.status, 302)
        assert.equal(new URL(guest.headers.location!).pathname, '/auth/login')
        assert.equal(new URL(guest.headers.location!).hostname, 'localhost')
      }
      const posted = await at('/login', ['Cookie', stage.ada], 'POST', 'a=b')
      assert.equal(posted.status, 200)
      assert.deepEqual([got(posted).method, got(posted).url], ['POST', '/login'])
      for (const path of ['/.hero_proxy/nothing', '/%2ehero_proxy/sign_in'])
        assert.ok([403, 404].includes((await at(path, ['Cookie', stage.ada])).status), path)
    })

    test('a guest gets no identity header but the method', async () => {
      const { stage, at } = all
      for (const headers of [[], ['Cookie', 'theme=dark'], ['Cookie', `${stage.ada}x`]]) {
        const answer = await at('/open', headers)
        assert.equal(answer.status, 200)
        const names = [...folded(got(answer).rawHeaders)].filter(([name]) => /^X_(HERO|PROXY)_/.test(name))
        assert.deepEqual(names, [['X_PROXY_AUTH_METHOD', ['none']]])
        assert.equal(folded(got(answer).rawHeaders).has('AUTHORIZATION'), false)
      }
    })

    test('programs get 401, users without the claim 403, and the service receives nothing', async () => {
      const { stage, front, at, reached } = all
      const count = await reached(async () => {
        const program = await at('/page')
        assert.equal(program.status, 401)
        assert.match(program.headers['www-authenticate']!, /^HeroSession/)
        assert.equal((JSON.parse(program.body) as { code: string }).code, 'unauthenticated')
        assert.equal((await at('/team', ['Cookie', stage.bob])).status, 403)
        assert.equal((await at('/page', ['Accept', 'text/html'], 'POST', 'a=b')).status, 401)
        await ask(front, 'other.localhost', '/open')
      })
      assert.equal(count, 0)
      assert.equal((await at('/team', ['Cookie', stage.ada])).status, 200)
    })

    test('a body is forwarded unchanged', async () => {
      const { stage, at } = all
      const body = 'x'.repeat(300_000)
      const answer = await at('/page', ['Cookie', stage.ada, 'Content-Type', 'text/plain'], 'POST', body)
      assert.equal(answer.status, 200)
      assert.equal((JSON.parse(answer.body) as { body: string }).body, body)
      assert.deepEqual(folded(got(answer).rawHeaders).get('X_HERO_USER'), ['ada'])
    })

    test('a WebSocket carries the identity, and is refused without a session or with a foreign Origin', async () => {
      const { stage, front } = all
      const url = `ws://127.0.0.1:${front.edge.port}/page`
      const socket = new WebSocket(url, {
        headers: {
          host: front.host,
          cookie: stage.ada,
          origin: `http://${front.host}`,
          'X-Hero-Claims': 'forged',
        },
      })
      const [greeting] = (await once(socket, 'message')) as [Buffer]
      const headers = folded(JSON.parse(String(greeting)) as string[])
      assert.deepEqual(headers.get('X_HERO_USER'), ['ada'])
      assert.doesNotMatch(String(greeting), /forged/)
      socket.send('hello')
      assert.equal(String(((await once(socket, 'message')) as [Buffer])[0]), 'hello')
      socket.close()
      await once(socket, 'close')
      for (const [headers, status] of [
        [{ host: front.host }, 401],
        [{ host: front.host, cookie: stage.ada, origin: 'http://evil.test' }, 403],
      ] as const) {
        const refused = new WebSocket(url, { headers })
        refused.on('error', () => {})
        const [, answer] = (await Promise.race([
          once(refused, 'unexpected-response'),
          once(refused, 'open'),
        ])) as [unknown, { statusCode: number }?]
        assert.equal(answer?.statusCode, status)
        refused.terminate()
      }
    })

    test('concurrent requests of two users keep their own identity', async () => {
      const { stage, service, at } = all
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, i) => at(`/page?${i}`, ['Cookie', i % 2 ? stage.ada : stage.bob])),
      )
      answers.forEach((answer, i) => {
        assert.equal(got(answer).url, `/page?${i}`)
        assert.deepEqual(folded(got(answer).rawHeaders).get('X_HERO_USER'), [i % 2 ? 'ada' : 'bob'])
      })
      // A persistent connection to the wrong side would send the forward-auth requests there.
      assert.ok(!service.seen.some(({ url }) => url.startsWith('/auth/forward')))
    })

    test('several KiB of claims and their assertion arrive complete', async () => {
      const { stage, at } = all
      const { hero } = stage.daemon
      await hero.groups.add({ slug: 'many' })
      for (let i = 10; i < 40; i++)
        await hero.groups.add_claim({ group: 'many', claim: `c${i}.${'a'.repeat(60)}.${'b'.repeat(60)}` })
      await hero.groups.add_member({ group: 'many', user: 'ada' })
      const answer = await at('/open', ['Cookie', stage.ada])
      assert.equal(answer.status, 200)
      assert.equal(folded(got(answer).rawHeaders).get('X_HERO_CLAIMS')![0]!.split(',').length, 34)
      await hero.groups.remove_member({ group: 'many', user: 'ada' })
    })
  })
}
