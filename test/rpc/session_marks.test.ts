import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { startRaw, startStage, type RawUpstream, type Stage } from '../support/edge_stage.ts'
import { ask, signIn } from '../support/http.ts'
import { byHand } from '../support/people.ts'
import { request } from 'node:http'
import { Walker } from '../handover/steps.ts'

describe('calls of pages of home', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ public_url: 'http://localhost:9997' })
    await stage.route({ domain: 'wiki.localhost', auth_mode: 'local', rpc: true })
  })
  after(() => stage.close())

  const markOf = async (cookie: string): Promise<string> => {
    const page = await ask(stage.daemon, 'localhost:9997', '/auth/me', {
      headers: ['Accept', 'text/html', 'Cookie', cookie],
    })
    return /<meta name="session-mark" content="([A-Za-z0-9_-]{43})"/.exec(page.body)![1]!
  }
  const call = async (cookie: string, headers: string[], host = 'localhost:9997') => {
    const one = (display_name: string) => ({
      jsonrpc: '2.0',
      id: 1,
      method: host.startsWith('localhost') ? 'users.update' : 'auth.me',
      params: host.startsWith('localhost') ? { username: 'ada', display_name } : {},
    })
    const send = async (message: unknown) => {
      const { body } = await ask(stage.daemon, host, '/rpc', {
        method: 'POST',
        headers: [
          'Content-Type',
          'application/json',
          'Origin',
          `http://${host}`,
          'Cookie',
          cookie,
          ...headers,
        ],
        body: JSON.stringify(message),
      })
      return JSON.parse(body) as Answer | Answer[]
    }
    type Answer = { error?: { code: number; data: { code: string } } }
    const before = await nameOf()
    const single = (await send(one('Changed'))) as Answer
    const batch = (await send([one('Changed'), one('Twice')])) as Answer[]
    const codes = new Set([single, ...batch].map(({ error }) => error?.data.code ?? 'done'))
    assert.equal(codes.size, 1)
    const [code] = codes
    if (code !== 'done') assert.equal(await nameOf(), before, 'nothing has changed')
    return code
  }
  const nameOf = async () => (await stage.daemon.hero.users.get({ username: 'ada' })).display_name

  const page = ['Sec-Fetch-Site', 'same-origin']

  test('carry the mark of their session', async () => {
    const { ada, bob } = stage
    const [adas, bobs] = [await markOf(ada), await markOf(bob)]
    assert.notEqual(adas, bobs)
    assert.equal(await call(ada, page), 'session_changed', 'a page sends the mark')
    for (const mark of [bobs, '', adas.slice(1), `${adas}x`])
      assert.equal(await call(ada, [...page, 'Session-Mark', mark]), 'session_changed', mark)
    assert.equal(await call(ada, ['Session-Mark', bobs]), 'session_changed', 'a wrong mark never counts')
    assert.equal(
      await call(ada, [...page, 'Session-Mark', adas, 'Session-Mark', bobs]),
      'session_changed',
      'nor do two',
    )
    assert.equal(await call(ada, [...page, 'Session-Mark', adas]), 'done')
    assert.equal(await call(ada, []), 'done', 'a program that shows a cookie is no page')
  })

  test('change nothing after the session has ended, or after somebody else has signed in', async () => {
    const cookie = await signIn(stage.daemon, 'localhost', 'ada', goodPassword)
    const mark = await markOf(cookie)
    assert.equal(await call(stage.bob, [...page, 'Session-Mark', mark]), 'session_changed')
    const { items } = await stage.daemon.hero.sessions.list({ user: 'ada' })
    await stage.daemon.hero.sessions.revoke({ id: items[0]!.id })
    assert.equal(await call(cookie, [...page, 'Session-Mark', mark]), 'session_changed')
    assert.equal(await call(cookie, page), 'unauthenticated', 'a page for guests has no mark')
  })

  test('pages of services have none', async () => {
    assert.equal(await call(stage.ada, page, 'wiki.localhost:9997'), 'done')
  })
})

describe('what is no use of a session', () => {
  let raw: RawUpstream
  let daemon: TestDaemon
  before(async () => {
    raw = await startRaw((socket, head) => {
      if (head.startsWith('GET /stream'))
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n')
      else socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    })
    daemon = await startTestDaemon({ public_url: 'http://localhost:9997' })
    await daemon.hero.users.add({ username: 'ada', password: goodPassword })
    await daemon.hero.proxy.routes.add({ domain: 'wiki.localhost', target: raw.target, auth_mode: 'local' })
  })
  after(async () => {
    await daemon.close()
    await raw[Symbol.asyncDispose]()
  })

  const wiki = 'http://wiki.localhost:9997'
  const home = 'http://localhost:9997'
  const signedIn = async () => {
    const walker = new Walker(daemon)
    walker.keep('localhost', await signIn(daemon, 'localhost', 'ada', goodPassword))
    await walker.walk(`${wiki}/page`)
    return walker
  }
  const long = () => Math.floor(Date.now() / 1000) - 120
  const setUsed = (at: number) =>
    byHand(daemon, async (database) => {
      await database.query.updateTable('sessions').set({ last_used_at: at }).execute()
      database.changed('sessions')
    })
  const used = async () =>
    (await byHand(daemon, ({ query }) => query.selectFrom('sessions').select('last_used_at').execute())).map(
      ({ last_used_at }) => last_used_at,
    )

  test('what a page asks in the background, also where a decision is kept', async () => {
    for (const [background, counts] of [
      [['Background', '1'], false],
      [[], true],
    ] as const) {
      const walker = await signedIn()
      const at = long()
      await setUsed(at)
      for (let i = 0; i < 3; i++)
        assert.equal((await walker.step(`${wiki}/page`, { headers: background })).status, 200)
      await walker.step(`${home}/auth/me`, { headers: background })
      daemon = await daemon.restart()
      assert.equal(
        (await used()).some((time) => time > at),
        counts,
      )
      await daemon.hero.sessions.revoke_all({ user: 'ada' })
    }
  })

  test('a stream after its start', async () => {
    const walker = await signedIn()
    const stream = request({
      host: '127.0.0.1',
      port: daemon.edge.port,
      path: '/stream',
      agent: false,
      headers: { host: 'wiki.localhost:9997', cookie: walker.cookies('wiki.localhost') },
    })
    const opened = new Promise<void>((resolve) =>
      stream.on('response', (answer) => {
        answer.on('error', () => {}).resume()
        resolve()
      }),
    )
    stream.on('error', () => {}).end()
    await opened
    const at = long()
    await new Promise((resolve) => setTimeout(resolve, 2500))
    // The change makes the edge decide about the stream again.
    await setUsed(at)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    stream.destroy()
    daemon = await daemon.restart()
    assert.ok((await used()).every((time) => time <= at))
  })
})
