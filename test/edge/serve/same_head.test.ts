import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { startStage, type Stage } from '../../support/edge_stage.ts'

let stage: Stage
before(async () => {
  stage = await startStage()
  await stage.route({ domain: 'two.localhost', auth_mode: 'optional' })
})
after(() => stage.close())

const host = 'Host: two.localhost\r\n'
const get = (target: string, headers = host, version = 'HTTP/1.1') =>
  `GET ${target} ${version}\r\n${headers}\r\n`

/** Heads that two parsers might read differently. */
const heads: Record<string, string> = {
  plain: get('/x'),
  'empty lines before it': `\r\n\r\n${get('/x')}`,
  'space before it': ` ${get('/x')}`,
  'bare LF': get('/x').replaceAll('\r\n', '\n'),
  'bare LF once': `GET /x HTTP/1.1\r\nHost: two.localhost\nX: y\r\n\r\n`,
  'CR at the end of a value': get('/x', `${host}X: y\r\r\n`),
  'CR CR LF': `GET /x HTTP/1.1\r\n${host}\r\r\n`,
  'bare CR': get('/x', `${host}X: a\rY: b\r\n`),
  NUL: get('/x', `${host}X: \0\r\n`),
  DEL: get('/x', `${host}X: \x7f\r\n`),
  'vertical tab': get('/x', `${host}X: \x0b\r\n`),
  'high bytes': get('/x', `${host}X: \xe4\xff\r\n`),
  'high byte in a name': get('/x', `${host}X\xe4: y\r\n`),
  'folded line': get('/x', `${host}X: a\r\n b\r\n`),
  'folded first line': get('/x', ` X: a\r\n${host}`),
  'space before the colon': get('/x', `${host}X : a\r\n`),
  'tab before the colon': get('/x', `${host}X\t: a\r\n`),
  'tabs around a value': get('/x', `${host}X:\ta\t\r\n`),
  'no colon': get('/x', `${host}X\r\n`),
  'no name': get('/x', `${host}: a\r\n`),
  'empty value': get('/x', `${host}X:\r\n`),
  'empty cookie': get('/x', `${host}Cookie:\r\n`),
  'two hosts': get('/x', `${host}${host}`),
  'another host too': get('/x', `${host}Host: enter.localhost\r\n`),
  'a list of hosts': get('/x', 'Host: two.localhost, enter.localhost\r\n'),
  'no host': get('/x', ''),
  'empty host': get('/x', 'Host:\r\n'),
  'host with a path': get('/x', 'Host: two.localhost/x\r\n'),
  'host with a user': get('/x', 'Host: a@two.localhost\r\n'),
  'host in capitals': get('/x', 'hOST: TWO.localhost\r\n'),
  'host with a dot': get('/x', 'Host: two.localhost.\r\n'),
  'host with a port': get('/x', 'Host: two.localhost:99999\r\n'),
  'H_ost with an underscore': get('/x', `${host}H_ost: enter.localhost\r\n`),
  'absolute form': get('http://two.localhost/x'),
  'absolute form of another host': get('http://enter.localhost/x'),
  'authority form': get('two.localhost:80'),
  asterisk: get('*'),
  'no slash': get('x'),
  'empty target': `GET  HTTP/1.1\r\n${host}\r\n`,
  'two spaces': `GET  /x HTTP/1.1\r\n${host}\r\n`,
  'tab between': `GET\t/x\tHTTP/1.1\r\n${host}\r\n`,
  'space in the target': get('/x y'),
  fragment: get('/x#y'),
  'high byte in the target': get('/\xe4'),
  'control in the target': get('/\x01'),
  'dot segments': get('/a/../x'),
  'encoded dots': get('/a/%2e%2e/x'),
  'encoded slash': get('/a%2fb'),
  'broken encoding': get('/%zz'),
  backslash: get('/a\\b'),
  'double slash': get('//x'),
  'question marks': get('/x??a=b?'),
  'HTTP/1.0': get('/x', host, 'HTTP/1.0'),
  'HTTP/1.2': get('/x', host, 'HTTP/1.2'),
  'HTTP/2.0': get('/x', host, 'HTTP/2.0'),
  'HTTP/01.1': get('/x', host, 'HTTP/01.1'),
  'http/1.1': get('/x', host, 'http/1.1'),
  'no version': `GET /x\r\n${host}\r\n`,
  'method in lower case': get('/x').replace('GET', 'get'),
  'unknown method': get('/x').replace('GET', 'GETT'),
  TRACE: get('/x').replace('GET', 'TRACE'),
  CONNECT: get('two.localhost:80').replace('GET', 'CONNECT'),
  'length of zero': get('/x', `${host}Content-Length: 0\r\n`),
  'empty length': get('/x', `${host}Content-Length:\r\n`),
  'length with a plus': get('/x', `${host}Content-Length: +0\r\n`),
  'Content_Length with an underscore': get('/x', `${host}Content_Length: 3\r\n`),
  'chunked without a body': `${get('/x', `${host}Transfer-Encoding: chunked\r\n`)}0\r\n\r\n`,
  'unknown coding': get('/x', `${host}Transfer-Encoding: xchunked\r\n`),
  'unknown expectation': get('/x', `${host}Expect: tea\r\n`),
  'upgrade without connection': get('/x', `${host}Upgrade: h2c\r\n`),
  'headers listed in Connection': get('/x', `${host}Connection: X-Forwarded-For, Host\r\n`),
  'identity headers of the client': get('/x', `${host}X-Hero-User: ada\r\nX_Hero_User: ada\r\n`),
  'a long header': get('/x', `${host}X: ${'y'.repeat(15_000)}\r\n`),
  'too long a header': get('/x', `${host}X: ${'y'.repeat(17_000)}\r\n`),
  'many headers': get('/x', host + 'X: y\r\n'.repeat(900)),
  'too many headers': get('/x', host + 'X: y\r\n'.repeat(1001)),
}

/** A request that only node:http serves: it keeps the connection from then on. */
const handOver = `GET /first HTTP/1.1\r\n${host}TE: trailers\r\n\r\n`

interface Outcome {
  readonly status: string
  readonly seen: string
}

/** In milliseconds: long enough for a busy machine. */
const silence = 1000

const answersIn = (text: string): string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status!)

/** Sends a head after another request, and returns the status it got and what the service saw. */
const send = (head: string, before: string): Promise<Outcome> =>
  new Promise((resolve) => {
    const { seen } = stage.upstream
    const socket = connect(stage.daemon.edge.port, '127.0.0.1')
    const skipped = before === '' ? 0 : 1
    let text = ''
    const conclude = () => {
      clearTimeout(timer)
      socket.destroy()
      const requests = seen.splice(0).map(({ method, url, rawHeaders }) => {
        // Left out because it differs in every request.
        const kept = rawHeaders.flatMap((name, i) =>
          i % 2 === 1 || /^(x-request-id|traceparent|via)$/i.test(name)
            ? []
            : [`${name}: ${rawHeaders[i + 1]}`],
        )
        return `${method} ${url} ${kept.join(', ')}`
      })
      resolve({ status: answersIn(text).slice(skipped).join(), seen: requests.slice(skipped).join('\n') })
    }
    // Without any response the server may be waiting for more; after a response, more may follow at once.
    let timer = setTimeout(conclude, silence)
    socket.on('data', (part) => {
      text += part.toString('latin1')
      if (!sent) {
        sent = true
        socket.write(Buffer.from(head, 'latin1'))
      }
      if (answersIn(text).length <= skipped) return
      clearTimeout(timer)
      timer = setTimeout(conclude, 50)
    })
    let sent = before === ''
    socket.on('error', () => {})
    socket.on('close', conclude)
    socket.write(Buffer.from(before === '' ? head : before, 'latin1'))
  })

describe('the fast lane and node:http read a head alike', () => {
  for (const [name, head] of Object.entries(heads)) {
    test(name, async () => {
      const fast = await send(head, '')
      const plain = await send(head, handOver)
      assert.deepEqual(fast, plain)
      if (name === 'plain') assert.match(fast.seen, /^GET \/x Host: two\.localhost, /)
    })
  }
})
