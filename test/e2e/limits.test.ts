import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { HeroProxy } from '../../sdk/index.ts'
import { ask, askRaw } from '../support/http.ts'
import { command, kill, spawnDaemon } from '../support/daemon_process.ts'
import { startUpstream } from '../support/upstream.ts'
import { startStage } from '../support/edge_stage.ts'
import { readAll, until } from '../support/running_daemon.ts'

interface Idle {
  readonly socket: Socket
  text: string
  closed: boolean
}

const openIdle = (port: number): Idle => {
  const idle: Idle = { socket: connect(port, '127.0.0.1'), text: '', closed: false }
  idle.socket.setEncoding('latin1').on('data', (chunk: string) => (idle.text += chunk))
  idle.socket.on('error', () => {})
  idle.socket.on('close', () => (idle.closed = true))
  return idle
}

describe('limits', { concurrency: true }, () => {
  test('beyond max_connections a new connection gets 503, and is accepted once there is room', async () => {
    await using stage = await startStage({ max_connections: '5' })
    const { daemon } = stage
    await stage.route({ domain: 'open.localhost', auth_mode: 'none' })
    const kept = Array.from({ length: 5 }, () => openIdle(daemon.edge.port))
    for (const { socket } of kept) socket.write('GET / HTTP/1.1\r\nHost: open.localhost\r\n\r\n')
    await until('the five are served', () => kept.every(({ text }) => text.startsWith('HTTP/1.1 200')))
    for (const bytes of [
      '',
      'GET / HTTP/1.1\r\nHost: open.localhost\r\n\r\n',
      `POST / HTTP/1.1\r\n${'x'.repeat(70_000)}`,
    ]) {
      assert.match(
        await askRaw(daemon, bytes),
        /^HTTP\/1\.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n$/,
      )
    }
    const many = Array.from({ length: 100 }, () => readAll(daemon.edge.port, ''))
    await Promise.all(many.map(({ closed }) => closed))
    for (const { text } of many) assert.match(text(), /^HTTP\/1\.1 503 /)
    assert.ok(daemon.logged.some(({ msg }) => msg === 'no more connections: new ones are answered 503'))
    for (const { closed, socket } of kept) {
      assert.ok(!closed, 'established connections stay open')
      socket.write('GET / HTTP/1.1\r\nHost: open.localhost\r\n\r\n')
    }
    await until('they are still served', () =>
      kept.every(({ text }) => text.split('HTTP/1.1 200').length === 3),
    )
    kept[0]!.socket.destroy()
    await until('there is room', async () => (await ask(daemon, 'open.localhost', '/')).status === 200)
    for (const { socket } of kept) socket.destroy()
  })

  test('with 128 file descriptors and 500 idle connections the RPC socket answers, and the edge recovers (R9)', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hp-few-'))
    await using upstream = await startUpstream()
    const { child, socket, edge, log } = await spawnDaemon(dir, {}, (env) =>
      spawn('sh', ['-c', 'ulimit -n 128; exec "$0" "$@"', process.execPath, command, 'serve'], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
    const hero = new HeroProxy({ socket })
    try {
      await hero.proxy.routes.add({ domain: 'open.localhost', target: upstream.target, auth_mode: 'none' })
      hero.close()
      const idle = Array.from({ length: 500 }, () => openIdle(edge.port))
      await until('all are accepted or refused', () => {
        const refused = idle.filter(({ text }) => text.startsWith('HTTP/1.1 503 '))
        return refused.length > 450 && refused.every(({ closed }) => closed)
      })
      for (let i = 0; i < 5; i++) {
        const another = new HeroProxy({ socket, startTimeout: 0 })
        assert.equal((await another.health()).status, 'ok')
        another.close()
        await delay(50)
      }
      // No connection was closed without a response.
      for (const { text, closed } of idle) assert.ok(!closed || text.startsWith('HTTP/1.1 503 '))
      for (const one of idle) one.socket.destroy()
      await until('the edge serves requests again', async () => {
        const answer = await ask({ edge: { host: '', ...edge } }, 'open.localhost', '/').catch(
          () => undefined,
        )
        return answer?.status === 200
      })
      assert.equal(child.exitCode, null)
      assert.doesNotMatch(log(), /EMFILE/)
    } finally {
      await kill(child, 'SIGKILL')
      rmSync(dir, { recursive: true, force: true })
    }
  })

  test('a head that takes longer than 15 seconds gets 408, while others are served', async () => {
    await using stage = await startStage()
    const { daemon } = stage
    await stage.route({ domain: 'open.localhost', auth_mode: 'none' })
    const slow = Array.from({ length: 50 }, () => openIdle(daemon.edge.port))
    for (const { socket } of slow) socket.write('GET / HTTP/1.1\r\nHost: open.localhost\r\nX-A: ')
    for (let i = 0; i < 10; i++) {
      for (const { socket } of slow) socket.write('b')
      assert.equal((await ask(daemon, 'open.localhost', '/')).status, 200)
      await delay(1000)
    }
    assert.ok(slow.every(({ text, closed }) => text === '' && !closed))
    await until('they are closed', () => slow.every(({ closed }) => closed), 30_000)
    for (const { text } of slow)
      assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n/)
  })
})
