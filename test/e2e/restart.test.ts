import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { HeroProxy } from '../../sdk/index.ts'
import { takePassedSockets } from '../../src/start/passed_sockets.ts'
import { ask } from '../support/http.ts'
import { command, environment, kill } from '../support/daemon_process.ts'
import { startUpstream } from '../support/upstream.ts'
import { long } from '../long.ts'
import { run, startLoad, supervisor, until } from '../support/running_daemon.ts'
import { freePort } from '../support/free_port.ts'

for (const [workers, restarts] of [
  ['1', long ? 50 : 5],
  ['2', long ? 20 : 2],
] as const) {
  test(`with a passed socket and workers=${workers}, ${restarts} restarts under load lose no request (R14)`, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hp-restart-'))
    const { start, close } = await supervisor()
    await using upstream = await startUpstream()
    let daemon = await start(dir, { HERO_PROXY_WORKERS: workers })
    try {
      const hero = new HeroProxy({ socket: daemon.socket })
      await hero.proxy.routes.add({ domain: 'open.localhost', target: upstream.target, auth_mode: 'none' })
      hero.close()
      const { port } = daemon.edge
      const load = startLoad(port)
      for (let i = 0; i < restarts; i++) {
        const before = load.answered()
        await until('requests are answered', () => load.answered() > before + 50)
        await kill(daemon.child, 'SIGTERM')
        assert.equal(daemon.child.exitCode, 0)
        daemon = await start(dir, { HERO_PROXY_WORKERS: workers })
        assert.equal(daemon.edge.port, port)
      }
      await until('requests are answered', () => load.answered() > restarts * 50)
      assert.deepEqual(await load.stop(), [])
    } finally {
      await kill(daemon.child, 'SIGKILL')
      close()
      rmSync(dir, { recursive: true, force: true })
    }
  })
}

test('systemd-socket-activate starts the daemon on the first connection, and that request is answered', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-activate-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  if (spawnSync('systemd-socket-activate', ['--version']).status !== 0)
    return t.skip('systemd-socket-activate is not installed')
  const port = await freePort()
  const rpc = join(dir, 's', 'hero_proxy', 'rpc.sock')
  mkdirSync(dirname(rpc), { recursive: true })
  const env = environment(dir)
  const passed = Object.entries(env).flatMap(([name, value]) => ['-E', `${name}=${value}`])
  const child = spawn(
    'systemd-socket-activate',
    [
      '-l',
      `127.0.0.1:${port}`,
      '-l',
      rpc,
      '--fdname',
      'edge:rpc',
      ...passed,
      process.execPath,
      command,
      'serve',
    ],
    { env, stdio: 'ignore' },
  )
  t.after(() => kill(child, 'SIGKILL'))
  await until('it listens', () => existsSync(rpc))
  const edge = { edge: { host: '127.0.0.1', port } }
  assert.equal((await ask(edge, 'localhost', '/auth/login')).status, 200)
  const hero = new HeroProxy({ socket: rpc })
  assert.equal((await hero.health()).status, 'ok')
  hero.close()
  await kill(child, 'SIGTERM')
  assert.ok(existsSync(rpc), 'the socket file belongs to the process that passed it')
})

test('the public URL follows the port of a passed socket, and the set-up link opens as printed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-follow-'))
  const sockets = await supervisor()
  const { child, printed, edge } = await sockets.start(dir)
  try {
    const link = /http:\S+\/auth\/setup\?token=\S+/.exec(printed)![0]
    assert.equal(new URL(link).port, String(edge.port))
    assert.equal((await fetch(link)).status, 200)
  } finally {
    await kill(child, 'SIGKILL')
    sockets.close()
    rmSync(dir, { recursive: true, force: true })
  }
})

test('SIGHUP replaces the workers under load without losing a request', async () => {
  await using running = await run({ HERO_PROXY_WORKERS: '2', HERO_PROXY_LOG_LEVEL: 'info' })
  const { daemon, hero } = running
  const pids = async () => (await hero.stats()).workers.map(({ pid }) => pid)
  await until('both workers report', async () => (await pids()).length === 2)
  const before = await pids()
  const load = startLoad(daemon.edge.port)
  await until('requests are answered', () => load.answered() > 50)
  daemon.child.kill('SIGHUP')
  await until('they are replaced', () => daemon.log().includes('the workers were replaced'))
  await until('the old ones are gone', async () => (await pids()).every((pid) => !before.includes(pid)))
  const then = load.answered()
  await until('requests are answered', () => load.answered() > then + 50)
  assert.deepEqual(await load.stop(), [])
})

test('SIGHUP without workers changes nothing and logs a warning', async () => {
  await using running = await run()
  running.daemon.child.kill('SIGHUP')
  await until('it is logged', () => running.daemon.log().includes('no workers that could be replaced'))
  assert.equal((await running.hero.health()).status, 'ok')
})

test('passed file descriptors are assigned by name, number and process', () => {
  const taken = (env: NodeJS.ProcessEnv) => {
    const given = { LISTEN_PID: '7', ...env }
    const passed = takePassedSockets(given, 7)
    assert.deepEqual(Object.keys(given), [], 'child processes do not inherit the variables')
    return passed
  }
  assert.deepEqual(taken({}), {})
  assert.deepEqual(taken({ LISTEN_FDS: '1' }), { edge: 3 })
  assert.deepEqual(taken({ LISTEN_FDS: '1', LISTEN_FDNAMES: 'hero-proxy.socket' }), { edge: 3 })
  assert.deepEqual(taken({ LISTEN_FDS: '1', LISTEN_FDNAMES: 'rpc' }), { rpc: 3 })
  assert.deepEqual(taken({ LISTEN_FDS: '2', LISTEN_FDNAMES: 'rpc:edge' }), { rpc: 3, edge: 4 })
  assert.deepEqual(taken({ LISTEN_FDS: '2', LISTEN_FDNAMES: 'edge:rpc' }), { edge: 3, rpc: 4 })
  assert.deepEqual(taken({ LISTEN_FDS: '1', LISTEN_PID: '8' }), {}, 'they are meant for another process')
  assert.throws(
    () => taken({ LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' }),
    /LISTEN_FDNAMES: .* two sockets for edge/,
  )
  for (const wrong of ['0', '-1', 'x', '1.5', ''])
    assert.throws(() => taken({ LISTEN_FDS: wrong }), /LISTEN_FDS: .* is not allowed/)
})
