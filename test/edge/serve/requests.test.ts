import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { askRaw } from '../../support/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../../support/upstream.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'

const status = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)

describe('validation of the request line, Host and head (D13, D16)', () => {
  let stage: Stage
  let second: Upstream
  before(async () => {
    stage = await startStage()
    second = await startUpstream((_, response) => response.end('second'))
    await stage.route({ domain: 'a.test', auth_mode: 'optional' })
    await stage.route({ domain: 'b.test', auth_mode: 'optional', target: second.target })
    await stage.route({ domain: 'inner.test', auth_mode: 'local' })
  })
  after(async () => {
    await stage.close()
    await second.close()
  })

  const raw = async (bytes: string) => {
    const before = [stage.upstream.seen.length, second.seen.length] as const
    const answer = await askRaw(stage.daemon, bytes, 1500)
    return {
      answer,
      status: status(answer),
      first: stage.upstream.seen.length - before[0],
      second: second.seen.length - before[1],
    }
  }
  const get = (hosts: string, target = '/') =>
    raw(`GET ${target} HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`)

  test('spellings of one host, with case, port or final dot, reach its route', async () => {
    for (const host of [
      'a.test',
      'A.TEST',
      'a.test.',
      'a.test:80',
      'a.test:9997',
      'A.Test.:8080',
      ' a.test ',
    ]) {
      assert.deepEqual(
        { ...(await get(`Host: ${host}\r\n`)), answer: '' },
        { answer: '', status: 200, first: 1, second: 0 },
        host,
      )
    }
  })

  test('an invalid, repeated or unknown host is refused and reaches no upstream', async () => {
    const wrong = [
      '',
      'Host:\r\n',
      'Host: a.test\r\nHost: b.test\r\n',
      'Host: a.test\r\nHost: a.test\r\n',
      'Host: a.test\r\nhOST: b.test\r\n',
      'Host: a.test@b.test\r\n',
      'Host: a.test:80@b.test\r\n',
      'Host: a.test,b.test\r\n',
      'Host: a.test b.test\r\n',
      'Host: a.test/b.test\r\n',
      'Host: a.test:99999\r\n',
      'Host: a.test:\r\n',
      'Host: a.test:x\r\n',
      'Host: a.test..\r\n',
      'Host: .a.test\r\n',
      'Host: [::1\r\n',
      'Host: [::1]x\r\n',
      'Host: a.test%00\r\n',
      'Host: a.test\\b.test\r\n',
      'Host: \xe4.test\r\n',
      'Host: a.test#\r\n',
      'Host: a.test?\r\n',
      'X: y\r\nHost : a.test\r\n',
      'X: y\r\n Host: a.test\r\n',
    ]
    for (const hosts of wrong) {
      const seen = await get(hosts)
      assert.deepEqual([seen.status, seen.first, seen.second], [400, 0, 0], JSON.stringify(hosts))
    }
    for (const host of ['[::1]', '127.0.0.1', 'c.test', 'a.test.evil', 'xa.test', '2130706433', 'a_test']) {
      const seen = await get(`Host: ${host}\r\n`)
      assert.deepEqual([seen.status, seen.first, seen.second], [404, 0, 0], host)
    }
  })

  test('only the origin form is accepted as request target', async () => {
    for (const target of [
      'http://b.test/',
      'http://a.test/',
      'https://a.test/',
      'b.test:80',
      '*',
      '//',
      '?x',
      '.',
      'HTTP://a.test/',
    ]) {
      const seen = await get('Host: a.test\r\n', target)
      if (target === '//') assert.deepEqual([seen.first, seen.second], [1, 0])
      else assert.deepEqual([seen.status, seen.first, seen.second], [400, 0, 0], target)
    }
  })

  test('unsupported methods and versions are refused', async () => {
    const rest = 'Host: a.test\r\nConnection: close\r\n\r\n'
    for (const line of [
      'TRACE / HTTP/1.1',
      'TRACK / HTTP/1.1',
      'CONNECT b.test:80 HTTP/1.1',
      'PRI * HTTP/2.0',
      'EVIL / HTTP/1.1',
      'get / HTTP/1.1',
      'GET / HTTP/0.9',
      'GET / HTTP/2.0',
      'GET / HTTP/1.2',
      'GET / HTTP/3',
      'GET /',
      'GET\t/ HTTP/1.1',
      'GET / HTTP/1.1 x',
      ' GET / HTTP/1.1',
      'OPTIONS * HTTP/1.1',
    ]) {
      const seen = await raw(`${line}\r\n${rest}`)
      assert.deepEqual([seen.first, seen.second], [0, 0], line)
      assert.ok([0, 400, 405, 505].includes(seen.status), `${line}: ${seen.status}`)
      assert.ok(!/node|express|hero_proxy\/|v?24\./i.test(seen.answer), 'the response reveals no version')
    }
    const preface = await raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0')
    assert.deepEqual([preface.first, preface.second], [0, 0])
    assert.equal((await raw('GET /\r\n\r\n')).first, 0)
    const old = await raw('GET / HTTP/1.0\r\nHost: a.test\r\n\r\n')
    assert.deepEqual([old.status, old.first], [200, 1])
  })

  test('an upgrade to h2c is neither accepted nor forwarded', async () => {
    for (const upgrade of [
      'h2c',
      'H2C',
      'h2',
      'websocket, h2c',
      'h2c, websocket',
      'h2c/1',
      'h2c,',
      ' h2c ',
      'foo,\th2c',
    ]) {
      const seen = await raw(
        `GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: ${upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
      )
      assert.equal(seen.status, 200, upgrade)
      const { rawHeaders } = stage.upstream.seen.at(-1)!
      assert.deepEqual(
        [valuesOf(rawHeaders, 'upgrade'), valuesOf(rawHeaders, 'http2-settings')],
        [[], []],
        upgrade,
      )
      const inner = await raw(
        `GET / HTTP/1.1\r\nHost: inner.test\r\nConnection: Upgrade, close\r\nUpgrade: ${upgrade}\r\n\r\n`,
      )
      assert.deepEqual([inner.status, inner.first], [401, 0])
    }
  })

  test('a head that is too large is refused', async () => {
    const big = await raw(`GET / HTTP/1.1\r\nHost: a.test\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`)
    assert.deepEqual([big.status, big.first], [431, 0])
    const many = await raw(`GET / HTTP/1.1\r\nHost: a.test\r\n${'X: y\r\n'.repeat(1001)}\r\n`)
    assert.deepEqual([many.status, many.first], [431, 0])
    const hidden = await raw(
      `GET / HTTP/1.1\r\nHost: a.test\r\n${'X: y\r\n'.repeat(2100)}X-Hero-User: root\r\n\r\n`,
    )
    assert.deepEqual([hidden.first, hidden.status >= 400], [0, true])
  })
})
