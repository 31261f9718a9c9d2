import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import * as fc from 'fast-check'
import { valuesOf } from '../../support/upstream.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'

let stage: Stage
before(async () => {
  stage = await startStage()
  await stage.route({ domain: 'fuzz.localhost', auth_mode: 'optional' })
})
after(() => stage.close())

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: fuzz.localhost\r\n\r\n'
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

/** Valid requests that get a response in either lane. */
const sound: Record<string, (line: string) => string> = {
  plain: (line) => `GET ${line}\r\n`,
  head: (line) => `HEAD ${line}\r\n`,
  'body with a length': (line) => `POST ${line}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  'body in chunks': (line) =>
    `POST ${line}Transfer-Encoding: chunked\r\n\r\n${chunk(smuggled)}${chunk('x')}0\r\n\r\n`,
  'body of a GET': (line) => `GET ${line}Content-Length: 5\r\n\r\nhello`,
  'TE: trailers': (line) => `GET ${line}TE: trailers\r\n\r\n`,
  'another method': (line) => `PROPFIND ${line}\r\n`,
}
/** Invalid requests that end the connection. */
const broken: Record<string, (line: string) => string> = {
  'two lengths': (line) =>
    `POST ${line}Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  'length and chunks': (line) =>
    `POST ${line}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  'space before a colon': (line) => `GET ${line}X : y\r\n\r\n${smuggled}`,
  'an empty header name': (line) => `GET ${line}: y\r\n\r\n${smuggled}`,
  'bare CR': (line) => `GET ${line}X: a\rb\r\n\r\n${smuggled}`,
  NUL: (line) => `GET ${line}X: \0\r\n\r\n${smuggled}`,
}

const people = ['ada', 'bob', 'guest'] as const

const request = fc.record({
  kind: fc.constantFrom(...Object.keys(sound)),
  who: fc.constantFrom(...people),
})
const conversation = fc.record({
  requests: fc.array(request, { minLength: 1, maxLength: 12 }),
  last: fc.option(fc.constantFrom(...Object.keys(broken)), { freq: 3 }),
  cuts: fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 8 }),
})

let count = 0

const lineFor = (path: string, who: (typeof people)[number], more = '') => {
  const cookie = who === 'guest' ? '' : `Cookie: ${stage[who]}\r\n`
  return `${path} HTTP/1.1\r\nHost: fuzz.localhost\r\n${cookie}${more}`
}

/** Sends the bytes in parts with a pause between them, and reads until the connection closes. */
const converse = (bytes: string, cuts: readonly number[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(stage.daemon.edge.port, '127.0.0.1')
    socket.setNoDelay()
    let text = ''
    const timer = setTimeout(
      () => reject(new Error(`the connection did not close: ${JSON.stringify(text)}`)),
      8000,
    )
    socket.on('data', (part) => (text += part.toString('latin1')))
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(text)
    })
    const places = [...cuts.map((cut) => Math.floor((cut / 1000) * bytes.length)), bytes.length].sort(
      (a, b) => a - b,
    )
    const send = (i: number) => {
      if (i === places.length) return
      socket.write(bytes.slice(places[i - 1] ?? 0, places[i]), 'latin1')
      setTimeout(() => send(i + 1), 2)
    }
    send(0)
  })

test('requests over one connection, split anywhere, are each answered for their own user, and nothing else reaches the service', async () => {
  await fc.assert(
    fc.asyncProperty(conversation, async ({ requests, last, cuts }) => {
      const mine = `/c${count++}`
      const expected: string[] = []
      let bytes = ''
      requests.forEach(({ kind, who }, i) => {
        const path = `${mine}/${i}`
        const closes = i === requests.length - 1 && last === null ? 'Connection: close\r\n' : ''
        bytes += sound[kind]!(lineFor(path, who, closes))
        expected.push(`${path} ${who}`)
      })
      if (last !== null) bytes += broken[last]!(lineFor(`${mine}/broken`, 'ada'))
      const answer = await converse(bytes, cuts)
      const { seen } = stage.upstream
      const mineSeen = seen
        .filter(({ url }) => url.startsWith(`${mine}/`) || url === '/smuggled')
        .map(({ url, rawHeaders }) => `${url} ${valuesOf(rawHeaders, 'x-hero-user').join() || 'guest'}`)
      seen.length = 0
      const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status)
      // The bodies show which user the service saw, in the order of the requests, without HEAD.
      const bodies = [...answer.matchAll(/\{"method":"(?!HEAD).*?\]\}/g)].map(([json]) => {
        const { url, rawHeaders } = JSON.parse(json) as { url: string; rawHeaders: string[] }
        return `${url} ${valuesOf(rawHeaders, 'x-hero-user').join() || 'guest'}`
      })
      const refused = statuses.at(-1) === '400'
      const answered = refused ? statuses.length - 1 : statuses.length
      if (last === null) assert.equal(answered, expected.length)
      // Invalid bytes end the connection at once: earlier requests may stay unanswered, but are never mixed up.
      assert.deepEqual(mineSeen, expected.slice(0, mineSeen.length))
      assert.ok(mineSeen.length >= answered)
      assert.deepEqual(statuses, [...Array<string>(answered).fill('200'), ...(refused ? ['400'] : [])])
      assert.deepEqual(
        bodies,
        expected.slice(0, answered).filter((_, i) => requests[i]!.kind !== 'head'),
      )
    }),
    { numRuns: 120, endOnFailure: true },
  )
})
