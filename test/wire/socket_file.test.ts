import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { startTestDaemon } from '../helpers/daemon.ts'
import { command, environment, kill, spawnDaemon } from '../helpers/process.ts'
import { callLine } from './speak.ts'

/** A socket file as a daemon leaves it behind that was killed. */
const leaveStaleSocket = (path: string) => {
  const program =
    'require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))'
  spawnSync(process.execPath, ['-e', program, path])
  assert.ok(lstatSync(path).isSocket())
}

/** Looks at every file of a folder as fast as it can, and tells each mode that a socket there had. */
const watching = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { readdirSync, lstatSync } = require('node:fs')
  const seen = new Set()
  const stop = new Int32Array(workerData.stop)
  parentPort.postMessage('looking')
  while (Atomics.load(stop, 0) === 0) {
    let names = []
    try { names = readdirSync(workerData.dir) } catch {}
    for (const name of names) {
      try { seen.add(lstatSync(workerData.dir + '/' + name).mode & 0o777) } catch {}
    }
  }
  parentPort.postMessage([...seen])`

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
  /** In a folder of its own, which its stop removes; only the socket is in ours. */
  const start = () => startTestDaemon({ socket_dir: join(dir, 's') })
  const startRefused = (because: RegExp, what?: string, socket_dir = join(dir, 's')) =>
    assert.rejects(startTestDaemon({ socket_dir }, join(dir, 'refused')), because, what)
  const modeOf = (file: string) => (lstatSync(file).mode & 0o777).toString(8)

  test('a folder that is missing is made, 0750, the socket 0660, and nothing else lies there', async () => {
    await using _daemon = await start()
    assert.equal(modeOf(folder), '750')
    assert.equal(modeOf(path), '660')
    assert.deepEqual(readdirSync(folder), ['rpc.sock'])
    await serves()
  })

  test('a umask of 000 changes nothing, not for an instant', async () => {
    const mask = process.umask(0o000)
    const stop = new SharedArrayBuffer(4)
    mkdirSync(folder, { recursive: true })
    const watcher = new Worker(watching, { eval: true, workerData: { dir: folder, stop } })
    try {
      await once(watcher, 'message')
      for (let i = 0; i < 5; i++) {
        const daemon = await start()
        assert.equal(modeOf(path), '660')
        await daemon.close()
      }
      await using daemon = await startTestDaemon({ socket_dir: join(dir, 'new') })
      assert.equal(modeOf(join(dir, 'new', 'hero_proxy')), '750')
      assert.equal(modeOf(daemon.socketPath), '660')
    } finally {
      process.umask(mask)
      Atomics.store(new Int32Array(stop), 0, 1)
    }
    const [modes] = (await once(watcher, 'message')) as [number[]]
    assert.ok(modes.length > 0)
    for (const mode of modes) assert.equal(mode & ~0o660, 0, mode.toString(8))
  })

  test('the umask of the process is the same afterwards', async () => {
    const before = process.umask()
    await using _daemon = await start()
    assert.equal(process.umask(), before)
  })

  test('a socket on which nobody answers is replaced', async () => {
    mkdirSync(folder, { recursive: true })
    leaveStaleSocket(path)
    await using _daemon = await start()
    await serves()
    assert.deepEqual(readdirSync(folder), ['rpc.sock'])
  })

  test('a second daemon refuses to start, and the first still serves', async () => {
    await using _first = await start()
    await startRefused(/rpc\.sock: a daemon answers there already$/)
    await serves()
    assert.deepEqual(readdirSync(folder), ['rpc.sock'])
  })

  test('what is no socket is not deleted, and the start is refused', async () => {
    mkdirSync(folder, { recursive: true })
    const precious = join(dir, 'precious')
    writeFileSync(precious, 'do not delete')
    const live = join(dir, 'live')
    const sleeper = spawn(process.execPath, [
      '-e',
      'require("net").createServer().listen(process.argv[1])',
      live,
    ])
    while (!existsSync(live)) await new Promise((resolve) => setTimeout(resolve, 10))
    for (const [make, what] of [
      [() => writeFileSync(path, 'do not delete'), 'a regular file'],
      [() => symlinkSync(precious, path), 'a symbolic link to a file'],
      [() => symlinkSync(join(dir, 'nowhere'), path), 'a symbolic link to nothing'],
      [() => symlinkSync(live, path), 'a symbolic link to a socket'],
      [() => mkdirSync(path), 'a folder'],
      [() => spawnSync('mkfifo', [path]), 'a pipe'],
    ] as const) {
      make()
      const { ino } = lstatSync(path)
      await startRefused(/rpc\.sock: is there and no socket; move it away$/, what)
      assert.equal(lstatSync(path).ino, ino, what)
      assert.deepEqual(readdirSync(folder), ['rpc.sock'], what)
      assert.equal(readFileSync(precious, 'utf8'), 'do not delete')
      rmSync(path, { recursive: true })
    }
    await kill(sleeper, 'SIGKILL')
  })

  test('after the stop the file is gone', async () => {
    const daemon = await start()
    await daemon.close()
    assert.ok(!existsSync(path))
  })

  test("a stop does not take a successor's file away", async () => {
    const first = await start()
    unlinkSync(path)
    const successor = await start()
    await first.close()
    await serves()
    await successor.close()
    assert.ok(!existsSync(path))
  })

  test('a stop leaves alone what somebody else put in its place', async () => {
    const daemon = await start()
    unlinkSync(path)
    writeFileSync(path, 'do not delete')
    await daemon.close()
    assert.equal(readFileSync(path, 'utf8'), 'do not delete')
  })

  test('a path that is too long for a socket is refused with the path and the limit', async () => {
    const socket_dir = join(dir, 'x'.repeat(100))
    await startRefused(/rpc\.sock: the path is too long .* 100 bytes/, 'long', socket_dir)
    assert.deepEqual(readdirSync(join(socket_dir, 'hero_proxy')), [])
  })

  test('of two that start at once over a stale file, one serves', async () => {
    mkdirSync(folder, { recursive: true })
    leaveStaleSocket(path)
    const starts = ['a', 'b'].map((name) => {
      const env = { ...environment(dir), HERO_PROXY_DATA_DIR: join(dir, name) }
      const child = spawn(process.execPath, [command, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
      let errors = ''
      child.stderr.on('data', (text) => (errors += text))
      const settled = Promise.race([
        once(child.stdout, 'data').then(() => 'serves'),
        once(child, 'close').then(() => errors),
      ])
      return { child, settled }
    })
    const outcomes = await Promise.all(starts.map(({ settled }) => settled))
    assert.equal(outcomes.filter((outcome) => outcome === 'serves').length, 1, outcomes.join('\n'))
    assert.match(
      outcomes.find((outcome) => outcome !== 'serves')!,
      /^hero-proxy: .*rpc\.sock: .*daemon.*\n$/,
    )
    await serves()
    await Promise.all(starts.map(({ child }) => kill(child, 'SIGTERM')))
  })

  test('a daemon that was killed leaves a file that its next start replaces', async () => {
    const first = await spawnDaemon(dir)
    await kill(first.child, 'SIGKILL')
    assert.ok(lstatSync(path).isSocket())
    const next = await spawnDaemon(dir)
    await serves()
    await kill(next.child, 'SIGTERM')
    assert.ok(!existsSync(path))
  })
})
