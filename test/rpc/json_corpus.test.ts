import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { root } from '../support/daemon_process.ts'
import { callHttp, post, speak, type Reply } from './speak.ts'

/** JSONTestSuite (github.com/nst/JSONTestSuite). */
const corpus = join(root, 'test', 'corpora', 'json')

const isParseError = (text: string) =>
  text !== '' && (JSON.parse(text) as Reply).error?.code === -32700 && (JSON.parse(text) as Reply).id === null

describe('third-party JSON on the socket (D55)', () => {
  let daemon: TestDaemon
  before(async () => (daemon = await startTestDaemon()))
  after(() => daemon.close())
  const assertAlive = async () => assert.equal((await daemon.hero.health()).status, 'ok')

  test('JSONTestSuite: valid, invalid and implementation-defined texts', async () => {
    const files = readdirSync(corpus).filter((name) => /^[yni]_.*\.json$/.test(name))
    assert.ok(files.length >= 300, `only ${files.length} files`)
    for (const name of files) {
      const { status, text } = await post(daemon.socketPath, readFileSync(join(corpus, name)))
      assert.equal(status, 200, name)
      if (name.startsWith('y_')) assert.ok(!isParseError(text), name)
      if (name.startsWith('n_')) assert.ok(isParseError(text), name)
    }
    await assertAlive()
  })

  test('JSONTestSuite as raw lines: the connection survives each file', async () => {
    const files = readdirSync(corpus).filter((name) => name.endsWith('.json'))
    for (const name of files) {
      // The call before it selects raw lines, whatever the file begins with.
      const first = '{"jsonrpc":"2.0","id":"first","method":"health"}\n'
      const text = await speak(daemon.socketPath, first, readFileSync(join(corpus, name)))
      const answers = text.split('\n').filter((line) => line !== '')
      assert.ok(
        answers.some((line) => (JSON.parse(line) as Reply).id === 'first'),
        name,
      )
    }
    await assertAlive()
  })

  const nested = (open: string, inner: string, close: string, depth = 100_000) =>
    open.repeat(depth) + inner + close.repeat(depth)

  test('nesting of 100,000 levels gets an answer in each position', async () => {
    const arrays = nested('[', '1', ']')
    const objects = nested('{"a":', '1', '}')
    for (const text of [
      arrays,
      objects,
      `{"jsonrpc":"2.0","id":1,"method":"health","params":${arrays}}`,
      `{"jsonrpc":"2.0","id":1,"method":"health","params":${objects}}`,
      `{"jsonrpc":"2.0","id":1,"method":"users.get","params":[${arrays}]}`,
      `{"jsonrpc":"2.0","id":1,"method":"users.add","params":{"username":${objects}}}`,
      `{"jsonrpc":"2.0","id":${arrays},"method":"health"}`,
      `{"jsonrpc":"2.0","id":1,"method":"health","extra":${objects}}`,
      '['.repeat(100_000),
    ]) {
      const answer = JSON.parse((await post(daemon.socketPath, text)).text) as Reply | Reply[]
      const [{ error, result }] = [answer].flat() as [Reply]
      assert.ok(result !== undefined || [-32700, -32600, -32602].includes(error!.code), JSON.stringify(error))
    }
    await assertAlive()
  })

  test('a batch of 10,000 is refused with a single error', async () => {
    const batch = JSON.stringify(
      Array.from({ length: 10_000 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'health' })),
    )
    const { status, text } = await post(daemon.socketPath, batch)
    assert.equal(status, 200)
    assert.equal((JSON.parse(text) as Reply).error?.code, -32600)
  })

  test('a body of 10 MB gets 413, with a length or in chunks, and one of 1 MiB is accepted', async () => {
    const large = Buffer.alloc(10_000_000, 0x20)
    assert.equal((await post(daemon.socketPath, large)).status, 413)
    const head = 'POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n'
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`
    assert.match(await speak(daemon.socketPath, head, chunk.repeat(20)), /^HTTP\/1\.1 413 /)
    const full = '{"jsonrpc":"2.0","id":1,"method":"health"}'.padEnd(1024 * 1024)
    assert.equal((await post(daemon.socketPath, full)).status, 200)
    assert.equal((await post(daemon.socketPath, `${full} `)).status, 413)
    await assertAlive()
  })

  test('parameters named __proto__ and constructor are unknown, for each kind of method', async () => {
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      for (const [method, rest] of [
        ['health', ''],
        ['users.get', '"username":"ada",'],
        ['users.add', '"username":"eve","email":"eve@example.org",'],
      ]) {
        const body = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{${rest}"${key}":{"is_admin":true}}}`
        const { error } = JSON.parse((await post(daemon.socketPath, body)).text) as Reply
        assert.equal(error?.code, -32602, `${method} ${key}`)
        assert.equal(error.data.path, key)
      }
    }
    assert.deepEqual((await daemon.hero.users.list()).items, [])
  })

  test('a header named __proto__ is an ordinary header', async () => {
    const headers = ['__proto__', 'x', 'constructor', 'y', '__proto__', 'z']
    const { result } = await callHttp(daemon.socketPath, 'health', {}, headers)
    assert.ok(result)
    await assertAlive()
  })

  test('invalid HTTP gets 400 without HTML', async () => {
    for (const text of [
      'GET / HTTP/9.9\r\n\r\n',
      'hello\r\n\r\n',
      '<html>\r\n\r\n',
      '\u0000\u0000\r\n\r\n',
    ]) {
      const answer = await speak(daemon.socketPath, text)
      assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
      assert.doesNotMatch(answer, /</)
    }
    await assertAlive()
  })
})
