import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { command } from '../support/daemon_process.ts'

const list = {
  clients: [
    { client_id: 'deploy', client_secret: 'a secret of the old days', scope: 'read write', name: 'Deploy' },
    { client_id: 'hashed', client_secret_sha256: createHash('sha256').update('another').digest('hex') },
    { client_id: 'lost', scopes: ['admin'] },
  ],
  users: [
    { username: 'ada', email: 'ada@example.org', is_admin: true },
    { email: 'grace.hopper@example.org', display_name: 'Grace' },
    { username: 'no address' },
  ],
}

suite('hero-proxy import hero-auth', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon()
  })
  after(() => daemon.close())
  const run = (value: unknown, ...flags: string[]) => {
    const input = typeof value === 'string' ? value : JSON.stringify(value)
    const args = [command, 'import', 'hero-auth', '-', '--socket', daemon.socketPath, ...flags]
    // Not spawnSync: the daemon lives in this process and has to answer meanwhile.
    return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
      const child = execFile(process.execPath, args, { encoding: 'utf8' }, (_, stdout, stderr) =>
        resolve({ status: child.exitCode, stdout, stderr }),
      )
      child.stdin!.end(input)
    })
  }
  const everything = async () => ({
    clients: (await daemon.hero.clients.list()).items.map(({ client }) => client),
    users: (await daemon.hero.users.list()).items.map(({ username }) => username),
  })

  test('prints the plan, and changes nothing without --yes', async () => {
    for (const flags of [[], ['--dry-run'], ['--dry-run', '--yes']]) {
      const { status, stdout } = await run(list, ...flags)
      assert.equal(status, 0)
      assert.match(stdout, /client deploy +add, with its present secret, for read write/)
      assert.match(stdout, /client lost +add, with a new secret, for admin/)
      assert.match(stdout, /user ada +add, and request a new password by mail; was an administrator there/)
      assert.ok(!stdout.includes('a secret of the old days'))
    }
    assert.deepEqual(await everything(), { clients: [], users: [] })
  })

  test('keeps the secrets of programs and asks users for a new password; a second run changes nothing', async () => {
    const { status, stdout, stderr } = await run(list, '--yes')
    assert.equal(stderr, '')
    assert.equal(status, 0)
    assert.match(stdout, /client lost: added; its secret, shown this once: \S{43}/)
    assert.deepEqual(await everything(), {
      clients: ['deploy', 'hashed', 'lost'],
      users: ['ada', 'grace-hopper', 'no-address'],
    })
    const { hero } = daemon
    for (const [client_id, client_secret] of [
      ['deploy', 'a secret of the old days'],
      ['hashed', 'another'],
    ] as const)
      assert.ok((await hero.token.create({ client_id, client_secret })).access_token)
    assert.equal((await hero.users.get({ username: 'ada' })).is_admin, false)
    const mailed = daemon.logged.filter(({ mail, msg }) => JSON.stringify([mail, msg]).includes('mail'))
    assert.ok(mailed.length > 0)
    const { items } = await hero.mail.list()
    assert.ok(Array.isArray(items))
    const again = await run(list, '--yes')
    assert.equal(again.status, 0)
    assert.equal(again.stdout.match(/is there already/g)?.length, 6)
    assert.ok(!/added/.test(again.stdout))
  })

  test('reports each error with its place and without secrets before it changes anything', async () => {
    const before = await everything()
    for (const [value, message] of [
      ['{', /the file: must be JSON/],
      ['[]', /the file: must be an object/],
      [{ people: [] }, /people: is unknown/],
      [{ clients: {} }, /clients: must be a list/],
      [{ clients: [1] }, /clients\.0: must be an object/],
      [{ clients: [{}] }, /clients\.0\.client_id: is missing/],
      [{ clients: [{ client_id: 'new', scope: 'all' }] }, /clients\.0\.scope: must be read, write or admin/],
      [
        { clients: [{ client_id: 'new', secret_hash: 'tell-tale' }] },
        /clients\.0\.secret_sha256: must be a SHA-256/,
      ],
      [{ users: [{ username: 'x' }, {}] }, /users\.1\.username: is missing/],
      [{ users: [{ email: 3 }] }, /users\.0\.email: must be a text/],
    ] as const) {
      const { status, stderr } = await run(value, '--yes')
      assert.equal(status, 1, JSON.stringify(value))
      assert.match(stderr, message)
      assert.ok(!stderr.includes('tell-tale'))
    }
    assert.deepEqual(await everything(), before)
    // An entry that the daemon refuses is reported; the others are still added.
    const some = await run({ clients: [{ client_id: 'not a name' }, { client_id: 'fine' }] }, '--yes')
    assert.equal(some.status, 1)
    assert.match(some.stderr, /client not a name/)
    assert.ok((await everything()).clients.includes('fine'))
  })

  test('reports an unreadable file in one line', () => {
    const none = spawnSync(process.execPath, [command, 'import', 'hero-auth', '/nowhere/list.json'], {
      encoding: 'utf8',
    })
    assert.deepEqual(
      [none.status, none.stderr],
      [1, 'hero-proxy import: cannot read /nowhere/list.json (ENOENT)\n'],
    )
  })

  test('describes the format with --help', () => {
    const { stdout } = spawnSync(process.execPath, [command, 'import', 'hero-auth', '--help'], {
      encoding: 'utf8',
    })
    assert.match(stdout, /client_id/)
  })
})
