import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { KeptClient, type Received } from '../serve/kept_client.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'

const long = 'x'.repeat(40_000)
const ok = (lines: string, body = 'body') =>
  `HTTP/1.1 200 OK\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`
const chunks = (body: string, lines = '') =>
  `HTTP/1.1 200 OK\r\n${lines}Transfer-Encoding: chunked\r\n\r\n${body}`
const headOnly = (status: string, lines = '') => `HTTP/1.1 ${status}\r\n${lines}\r\n`

/** Responses of a service, byte for byte: ordinary ones and everything unusual that a service could send. */
const responses: Record<string, string> = {
  plain: ok(''),
  'a long one': ok('', long),
  'an empty body': ok('', ''),
  'many headers': ok(Array.from({ length: 200 }, (_, i) => `X-${i}: ${i}\r\n`).join('')),
  'unusual whitespace': ok('X-A:  b \r\nX-B:\tc\r\nX-C:d\r\nX-D:\r\n'),
  'a folded value': ok('X-A: b\r\n c\r\n'),
  'bytes beyond ASCII': ok('X-A: \u00e4\u00ff\r\n', '\u00e4\u00ff'),
  'identity headers': ok('X-Hero-User: root\r\nx_hero_claims: admin\r\nX.Hero.Context: 1\r\n'),
  'hop-by-hop headers': ok('Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nTrailer: X\r\nTE: trailers\r\n'),
  'a header that Connection lists': ok('Connection: x-secret\r\nX-Secret: 1\r\n'),
  'a header named Close': ok('Connection: close\r\nClose: 1\r\n'),
  'a header named Close without Connection': ok('Close: 1\r\n'),
  'Connection: close': ok('Connection: close\r\n'),
  'cookies with hero_proxy names': ok(
    'Set-Cookie: __Host-hero_proxy_session=x; Path=/\r\nSet-Cookie: =hero_proxy_form=x\r\nSet-Cookie: HERO.proxy.a=x\r\nSet-Cookie: a=hero\r\n',
  ),
  'a date': ok('Date: Mon, 30 Nov 2026 20:00:00 GMT\r\n'),
  'an unsolicited upgrade': ok('Upgrade: h2c\r\nConnection: upgrade\r\n'),
  'Content-Length with a sign': headOnly('200 OK', 'Content-Length: +4\r\n') + 'body',
  'Content-Length with many digits': headOnly('200 OK', 'Content-Length: 0000000000000000004\r\n') + 'body',
  'two Content-Length headers': headOnly('200 OK', 'Content-Length: 4\r\nContent-Length: 4\r\n') + 'body',
  'Content-Length before Transfer-Encoding': ok('Transfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'Transfer-Encoding before Content-Length': chunks('0\r\n\r\n', 'Content-Length: 5\r\n'),
  'a transfer coding that is not chunked':
    headOnly('200 OK', 'Transfer-Encoding: gzip\r\nConnection: close\r\n') + 'body',
  'two Transfer-Encoding headers': chunks('0\r\n\r\n', 'Transfer-Encoding: chunked\r\n'),
  'chunked in capitals': headOnly('200 OK', 'Transfer-Encoding: CHUNKED\r\n') + '2\r\nab\r\n0\r\n\r\n',
  chunks: chunks('3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\n\r\n'),
  'many chunks': chunks(`${'1\r\na\r\n'.repeat(100)}0\r\n\r\n`),
  'only the last chunk': chunks('0\r\n\r\n'),
  'chunks with a trailer': chunks('3\r\nabc\r\n0\r\nX-Hero-User: root\r\nX-Sum: 1\r\n\r\n'),
  'an invalid chunk size': chunks('x\r\nabc\r\n0\r\n\r\n'),
  'one byte too many': `${ok('')}x`,
  'a second response': ok('') + ok('', 'poison'),
  'a second response after chunks': chunks('3\r\nabc\r\n0\r\n\r\n') + ok('', 'poison'),
  'a second response after 204': headOnly('204 No Content') + ok('', 'poison'),
  '204 with a length': headOnly('204 No Content', 'Content-Length: 4\r\n'),
  '204 with chunks': headOnly('204 No Content', 'Transfer-Encoding: chunked\r\n'),
  '304 with a length': headOnly('304 Not Modified', 'Content-Length: 4\r\nETag: "a"\r\n'),
  '103 before it': `${headOnly('103 Early Hints', 'X-A: b\r\n')}${headOnly('200 OK', 'Content-Length: 0\r\n')}`,
  '100 before it': `${headOnly('100 Continue')}${ok('')}`,
  'no reason phrase': headOnly('200', 'Content-Length: 0\r\n'),
  'an empty reason phrase': headOnly('200 ', 'Content-Length: 0\r\n'),
  'a reason phrase with a tab': headOnly('200 a\tb', 'Content-Length: 0\r\n'),
  'a reason phrase beyond ASCII': headOnly('200 \u00e4', 'Content-Length: 0\r\n'),
  'a reason phrase with a control character': headOnly('200 a\u0001b', 'Content-Length: 0\r\n'),
  'CR without LF after the reason phrase': 'HTTP/1.1 200 OK\r\rContent-Length: 4\r\n\r\nbody',
  'another byte after CR': 'HTTP/1.1 200 OK\rXContent-Length: 4\r\n\r\nbody',
  'CR without LF after a value': ok('X-A: b\r\r'),
  'CR without LF at the end of the head': 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\rbody',
  'bare line feeds': ok('').replaceAll('\r\n', '\n'),
  'a status of two digits': headOnly('99 Low', 'Content-Length: 0\r\n'),
  'an unknown status': headOnly('999 High', 'Content-Length: 0\r\n'),
  'HTTP/1.0': ok('').replace('1.1', '1.0'),
}

describe('a response of a service', () => {
  let stage: Stage
  let service: Server
  before(async () => {
    stage = await startStage()
    const all = Object.values(responses)
    service = createServer((socket) => {
      socket.setNoDelay()
      socket.on('error', () => {})
      socket.on('data', (head) => {
        const [, which, at] = /^[A-Z]+ \/(\d+)\/(\d+) /.exec(head.toString('latin1'))!
        const bytes = Buffer.from(all[Number(which)]!, 'latin1')
        const first = Number(at)
        socket.write(first === 0 ? bytes : bytes.subarray(0, first))
        if (first > 0) setTimeout(() => socket.write(bytes.subarray(first)), 10)
      })
    })
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
    const target = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
    await stage.route({ domain: 'whole.localhost', auth_mode: 'none', target, response_timeout: 2 })
  })
  after(async () => {
    await stage.close()
    service.close()
  })

  const comparable = ({ status, head, body }: Received): unknown => {
    const lines = head.split('\r\n').filter((line) => !/^(keep-alive|connection: keep-alive)/i.test(line))
    const dated = lines.some((line) => line.startsWith('Date: '))
    return [
      status,
      dated,
      lines.filter((line) => !line.startsWith('Date: ') || line.includes('20:00:00')),
      // The body of a 502 is that of the proxy.
      status === 502 ? '' : body,
    ]
  }

  /** The response, and that of an ordinary request after it on the same connection. */
  const receive = async (i: number, cutAt: number, method: string): Promise<unknown> => {
    const client = new KeptClient(stage.daemon.edge.port)
    // Closes a connection that would stay open for ever.
    const patience = setTimeout(() => client.end(), 1500)
    const ask = (path: string) =>
      client.send(`${method} ${path} HTTP/1.1\r\nHost: whole.localhost\r\nConnection: keep-alive\r\n\r\n`)
    ask(`/${i}/${cutAt}`)
    const received = comparable(await client.receive(method === 'HEAD'))
    ask('/0/0')
    const next = comparable(await client.receive(method === 'HEAD'))
    clearTimeout(patience)
    client.end()
    return [received, next]
  }

  for (const [i, name] of Object.keys(responses).entries())
    test(`reaches the client alike in one piece or in two: ${name}`, async () => {
      // A response to HEAD has no body: bytes after its head would be an unsolicited response.
      for (const method of /^\w+ \d+.*\r\n\r\n$/s.test(responses[name]!) ? ['GET', 'HEAD'] : ['GET'])
        assert.deepEqual(await receive(i, 0, method), await receive(i, 5, method), method)
    })

  test('is not confused with a 103 received separately, not even after HEAD', async () => {
    const i = Object.keys(responses).indexOf('103 before it')
    const cutAt = responses['103 before it']!.indexOf('HTTP', 1)
    for (const method of ['GET', 'HEAD'])
      assert.deepEqual(await receive(i, cutAt, method), await receive(i, 5, method), method)
  })
})
