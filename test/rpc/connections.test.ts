import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { callHttp, callLine, post, speak, speakLines, type Reply } from './speak.ts'

const run = promisify(execFile)
const health = (id: unknown) => JSON.stringify({ jsonrpc: '2.0', id, method: 'health' })
const replies = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Reply)
const httpCall = (body: string, more = '') =>
  `POST /rpc HTTP/1.1\r\nHost: localhost\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`

describe('connections to the socket', () => {
  let daemon: TestDaemon
  let path: string
  before(async () => {
    daemon = await startTestDaemon()
    path = daemon.socketPath
  })
  after(() => daemon.close())

  test('one socket accepts HTTP and raw lines', async () => {
    assert.equal((await callHttp(path, 'health')).id, 1)
    assert.equal((await callLine(path, 'health')).id, 1)
  })

  test('the first bytes may arrive one by one, for HTTP and raw lines', async () => {
    const [reply] = replies(await speak(path, ...health(1).slice(0, 8), `${health(1).slice(8)}\n`))
    assert.equal(reply?.id, 1)
    const request = httpCall(health(2))
    const answer = await speak(path, ...request.slice(0, 8), request.slice(8))
    assert.match(answer, /^HTTP\/1\.1 200 .*"id":2/s)
  })

  test('whitespace before the first message is skipped, in separate packets too', async () => {
    assert.equal(replies(await speak(path, ` \t\r\n\n  ${health(1)}\n`))[0]?.id, 1)
    assert.equal(replies(await speak(path, '\n', '  ', '\r\n', `${health(2)}\n`))[0]?.id, 2)
    assert.equal(replies(await speak(path, ' \n', `[${health(3)}]\n`)).length, 1)
    assert.match(await speak(path, '\r\n', httpCall(health(4))), /^HTTP\/1\.1 200 /)
  })

  test('the answer to a batch is limited, and small results after large ones are kept', async () => {
    const calls = Array.from({ length: 49 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'rpc.discover' }))
    const { text } = await post(path, `[${calls.map((call) => JSON.stringify(call)).join()},${health(49)}]`)
    assert.ok(text.length < 4.5 * 1024 * 1024, `${text.length}`)
    const answers = JSON.parse(text) as Reply[]
    assert.deepEqual(
      answers.map(({ id }) => id),
      Array.from({ length: 50 }, (_, id) => id),
    )
    assert.ok(answers[0]!.result)
    assert.match(answers[48]!.error!.message, /send this call alone/)
    assert.ok(answers[49]!.result)
  })

  test('a client that sends nothing, or whitespace alone, gets no answer', async () => {
    assert.equal(await speak(path), '')
    assert.equal(await speak(path, ' \n'), '')
    assert.equal(await speak(path, ' '.repeat(2000)), '')
  })

  test('a client that closed its sending side still gets its answers, for an unterminated last line too', async () => {
    const text = await speak(path, `${health(1)}\n\n \n${health(2)}`)
    assert.deepEqual(
      replies(text)
        .map(({ id }) => id)
        .sort(),
      [1, 2],
    )
    assert.match(await speak(path, httpCall(health(3))), /"id":3/)
  })

  test('a line may arrive in pieces, and many lines in one packet', async () => {
    const first = health('a')
    const text = await speak(
      path,
      first.slice(0, 20),
      first.slice(20),
      `\n${health('b')}\r\n${health('c')}\n`,
    )
    assert.deepEqual(
      replies(text)
        .map(({ id }) => id)
        .sort(),
      ['a', 'b', 'c'],
    )
    const many = Array.from({ length: 5000 }, (_, id) => health(id)).join('\n')
    assert.equal(new Set(replies(await speak(path, `${many}\n`)).map(({ id }) => id)).size, 5000)
  })

  test('an invalid line gets an error, and the connection continues', async () => {
    const answers = (await speakLines(path, health(1), '{"broken', 'GET / HTTP/1.1', health(2))) as Reply[]
    assert.deepEqual(answers.map(({ id }) => id).sort(), [1, 2, null, null])
    assert.deepEqual(
      answers.filter(({ id }) => id === null).map(({ error }) => error?.code),
      [-32700, -32700],
    )
  })

  test('a notification on a line gets no answer', async () => {
    assert.deepEqual(await speakLines(path, { jsonrpc: '2.0', method: 'health' }), [])
  })

  test('a line of 1 MiB is accepted, and one more byte ends this connection alone', async () => {
    const other = connect(path)
    other.setEncoding('utf8')
    const limit = 1024 * 1024
    assert.equal(replies(await speak(path, `${health(1).padEnd(limit)}\n`))[0]?.id, 1)
    const long = replies(await speak(path, `${health(2)}\n${health(3).padEnd(limit + 1)}\n${health(4)}\n`))
    const refusal = long.find(({ id }) => id === null)
    assert.equal(refusal?.error?.code, -32600)
    assert.match(refusal.error.message, /1 MiB/)
    assert.ok(long.some(({ id }) => id === 2))
    assert.ok(!long.some(({ id }) => id === 4))
    const endless = replies(await speak(path, `{"a":"${'x'.repeat(5 * limit)}`))
    assert.equal(endless[0]?.error?.code, -32600)
    other.write(`${health('other')}\n`)
    const [answer] = (await once(other, 'data')) as [string]
    assert.equal(replies(answer)[0]?.id, 'other')
    other.destroy()
  })

  test('a client that disconnects in the middle of a request affects nobody else', async () => {
    for (const text of ['{"jsonrpc"', 'POST /rpc HTTP/1.1\r\nContent-Le', httpCall(health(1)).slice(0, -5)]) {
      const socket = connect(path)
      await once(socket, 'connect')
      socket.write(text)
      socket.destroy()
    }
    assert.equal((await daemon.hero.health()).status, 'ok')
  })

  for (const header of ['Origin', 'Referer', 'origin']) {
    test(`a request with ${header} comes from a browser and is refused everywhere`, async () => {
      const before = (await daemon.hero.users.list()).items.length
      for (const value of ['http://localhost:9997', 'null', '']) {
        for (const path of ['/rpc', '/health', '/openrpc.json', '/nowhere']) {
          const method = path === '/rpc' ? 'POST' : 'GET'
          const params = { username: 'eve', email: 'eve@example.org' }
          const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'users.add', params })
          const answer = await post(daemon.socketPath, body, { path, method, headers: [header, value] })
          assert.equal(answer.status, 403)
        }
      }
      assert.equal((await daemon.hero.users.list()).items.length, before)
    })
  }

  test('resources that are available by GET', async () => {
    const get = async (at: string) => {
      const { status, headers, text } = await post(path, '', { method: 'GET', path: at })
      assert.equal(headers['content-type'], 'application/json')
      return { status, body: JSON.parse(text) as Record<string, unknown>, text }
    }
    assert.deepEqual((await get('/health')).body, { status: 'ok', version: '0.1.0' })
    const known = (await get('/.well-known/heroservice.json')).body
    assert.deepEqual(Object.keys(known), ['protocol', 'name', 'title', 'version', 'description', 'socket'])
    assert.equal(known.socket, path)
    const document = await get('/openrpc.json')
    assert.deepEqual(document.body, (await callHttp(path, 'rpc.discover')).result)
    assert.equal((await get('/')).status, 404)
    assert.equal((await get('/rpc')).status, 405)
  })

  test('curl and nc work, as in operation scripts', async (t) => {
    const body = health(1)
    const curl = ['--silent', '--unix-socket', path, 'http://localhost/rpc', '-d', body]
    const missing = (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    }
    const one = await run('curl', curl).catch(missing)
    if (!one) return t.skip('curl is not installed')
    assert.equal((JSON.parse(one.stdout) as Reply).id, 1)
    const nc = spawn('nc', ['-U', '-N', path], { stdio: ['pipe', 'pipe', 'ignore'] })
    const started = await once(nc, 'spawn').catch(missing)
    if (!started) return t.skip('nc is not installed')
    nc.stdin.end(body)
    const [answer] = (await once(nc.stdout.setEncoding('utf8'), 'data')) as [string]
    assert.equal(replies(answer)[0]?.id, 1)
    await once(nc, 'close')
  })
})

describe('stopping the daemon', () => {
  test('stopping answers pending calls, closes idle connections and removes the file', async () => {
    const daemon = await startTestDaemon()
    const path = daemon.socketPath
    const idle = connect(path)
    idle.write(httpCall(health(1)))
    await once(idle, 'data')
    // Node would close it by itself after the keep-alive time of five seconds.
    const idleEnded = once(idle, 'close', { signal: AbortSignal.timeout(4_500) })
    const silent = connect(path)
    await once(silent, 'connect')
    const silentEnded = once(silent, 'close')
    // Adding a person hashes a password, which takes long enough for the stop to happen meanwhile.
    const person = (username: string) => ({
      username,
      email: `${username}@example.org`,
      password: goodPassword,
    })
    const before = (await daemon.hero.stats()).rpc_calls
    const byLine = callLine(path, 'users.add', person('ada'))
    const byHttp = callHttp(path, 'users.add', person('grace'))
    // Both calls have begun once they are counted, besides the calls for statistics.
    for (let polls = 1; (await daemon.hero.stats()).rpc_calls < before + polls + 2; polls++);
    await daemon.close()
    assert.equal(((await byLine).result as { username: string }).username, 'ada')
    assert.equal(((await byHttp).result as { username: string }).username, 'grace')
    await idleEnded
    await silentEnded
    await assert.rejects(callLine(path, 'health'), { code: 'ENOENT' })
  })
})
