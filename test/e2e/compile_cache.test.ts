// Node runs the compiled code that it cached at an earlier start, so a user who can write the cache can make the daemon run other code.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs'
import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { kill, root, spawnDaemon } from '../support/daemon_process.ts'

/** The program in a folder of its own, with the packages of this checkout. */
const installed = (t: TestContext) => {
  const dir = mkdtempSync(join(tmpdir(), 'hero_proxy-compiled-'))
  t.after(() => rmSync(dir, { recursive: true }))
  for (const part of ['bin', 'src', 'sdk', 'package.json'])
    cpSync(join(root, part), join(dir, part), { recursive: true })
  mkdirSync(join(dir, 'node_modules'))
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(dir, 'node_modules', name))
  return {
    cache: join(dir, 'node_modules', '.cache', 'hero-proxy'),
    inData: join(dir, 'data', 'compiled'),
    startAndStop: async () => {
      const { child } = await spawnDaemon(dir, {}, (env) =>
        spawn(process.execPath, [join(dir, 'bin', 'hero-proxy.js'), 'serve'], {
          env,
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      )
      await kill(child, 'SIGTERM')
    },
  }
}

const mode = (path: string) => statSync(path).mode & 0o777

test("the compile cache lies beside the packages, accessible to the daemon's user only", async (t) => {
  const { cache, inData, startAndStop } = installed(t)
  mkdirSync(cache, { recursive: true })
  chmodSync(cache, 0o777)
  await startAndStop()
  assert.equal(mode(cache), 0o700)
  assert.equal(readdirSync(cache).length, 1)
  assert.ok(!existsSync(inData))
})

test('the compile cache falls back to the data folder', async (t) => {
  const { cache, inData, startAndStop } = installed(t)
  writeFileSync(join(cache, '..'), '')
  await startAndStop()
  // The data folder has to exist first: its creator decides who may enter.
  await startAndStop()
  assert.equal(readdirSync(inData).length, 1)
  assert.equal(mode(join(inData, '..')), 0o700)
})

test('the compile cache is off if others can enter the data folder', async (t) => {
  const { cache, inData, startAndStop } = installed(t)
  writeFileSync(join(cache, '..'), '')
  mkdirSync(join(inData, '..'))
  chmodSync(join(inData, '..'), 0o775)
  await startAndStop()
  assert.ok(!existsSync(inData))
})

test(
  'a cache folder of another user is not used',
  { skip: process.getuid!() === 0 ? false : 'only root can change the owner of a folder' },
  async (t) => {
    const { cache, startAndStop } = installed(t)
    mkdirSync(cache, { recursive: true })
    chownSync(cache, 65_534, 65_534)
    await startAndStop()
    assert.deepEqual(readdirSync(cache), [])
  },
)
