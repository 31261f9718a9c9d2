// A start runs the bundle only while it holds the sources as they are: a stale one would be an old door.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { HeroProxy } from '../../sdk/index.ts'
import { kill, root, spawnDaemon } from '../support/daemon_process.ts'
import Database from 'better-sqlite3'

/** Prints at exit which modules were loaded. */
const reporter = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  const loaded = []
  registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
  process.on('exit', () => console.error('loaded: ' + loaded.join(' ')))
`)}`

const bundleIn = (dir: string) => {
  const script = `const { bundleSources } = await import('./bin/bundle.js'); await bundleSources(process.cwd())`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: dir })
  assert.equal(status, 0, String(stderr))
}

/** The program in a folder of its own, with the packages of this checkout, bundled. */
const bundled = (t: TestContext) => {
  const dir = mkdtempSync(join(tmpdir(), 'hero_proxy-bundle-'))
  t.after(() => rmSync(dir, { recursive: true }))
  for (const part of ['bin', 'src', 'sdk', 'package.json', 'openrpc.json'])
    cpSync(join(root, part), join(dir, part), { recursive: true })
  mkdirSync(join(dir, 'node_modules'))
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '.cache') symlinkSync(join(root, 'node_modules', name), join(dir, 'node_modules', name))
  bundleIn(dir)
  const start = (more: NodeJS.ProcessEnv = {}) =>
    spawnDaemon(dir, more, (env) =>
      spawn(process.execPath, ['--import', reporter, join(dir, 'bin', 'hero-proxy.js'), 'serve'], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
  return {
    dir,
    folder: join(dir, 'node_modules', '.cache', 'hero-proxy'),
    start,
    /** Starts and stops the daemon, and tells where its code came from. */
    startedFrom: async () => {
      const daemon = await start()
      const closed = once(daemon.child.stderr!, 'close')
      await kill(daemon.child, 'SIGTERM')
      await closed
      const [, loaded] = /loaded: (.*)/.exec(daemon.log())!
      const fromSources = loaded!.includes('/src/main.ts')
      assert.notEqual(fromSources, /\/bundle\/main-[A-Z0-9]+\.mjs/.test(loaded!))
      return fromSources ? 'sources' : 'bundle'
    },
  }
}

test('a start runs the bundle only while the sources are as they were and the folder is ours alone', async (t) => {
  const { dir, folder, startedFrom } = bundled(t)
  assert.equal(await startedFrom(), 'bundle')
  // What others could have written is not run.
  chmodSync(folder, 0o777)
  assert.equal(await startedFrom(), 'sources')
  bundleIn(dir)
  const source = join(dir, 'src', 'identity', 'judge.ts')
  // The same bytes as before, written again.
  writeFileSync(source, readFileSync(source))
  assert.equal(await startedFrom(), 'sources')
  bundleIn(dir)
  await t.test(
    'a folder of others',
    { skip: process.getuid!() === 0 ? false : 'only root can change the owner of a folder' },
    async () => {
      chownSync(folder, 65_534, 65_534)
      assert.equal(await startedFrom(), 'sources')
      chownSync(folder, process.getuid!(), process.getgid!())
    },
  )
  assert.equal(await startedFrom(), 'bundle')
})

test('from the bundle the daemon finds its threads, its workers and the lines of its sources', async (t) => {
  const { dir, start } = bundled(t)
  const daemon = await start({ HERO_PROXY_WORKERS: '2' })
  t.after(() => kill(daemon.child, 'SIGTERM'))
  assert.equal((await fetch(`http://127.0.0.1:${daemon.edge.port}/livez`)).status, 200)
  const hero = new HeroProxy({ socket: daemon.socket })
  t.after(() => hero.close())
  await hero.users.add({ username: 'ada', email: 'ada@example.org', password: 'a long enough passphrase 7' })
  const file = join(dir, 'data', 'hero_proxy.db')
  assert.ok(existsSync(file), readdirSync(join(dir, 'data')).join(' '))
  const database = new Database(file)
  database.exec('DROP TABLE user_attributes')
  database.close()
  await assert.rejects(hero.users.get({ username: 'ada' }), { code: 'internal_error' })
  assert.match(daemon.log(), /internal error/)
  assert.match(daemon.log(), /src\/attributes\/[a-z_]+\.ts:\d+:\d+/)
})
