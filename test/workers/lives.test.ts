import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { kill, spawnDaemon } from '../support/daemon_process.ts'
import { client, run, startLoad, until } from '../support/running_daemon.ts'
import { oneToEach, pidsOf } from './each_worker.ts'

const alive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('the life of workers', () => {
  test('one that dies is replaced at once, told of, and costs nobody else a request', async () => {
    await using running = await run({ HERO_PROXY_WORKERS: '2' })
    const pids = await pidsOf(running, 2)
    const [survivor] = await oneToEach(running, pids)
    process.kill(pids[1]!, 'SIGKILL')
    const load = startLoad(running.daemon.edge.port)
    for (let i = 0; i < 20; i++) assert.equal((await survivor!.ask('open.localhost', '/')).status, 200)
    await until('there are two again', async () => {
      const now = (await running.hero.stats()).workers.map(({ pid }) => pid)
      return now.length === 2 && now.includes(pids[0]!) && !now.includes(pids[1]!)
    })
    assert.deepEqual(await load.stop(), [])
    assert.match(running.daemon.log(), /"worker":2,"pid":\d+,"how":"SIGKILL","msg":"a worker ended/)
    survivor!.close()
  })

  test('when all die, connections wait for the next ones', async () => {
    await using running = await run({ HERO_PROXY_WORKERS: '2' })
    for (const pid of await pidsOf(running, 2)) process.kill(pid, 'SIGKILL')
    const load = startLoad(running.daemon.edge.port)
    await until('requests are answered', () => load.answered() > 20)
    assert.deepEqual(await load.stop(), [])
  })

  test('they end with the daemon, however it ends, and leave the address free', async () => {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await using running = await run({ HERO_PROXY_WORKERS: '2' })
      const pids = await pidsOf(running, 2)
      await kill(running.daemon.child, signal)
      if (signal === 'SIGTERM') assert.equal(running.daemon.child.exitCode, 0)
      await until(`they are gone after ${signal}`, () => !pids.some(alive))
      const again = client(running.daemon.edge.port)
      await assert.rejects(again.ask('open.localhost', '/'), { code: 'ECONNREFUSED' })
    }
  })

  test('set-up at a worker leaves its mark at once', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hp-mark-'))
    const daemon = await spawnDaemon(dir, { HERO_PROXY_WORKERS: '2' })
    const marked = () => existsSync(join(dir, 'data', 'initialised'))
    try {
      assert.ok(!marked())
      const [, token] = /setup\?token=([A-Za-z0-9_-]{43})/.exec(daemon.printed)!
      const params = { username: 'ada', email: 'ada@example.org', password: goodPassword, token }
      const answer = await client(daemon.edge.port, false).ask('localhost', '/rpc', {
        method: 'POST',
        headers: ['Content-Type', 'application/json'],
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'auth.setup', params }),
      })
      assert.match(answer.body, /"user":"ada"/)
      assert.ok(marked())
    } finally {
      await kill(daemon.child, 'SIGKILL')
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
