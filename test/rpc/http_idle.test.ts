import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { serveHttpCalls } from '../../src/rpc/http_calls.ts'
import { postOf, responsesIn } from './http_speech.ts'

const dir = mkdtempSync(join(tmpdir(), 'hp-idle-'))
const path = join(dir, 's')
const server = createServer({ allowHalfOpen: true }, (socket) => {
  serveHttpCalls({
    socket,
    receive: (body) => (String(body) === 'slow' ? delay(2500, 'late') : 'soon'),
    handOver: () => socket.destroy(),
    // One more second is added, for a request that arrives at the limit.
    keepAliveSeconds: 0,
  })
})
before(async () => {
  server.listen(path)
  await once(server, 'listening')
})
after(() => {
  server.close()
  rmSync(dir, { recursive: true, force: true })
})

test('an idle connection is closed after its time, and never during a call', async () => {
  const socket = connect(path)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const closed = once(socket, 'close', { signal: AbortSignal.timeout(20_000) })
  socket.write(postOf('slow'))
  while (chunks.length === 0) await delay(10)
  socket.write(postOf('fast'))
  await closed
  const responses = responsesIn(Buffer.concat(chunks))
  assert.deepEqual(
    responses.map(({ body }) => body),
    ['late', 'soon'],
  )
  assert.ok(responses.every(({ head }) => head.includes('Connection: keep-alive')))
})
