import type { Received } from './kept_client.ts'
import { got, type Stage } from '../../support/edge_stage.ts'

/** Adds the routes that these requests go to. */
export const routeKept = async ({ route }: Pick<Stage, 'route'>) => {
  const domain = 'kept.localhost'
  await route({ domain, auth_mode: 'local' })
  await route({ domain, path_prefix: '/claimed', auth_mode: 'local', required_claims: ['app.use'] })
  await route({ domain, path_prefix: '/open', auth_mode: 'none' })
  await route({ domain, path_prefix: '/strip', auth_mode: 'local', strip_prefix: true })
  await route({ domain: 'other.localhost', auth_mode: 'local' })
}

interface Parts {
  readonly line?: string
  /** Header lines between Host and Cookie. */
  readonly more?: string
  readonly host?: string
  readonly body?: string
}

/** A request in the usual form of a browser, shortened. */
export const usual = (
  cookie: string,
  { line = 'GET /', more = '', host = 'kept.localhost', body = '' }: Parts = {},
) =>
  `${line}${/ HTTP\//.test(line) ? '' : ' HTTP/1.1'}\r\nHost: ${host}\r\n${more}Cookie: ${cookie}\r\nUser-Agent: test\r\n\r\n${body}`

/** A request with a body and its length. */
const sized = (cookie: string, line: string, more = 'Content-Length: 3\r\n') =>
  usual(cookie, { line, more, body: 'abc' })

/** Ordinary and hostile requests by name, for the routes of `routeKept`. */
export const requests = (ada: string, bob: string): Record<string, string> => ({
  usual: usual(ada),
  'another path': usual(ada, { line: 'GET /a/b?c=d' }),
  'another person': usual(bob),
  'a path that needs a claim': usual(ada, { line: 'GET /claimed/x' }),
  'the same from a user without the claim': usual(bob, { line: 'GET /claimed/x' }),
  'a path that is open to all': usual(ada, { line: 'GET /open' }),
  'a path whose prefix is stripped': usual(ada, { line: 'GET /strip/away?x' }),
  'a path with two slashes': usual(ada, { line: 'GET //claimed' }),
  'a path in capitals': usual(ada, { line: 'GET /CLAIMED' }),
  'a dot segment': usual(ada, { line: 'GET /a/../claimed' }),
  'an encoded dot segment': usual(ada, { line: 'GET /a/%2e%2e/claimed' }),
  'a fragment': usual(ada, { line: 'GET /a#b' }),
  'a backslash': usual(ada, { line: 'GET /a\\b' }),
  'an own page': usual(ada, { line: 'GET /.hero_proxy/me' }),
  'an own page at a usual name': usual(ada, { line: 'GET /auth/me' }),
  'a form at a usual name': sized(ada, 'POST /auth/login'),
  'an own path without a page': usual(ada, { line: 'GET /.hero_proxy/nothing' }),
  'an own path in another spelling': usual(ada, { line: 'GET /%2ehero_proxy/me' }),
  'an own page of home': usual(ada, { host: 'localhost', line: 'GET /auth/me' }),
  'a forward-auth request': usual(ada, { line: 'GET /auth/forward' }),
  'absolute form': usual(ada, { line: 'GET http://other.localhost/' }),
  'another host': usual(ada, { host: 'other.localhost' }),
  'a host with a port': usual(ada, { host: 'kept.localhost:80' }),
  'a host in capitals': usual(ada, { host: 'KEPT.localhost' }),
  'a host without a route': usual(ada, { host: 'nobody.localhost' }),
  'two Host headers': usual(ada, { more: 'Host: other.localhost\r\n' }),
  'two Host headers, the right one last': usual(ada, {
    host: 'other.localhost',
    more: 'Host: kept.localhost\r\n',
  }),
  'no cookie': 'GET / HTTP/1.1\r\nHost: kept.localhost\r\n\r\n',
  'two Cookie headers': usual(ada, { more: `Cookie: ${bob}\r\n` }),
  'another cookie before the session cookie': usual(`theme=dark; ${ada}`),
  'a session cookie that is invalid': usual(`${ada.slice(0, -4)}AAAA`),
  'identity headers of the client': usual(ada, {
    more: 'X-Hero-User: root\r\nX_Hero_Claims: admin\r\nX-Proxy-User-Email: a@b\r\n',
  }),
  'a method override': usual(ada, { more: 'X-HTTP-Method-Override: DELETE\r\n' }),
  'forwarding headers of the client': usual(ada, {
    more: 'X-Forwarded-For: 1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n',
  }),
  'a foreign origin': usual(ada, { more: 'Origin: http://foreign.example\r\n' }),
  'Basic authorization': usual(ada, { more: 'Authorization: Basic YTpi\r\n' }),
  'an invalid token': usual(ada, { more: 'Authorization: Bearer nobody\r\n' }),
  'two Authorization headers': usual(ada, {
    more: 'Authorization: Basic YTpi\r\nAuthorization: Bearer nobody\r\n',
  }),
  'a header that Connection lists': usual(ada, { more: 'Connection: x-secret\r\nX-Secret: 1\r\n' }),
  'Cookie listed in Connection': usual(ada, { more: 'Connection: cookie, keep-alive\r\n' }),
  'keep-alive': usual(ada, { more: 'Connection: keep-alive\r\nKeep-Alive: 5\r\n' }),
  'Connection: close': usual(ada, { more: 'Connection: close\r\n' }),
  'a header named Close': usual(ada, { more: 'Connection: close\r\nClose: 1\r\n' }),
  Via: usual(ada, { more: 'Via: 1.1 other\r\n' }),
  'unusual whitespace': usual(ada, { more: 'X-A:  b \r\nX-B:\tc\r\nX-C:d\r\nX-D:\r\n' }),
  'bytes beyond ASCII': usual(ada, { more: 'X-A: \u00e4\u00ff\r\n' }),
  'a folded value': usual(ada, { more: 'X-A: b\r\n c\r\n' }),
  'a space before the colon': usual(ada, { more: 'X-A : b\r\n' }),
  'a bare carriage return': usual(ada, { more: 'X-A: b\rc\r\n' }),
  'an empty line before it': `\r\n${usual(ada)}`,
  'bare line feeds': usual(ada).replaceAll('\r\n', '\n'),
  'HTTP/1.0': usual(ada, { line: 'GET / HTTP/1.0' }),
  'HTTP/2.0': usual(ada, { line: 'GET / HTTP/2.0' }),
  'an upgrade': usual(ada, { more: 'Upgrade: websocket\r\nConnection: Upgrade\r\n' }),
  TE: usual(ada, { more: 'TE: trailers\r\n' }),
  'a body with GET': sized(ada, 'GET /a'),
  'two Content-Length headers': sized(ada, 'POST /a', 'Content-Length: 3\r\nContent-Length: 4\r\n'),
  'Content-Length and Transfer-Encoding': usual(ada, {
    line: 'POST /a',
    more: 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n',
    body: '0\r\n\r\n',
  }),
  'Content-Length with a sign': sized(ada, 'POST /a', 'Content-Length: +3\r\n'),
  'Content-Length with many digits': sized(ada, 'POST /a', `Content-Length: ${'3'.padStart(16, '0')}\r\n`),
  'an expectation': sized(ada, 'POST /a', 'Content-Length: 3\r\nExpect: 100-continue\r\n'),
  chunks: usual(ada, {
    line: 'POST /a',
    more: 'Transfer-Encoding: chunked\r\n',
    body: '3\r\nabc\r\n0\r\n\r\n',
  }),
  'Content_Length beside Content-Length': sized(ada, 'POST /a', 'Content-Length: 3\r\nContent_Length: 0\r\n'),
  POST: sized(ada, 'POST /a'),
  'POST of an empty body': usual(ada, { line: 'POST /a', more: 'Content-Length: 0\r\n' }),
  'POST without a length': usual(ada, { line: 'POST /a' }),
  PUT: sized(ada, 'PUT /a'),
  PATCH: sized(ada, 'PATCH /a'),
  DELETE: usual(ada, { line: 'DELETE /a' }),
  OPTIONS: usual(ada, { line: 'OPTIONS /a' }),
  HEAD: usual(ada, { line: 'HEAD /' }),
  TRACE: usual(ada, { line: 'TRACE /' }),
  'many headers': usual(ada, { more: Array.from({ length: 70 }, (_, i) => `X-${i}: ${i}\r\n`).join('') }),
  'a head that is too large': usual(ada, { more: `X-A: ${'a'.repeat(20_000)}\r\n` }),
})

/**
 * What the upstream received and the client's response, without what differs each time: the date, the request id, the instance in Via,
 * and the keep-alive headers that node:http adds once it serves a connection.
 */
export const comparable = ({ head, body }: Received, name: string): unknown => {
  const stable = head.replaceAll(/\r\n(date: |connection: keep-alive|keep-alive: )[^\r]*/gi, '')
  if (name === 'HEAD' || !body.startsWith('{"method"')) return [stable, body]
  const { method, url, rawHeaders } = got({ body })
  const list = rawHeaders.map((text, i) =>
    rawHeaders[i - 1] === 'X-Request-Id' ? 'id' : text.replace(/hero-[0-9a-f]{16}/, 'hero'),
  )
  return [stable.replace(/\r\nContent-Length: \d+/i, ''), method, url, list]
}
