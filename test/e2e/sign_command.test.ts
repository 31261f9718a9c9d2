import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { ask } from '../support/http.ts'
import { command } from '../support/daemon_process.ts'
import { valuesOf } from '../support/upstream.ts'
import { got, startStage, type Stage } from '../support/edge_stage.ts'

describe('hero-proxy sign', () => {
  let stage: Stage
  const dir = mkdtempSync(join(tmpdir(), 'hp-sign-'))
  const keyFile = join(dir, 'key.pem')
  const host = 'signed.localhost'
  const run = (args: readonly string[], input?: string) =>
    spawnSync(process.execPath, [command, 'sign', ...args], { input, encoding: 'utf8' })

  before(async () => {
    stage = await startStage()
    await stage.route({ domain: host, auth_mode: 'signature' })
  })
  after(async () => {
    await stage.close()
    rmSync(dir, { recursive: true })
  })

  test('creates a private key file with mode 600, never overwrites one, and prints the public key', async () => {
    const made = run(['--new-key', keyFile])
    assert.match(made.stdout, /^0[23][0-9a-f]{64}\n$/)
    assert.equal(statSync(keyFile).mode & 0o777, 0o600)
    const before = readFileSync(keyFile, 'utf8')
    const again = run(['--new-key', keyFile])
    assert.deepEqual([again.status, again.stdout], [1, ''])
    assert.match(again.stderr, /EEXIST/)
    assert.equal(readFileSync(keyFile, 'utf8'), before)
    await stage.daemon.hero.users.keys.add({ user: 'ada', pubkey: made.stdout.trim() })
  })

  test('prints headers that authenticate the request, as JSON or as options of curl', async () => {
    const url = `http://${host}/a?b=c`
    const json = run(['GET', url, '--key-file', keyFile, '--json'])
    const headers = Object.entries(JSON.parse(json.stdout) as Record<string, string>).flat()
    const answer = await ask(stage.daemon, host, '/a?b=c', { headers })
    assert.deepEqual(valuesOf(got(answer).rawHeaders, 'x-hero-user'), ['ada'])

    const { port } = stage.daemon.edge
    const address = `http://${host}:${port}/notes?x=%20y`
    writeFileSync(join(dir, 'note'), 'line\nline\n')
    const lines = run(['POST', address, '--key-file', keyFile, '--data', join(dir, 'note')]).stdout
    const words = lines.trim().split(/\s+/)
    assert.deepEqual([words.length, words[0]], [8, '-H'])
    if (spawnSync('curl', ['--version']).error) return
    // Not spawnSync: the edge that curl calls runs in this process.
    const { stdout } = await promisify(execFile)('curl', [
      '-s',
      '--resolve',
      `${host}:${port}:127.0.0.1`,
      ...words,
      '--data-binary',
      `@${join(dir, 'note')}`,
      address,
    ])
    assert.deepEqual(valuesOf(got({ body: stdout }).rawHeaders, 'x-proxy-auth-method'), ['signature'])
  })

  test('reads the body from standard input', async () => {
    const json = run(['POST', `http://${host}/`, '--key-file', keyFile, '--data', '@-', '--json'], 'hello')
    const headers = Object.entries(JSON.parse(json.stdout) as Record<string, string>).flat()
    assert.equal((await ask(stage.daemon, host, '/', { method: 'POST', headers, body: 'hellp' })).status, 401)
    assert.equal((await ask(stage.daemon, host, '/', { method: 'POST', headers, body: 'hello' })).status, 200)
  })

  test('reports an error in one line', () => {
    const open = join(dir, 'open')
    writeFileSync(open, readFileSync(keyFile))
    chmodSync(open, 0o644)
    const none = join(dir, 'none')
    writeFileSync(none, 'no key', { mode: 0o600 })
    const url = `http://${host}/`
    for (const [args, wanted] of [
      [['GET', url], /--key-file is needed/],
      [['GET'], /METHOD and URL/],
      [['GET', 'ftp://h/', '--key-file', keyFile], /URL must be an http/],
      [['GET', `${url}a/../b`, '--key-file', keyFile], /as it is sent.*\/b/],
      [['GET', `${url}ä`, '--key-file', keyFile], /as it is sent.*%C3%A4/],
      [['GET', url, '--key-file', open], /chmod 600/],
      [['GET', url, '--key-file', none], /not a private key/],
      [['GET', url, '--key-file', join(dir, 'missing')], /ENOENT/],
      [['POST', url, '--key-file', keyFile, '--data', join(dir, 'missing')], /--data.*ENOENT/],
    ] as const) {
      const { status, stdout, stderr } = run(args)
      assert.ok(status === 1 || status === 2, args.join(' '))
      assert.equal(stdout, '')
      assert.match(stderr, wanted)
      assert.match(stderr, /^hero-proxy sign: [^\n]*\n$/)
    }
    assert.ok(!existsSync(join(dir, 'missing')))
  })
})
