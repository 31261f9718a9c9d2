import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { kill, root, spawnDaemon } from '../support/daemon_process.ts'

const moduleHooks = join(root, 'src', 'node', 'module_hooks.ts')
const sources = join(root, 'bin', 'hero-proxy.ts')

/** Prints at exit which modules were loaded, the daemon's and Node's own. */
const reporter = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  const loaded = []
  registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
  // Each thread would report too: a small database needs none.
  process.on('exit', () => console.error('loaded: ' + [...loaded, ...process.moduleLoadList].join(' ')))
`)}`

test('a start loads no module that the first response does not need', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'hero_proxy-start-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const daemon = await spawnDaemon(dir, {}, (env) =>
    // The modules themselves: the bundle holds them all in few files.
    spawn(process.execPath, ['--import', reporter, '--import', moduleHooks, sources, 'serve'], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )
  const reported = once(daemon.child.stderr!, 'close')
  await kill(daemon.child, 'SIGTERM')
  await reported
  const [loaded, ...threads] = [...daemon.log().matchAll(/loaded: (.*)/g)].map(([, names]) => names!)
  assert.deepEqual(threads, [])
  const one = (pattern: RegExp) => loaded!.split(' ').find((name) => pattern.test(name))
  assert.ok(one(/src\/main\.ts$/))
  assert.ok(one(/node_modules\/kysely\//))
  for (const late of [
    /internal\/deps\/undici/,
    /node_modules\/(ajv|acme-client|jose|nodemailer|oidc-provider|openid-client|pg|re2js|smol-toml|typebox)\//,
    /node_modules\/@(simplewebauthn|zxcvbn-ts)\//,
    /bin\/command\/call\.ts$/,
    /src\/oidc\/engine\.ts$/,
    /src\/edge\/secure_edge\.ts$/,
  ])
    assert.equal(one(late), undefined)
})
