import assert from 'node:assert/strict'
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startStage, type Stage } from '../../support/edge_stage.ts'
import { askOver, headersFrame, openFrames, openSession, resetFrame } from '../../support/http2.ts'
import { TestAuthority, tlsSettings } from '../../support/pem.ts'

describe('limits of one HTTP/2 connection', () => {
  const authority = new TestAuthority()
  let stage: Stage
  let session: ClientHttp2Session
  before(async () => {
    stage = await startStage(tlsSettings(authority.issue('open.localhost')))
    await stage.route({ domain: 'open.localhost', auth_mode: 'none' })
    session = await openSession(stage.daemon, 'open.localhost')
  })
  after(async () => {
    session.destroy()
    await stage.close()
    authority[Symbol.dispose]()
  })
  const ask = (host: string, path: string, headers?: OutgoingHttpHeaders) =>
    askOver(session, host, path, headers)
  const base = [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', 'open.localhost'],
    [':path', '/'],
  ] as const

  test('too many headers get 431, and far too many or too large ones end the stream', async () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'v']))
    assert.equal((await ask('open.localhost', '/', many(190))).status, 200)
    assert.equal((await ask('open.localhost', '/', many(201))).status, 431)
    const before = stage.upstream.seen.length
    for (const headers of [many(1001), { 'x-long': 'x'.repeat(17_000) }])
      assert.equal((await ask('open.localhost', '/', headers)).status, 431)
    for (const headers of [many(2100), { 'x-long': 'x'.repeat(140_000) }]) {
      const other = await openSession(stage.daemon, 'open.localhost')
      const answer = await askOver(other, 'open.localhost', '/', headers).catch(() => ({ status: 0 }))
      assert.equal(answer.status, 0)
      other.destroy()
    }
    assert.equal(stage.upstream.seen.length, before)
    const again = await openSession(stage.daemon, 'open.localhost')
    assert.equal((await askOver(again, 'open.localhost', '/', { 'x-long': 'x'.repeat(14_000) })).status, 200)
    again.destroy()
  })

  for (const batch of [3000, 50]) {
    test(`rapid resets, ${batch} at a time, end the connection (CVE-2023-44487)`, async () => {
      const before = stage.upstream.seen.length
      const { socket } = await openFrames(stage.daemon)
      const closed = new Promise((resolve) => socket.once('close', resolve))
      for (let next = 1; next < 6000 && socket.writable; await sleep(5)) {
        const frames: Buffer[] = []
        for (let i = 0; i < batch; i++, next += 2) frames.push(headersFrame(next, base), resetFrame(next))
        socket.write(Buffer.concat(frames))
      }
      await Promise.race([closed, sleep(3000)])
      assert.ok(socket.destroyed)
      const reached = stage.upstream.seen.length - before
      assert.ok(reached < 600, String(reached))
      assert.equal((await ask('open.localhost', '/')).status, 200)
    })
  }
})
