import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { command, environment } from '../support/daemon_process.ts'

describe('serve with an invalid setting ends with a one-line error', () => {
  let dir: string
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'hp-serve-'))))
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  /** Returns the text on standard error, without the program name. */
  const refused = (args: string[] = [], env: NodeJS.ProcessEnv = {}): string => {
    const done = spawnSync(process.execPath, [command, 'serve', ...args], {
      env: { ...environment(dir), ...env },
      encoding: 'utf8',
      timeout: 20_000,
    })
    assert.equal(done.status, 1, done.stderr)
    assert.equal(done.stdout, '')
    assert.match(done.stderr, /^hero-proxy: [^\n]+\n$/)
    return done.stderr.slice('hero-proxy: '.length, -1)
  }

  test('an invalid flag', () => {
    const message = refused(['--listen', '127.0.0.1:99999'])
    assert.match(message, /^--listen: "127\.0\.0\.1:99999" is not allowed; allowed: ADDRESS:PORT/)
    assert.ok(!existsSync(join(dir, 'data')), 'nothing was created')
  })

  test('an invalid variable or its _FILE variant, without showing a secret', () => {
    assert.match(
      refused([], { HERO_PROXY_LOG_LEVEL: 'loud' }),
      /^HERO_PROXY_LOG_LEVEL: "loud" is not allowed/,
    )
    const secret = refused([], { HERO_SECRET: 'hunter2' })
    assert.match(secret, /^HERO_SECRET: the given value \(not shown\) is not allowed; allowed: at least 32/)
    const file = join(dir, 'token')
    writeFileSync(file, 'x'.repeat(40), { mode: 0o644 })
    assert.match(
      refused([], { HERO_PROXY_OPERATOR_TOKEN_FILE: file }),
      /^HERO_PROXY_OPERATOR_TOKEN_FILE: .*token is readable by others; chmod 600 it$/,
    )
  })

  test('an unknown key in the file', () => {
    mkdirSync(join(dir, 'data'))
    writeFileSync(join(dir, 'data', 'hero_proxy.toml'), 'listen_on = "x"\n')
    assert.match(refused(), /hero_proxy\.toml: listen_on is not a setting; allowed: data_dir, database_url, /)
  })

  test('secrets have no flag', () => {
    for (const flag of ['--secret', '--operator-token']) {
      const done = spawnSync(process.execPath, [command, 'serve', flag, 'hunter2'], {
        env: environment(dir),
        encoding: 'utf8',
      })
      assert.notEqual(done.status, 0)
      assert.doesNotMatch(done.stderr, /hunter2/)
    }
  })

  test('an address in use, after which the socket file is removed', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    assert.equal(
      refused(['--listen', `127.0.0.1:${port}`]),
      `cannot listen on 127.0.0.1:${port} (EADDRINUSE)`,
    )
    assert.deepEqual(readdirSync(join(dir, 's', 'hero_proxy')), [])
    taken.close()
  })

  test('a socket path that is too long, and a master secret that others can read', () => {
    assert.match(refused(['--socket-dir', join(dir, 'x'.repeat(110))]), /the path is too long for a socket/)
    chmodSync(join(dir, 'data', 'master.key'), 0o644)
    assert.match(refused(), /master\.key is readable by others; chmod 600 it$/)
  })

  test('a data directory, database or socket directory that cannot be created', () => {
    const file = join(dir, 'file')
    writeFileSync(file, '')
    assert.match(refused(['--data-dir', join(file, 'below')]), /ENOTDIR|file/)
    assert.match(refused(['--database-url', `sqlite:${join(dir, 'missing', 'a.db')}`]), /missing/)
    const socketDir = refused(['--socket-dir', join(file, 'below')])
    assert.match(socketDir, /ENOTDIR|file/)
  })
})
