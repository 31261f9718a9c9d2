import assert from 'node:assert/strict'
import { connect, createServer, type ClientHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { keepStreamsInLists } from '../../src/wire/session_streams.ts'
import { answerOf } from '../support/http2.ts'

test('node:http2 serves, resets and closes streams that are kept in lists', { timeout: 10_000 }, async () => {
  const server = createServer()
  const applied: boolean[] = []
  const open = new Set<unknown>()
  server.on('session', (session) => {
    // This is false if another version of Node stores its streams differently. Then only the speed changes.
    applied.push(keepStreamsInLists(session), keepStreamsInLists(session))
    session.on('stream', (stream, headers) => {
      open.add(stream)
      stream.on('error', () => {})
      stream.on('close', () => open.delete(stream))
      if (headers[':path'] === '/waits') return
      stream.respond([':status', '200'])
      stream.end(String(headers[':path']))
    })
  })
  server.listen(0)
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  client.on('error', () => {})
  const ask = (path: string): ClientHttp2Stream => client.request({ ':path': path })
  const paths = Array.from({ length: 60 }, (_, i) => `/${i}`)
  const waiting = ask('/waits')
  waiting.on('error', () => {})
  const answers = await Promise.all(paths.map((path) => answerOf(ask(path))))
  assert.deepEqual(
    answers.map(({ body }) => body),
    paths,
  )
  assert.deepEqual(applied, [true, true])
  const reset = ask('/waits')
  reset.on('error', () => {})
  reset.close(8)
  assert.equal((await answerOf(ask('/last'))).body, '/last')
  // Closing the connection closes its streams.
  client.destroy()
  for (let i = 0; i < 100 && open.size > 0; i++) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(open.size, 0)
  server.close()
})
