import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { bindSocketFile } from '../../src/rpc/socket_file.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { command, environment, kill, spawnDaemon } from '../support/daemon_process.ts'
import { callLine } from './speak.ts'

/** Leaves a socket file as a killed daemon does. */
const leaveStaleSocket = (path: string) => {
  const program =
    'require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))'
  spawnSync(process.execPath, ['-e', program, path])
  assert.ok(lstatSync(path).isSocket())
}

describe('the socket file (R8)', () => {
  let dir: string
  let folder: string
  let path: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'hp-file-'))
    folder = join(dir, 's', 'hero_proxy')
    path = join(folder, 'rpc.sock')
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  const serves = async () => assert.equal((await callLine(path, 'health')).id, 1)
  /** Starts in a folder of its own, which closing removes; only the socket is in ours. */
  const start = () => startTestDaemon({ socket_dir: join(dir, 's') })
  const startRefused = (because: RegExp, what?: string, socket_dir = join(dir, 's')) =>
    assert.rejects(
      async () => {
        await using _started = await startTestDaemon({ socket_dir }, join(dir, 'refused'))
      },
      because,
      what,
    )
  const modeOf = (file: string) => (lstatSync(file).mode & 0o777).toString(8)

  test('a missing folder is created with 0750 and the socket with 0660, and nothing else is there', async () => {
    await using _daemon = await start()
    assert.equal(modeOf(folder), '750')
    assert.equal(modeOf(path), '660')
    assert.deepEqual(readdirSync(folder), ['rpc.sock'])
    await serves()
  })

  test('a umask of 000 does not widen the modes, even briefly', async (t) => {
    const mask = process.umask(0o000)
    try {
      await using daemon = await start()
      assert.equal(modeOf(folder), '750')
      assert.equal(modeOf(daemon.socketPath), '660')
      // The mode right after the kernel created the file.
      const server = createServer()
      t.after(() => server.close())
      const made: string[] = []
      const below = join(dir, 'bound', 'rpc.sock')
      server.once('listening', () => {
        for (const name of readdirSync(dirname(below))) made.push(modeOf(join(dirname(below), name)))
      })
      const file = await bindSocketFile(server, below)
      assert.deepEqual(made, ['600'])
      assert.equal(modeOf(below), '660')
      file.remove()
    } finally {
      process.umask(mask)
    }
  })

  test('the umask of the process is restored', async () => {
    const before = process.umask()
    await using _daemon = await start()
    assert.equal(process.umask(), before)
  })

  test('a stale socket is replaced', async () => {
    mkdirSync(folder, { recursive: true })
    leaveStaleSocket(path)
    await using _daemon = await start()
    await serves()
    assert.deepEqual(readdirSync(folder), ['rpc.sock'])
  })

  test('a second daemon refuses to start, and the first continues', async () => {
    await using _first = await start()
    await startRefused(/rpc\.sock: another daemon already uses it$/)
    await serves()
    assert.deepEqual(readdirSync(folder), ['rpc.sock'])
  })

  test('a file that is not a socket is kept, and the daemon refuses to start', async (t) => {
    mkdirSync(folder, { recursive: true })
    const precious = join(dir, 'precious')
    writeFileSync(precious, 'do not delete')
    const live = join(dir, 'live')
    const sleeper = spawn(process.execPath, [
      '-e',
      'require("net").createServer().listen(process.argv[1])',
      live,
    ])
    t.after(() => kill(sleeper, 'SIGKILL'))
    while (!existsSync(live)) await new Promise((resolve) => setTimeout(resolve, 10))
    for (const [make, what] of [
      [() => writeFileSync(path, 'do not delete'), 'a regular file'],
      [() => symlinkSync(precious, path), 'a symbolic link to a file'],
      [() => symlinkSync(join(dir, 'nowhere'), path), 'a dangling symbolic link'],
      [() => symlinkSync(live, path), 'a symbolic link to a socket'],
      [() => mkdirSync(path), 'a folder'],
      [() => spawnSync('mkfifo', [path]), 'a pipe'],
    ] as const) {
      make()
      const { ino } = lstatSync(path)
      await startRefused(/rpc\.sock: the file exists and is not a socket; move it away$/, what)
      assert.equal(lstatSync(path).ino, ino, what)
      assert.deepEqual(readdirSync(folder), ['rpc.sock'], what)
      assert.equal(readFileSync(precious, 'utf8'), 'do not delete')
      rmSync(path, { recursive: true })
    }
  })

  test('stopping removes the file', async () => {
    const daemon = await start()
    await daemon.close()
    assert.ok(!existsSync(path))
  })

  test('stopping does not remove the file of a successor', async () => {
    const first = await start()
    unlinkSync(path)
    const successor = await start()
    await first.close()
    await serves()
    await successor.close()
    assert.ok(!existsSync(path))
  })

  test('stopping does not remove another file at its path', async () => {
    const daemon = await start()
    unlinkSync(path)
    writeFileSync(path, 'do not delete')
    await daemon.close()
    assert.equal(readFileSync(path, 'utf8'), 'do not delete')
  })

  test('a path too long for a socket is refused with the path and the limit', async () => {
    const socket_dir = join(dir, 'x'.repeat(100))
    await startRefused(/rpc\.sock: the path is too long .* 100 bytes/, 'long', socket_dir)
    assert.deepEqual(readdirSync(join(socket_dir, 'hero_proxy')), [])
  })

  test('of two daemons that start concurrently on a stale file, one serves', async (t) => {
    mkdirSync(folder, { recursive: true })
    leaveStaleSocket(path)
    const starts = ['a', 'b'].map((name) => {
      const env = { ...environment(dir), HERO_PROXY_DATA_DIR: join(dir, name) }
      const child = spawn(process.execPath, [command, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
      t.after(() => kill(child, 'SIGKILL'))
      let errors = ''
      child.stderr.on('data', (text) => (errors += text))
      const settled = Promise.race([
        once(child.stdout, 'data').then(() => 'serves'),
        once(child, 'close').then(() => errors),
      ])
      return settled
    })
    const outcomes = await Promise.all(starts)
    assert.equal(outcomes.filter((outcome) => outcome === 'serves').length, 1, outcomes.join('\n'))
    assert.match(
      outcomes.find((outcome) => outcome !== 'serves')!,
      /^hero-proxy: .*rpc\.sock: .*daemon.*\n$/,
    )
    await serves()
  })

  test('the file of a killed daemon is replaced at the next start', async (t) => {
    const first = await spawnDaemon(dir)
    await kill(first.child, 'SIGKILL')
    assert.ok(lstatSync(path).isSocket())
    const next = await spawnDaemon(dir)
    t.after(() => kill(next.child, 'SIGKILL'))
    await serves()
    await kill(next.child, 'SIGTERM')
    assert.ok(!existsSync(path))
  })
})
