import assert from 'node:assert/strict'
import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import {
  command,
  environment,
  kill,
  root,
  spawnDaemon,
  type RunningDaemon,
} from '../support/daemon_process.ts'

describe('the command', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-cli-'))
  let daemon: RunningDaemon
  const run = (args: string[], input?: string): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, [command, ...args], { env: environment(dir), input, encoding: 'utf8' })

  before(async () => {
    daemon = await spawnDaemon(dir)
  })
  after(async () => {
    await kill(daemon.child, 'SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  })

  test('serve prints the addresses of the edge and the socket, and how to create the first administrator', () => {
    const { port } = daemon.edge
    assert.ok(daemon.printed.includes(`  door    http://localhost:${port}  (127.0.0.1:${port})\n`))
    assert.ok(daemon.printed.includes(daemon.socket))
    assert.match(
      daemon.printed,
      new RegExp(`http://localhost:${port}/auth/setup\\?token=[A-Za-z0-9_-]{43}\\n`),
    )
  })

  test('a public URL with another port than the edge has is printed with a word of advice', async () => {
    const other = mkdtempSync(join(tmpdir(), 'hp-cli-'))
    const second = await spawnDaemon(other, { HERO_PROXY_PUBLIC_URL: 'http://localhost:9997' })
    await kill(second.child, 'SIGKILL')
    rmSync(other, { recursive: true, force: true })
    assert.match(
      second.printed,
      /Links begin with http:\/\/localhost:9997\. If users reach this server at another address/,
    )
  })

  test('a second daemon on the same socket exits with one line, and the first keeps running', () => {
    const second = run(['serve'])
    assert.equal(second.status, 1)
    assert.match(second.stderr, /^hero-proxy: .*rpc\.sock: another daemon already uses it\n$/)
    const { status, stdout } = run(['status'])
    const { ready, causes } = JSON.parse(stdout) as { ready: boolean; causes: string[] }
    assert.deepEqual([status, ready, causes], [0, true, []])
  })

  test('setup creates the administrator over the socket, once', () => {
    const args = ['setup', '--username', 'ada', '--email', 'ada@example.org', '--password-stdin']
    const weak = run(args, 'password1\n')
    assert.equal(weak.status, 1)
    assert.match(weak.stderr, /^hero-proxy: Invalid params: password: .*harder to guess/)
    const first = run(args, `${goodPassword}\n`)
    assert.equal(first.stdout, 'ada is now an administrator and can sign in.\n')
    const again = run(args, goodPassword)
    assert.equal(again.status, 1)
    assert.match(again.stderr, /administrator already/)
  })

  test('call accepts options, JSON, both together, and old method names', () => {
    const pairs = run([
      'call',
      'users.add',
      '--username',
      'grace',
      '--display-name',
      'Grace Hopper',
      '--context=2',
    ])
    const grace = JSON.parse(pairs.stdout) as Record<string, unknown>
    assert.equal(grace.display_name, 'Grace Hopper')
    assert.equal(grace.context, 2)
    const both = run([
      'call',
      'users.update',
      '{"username":"grace","is_active":true}',
      '--is_active',
      'false',
    ])
    assert.equal((JSON.parse(both.stdout) as Record<string, unknown>).is_active, false)
    const check = run(['call', 'claims.check', '--user', 'ada', '--rule', 'proxy.admin,wiki.*'])
    assert.deepEqual((JSON.parse(check.stdout) as Record<string, unknown>).missing, [
      { claim: 'wiki.*', granted_by: [] },
    ])
    assert.equal(run(['call', 'users.delete', '--username', 'grace']).stdout, 'null\n')
  })

  test("call reports wrong input before it calls the daemon, and passes on the daemon's errors", () => {
    const unknown = run(['call', 'users.ad'])
    assert.equal(unknown.status, 2)
    assert.match(unknown.stderr, /there is no method users\.ad; similar methods are .*users\.add/)
    const parameter = run(['call', 'users.add', '--user', 'x'])
    assert.equal(parameter.status, 2)
    assert.match(parameter.stderr, /users\.add has no parameter --user; its parameters are: --username, /)
    const socket = run(['call', 'users.list', '--socket', 'elsewhere'])
    assert.match(socket.stderr, /--socket goes before the method: hero-proxy call --socket … users\.list/)
    const bad = run(['call', 'users.add', '--username', 'a.b'])
    assert.equal(bad.status, 1)
    assert.match(bad.stderr, /^hero-proxy: Invalid params: username: 1 to 63 letters/)
  })

  test('routes test prints the decision and its reason', () => {
    const added = run(
      'call proxy.routes.add --domain wiki.localhost --target http://127.0.0.1:3000 --auth_mode local'.split(
        ' ',
      ),
    )
    const { id } = JSON.parse(added.stdout) as { id: string }
    const guest = run(['routes', 'test', 'http://wiki.localhost/page?q=x'])
    assert.equal(guest.stderr, '')
    assert.deepEqual(guest.stdout.split('\n'), [
      `redirected (302) to http://wiki.localhost:${daemon.edge.port}/.hero_proxy/sign_in?return_to=%2Fpage%3Fq%3Dx`,
      'because auth_mode local: nobody is signed in',
      `by the route wiki.localhost/ (${id})`,
      '',
    ])
    const ada = run(['routes', 'test', 'http://wiki.localhost/page?q=x', '--user', 'ada', '--method', 'post'])
    assert.match(ada.stdout, /^forwarded to http:\/\/127\.0\.0\.1:3000, with the path \/page\?q=x\n/)
    assert.match(ada.stdout, /\nX-Hero-User +ada\n/)
    const program = run(['routes', 'test', 'http://wiki.localhost/', '--kind', 'websocket', '--json'])
    const { act, status } = JSON.parse(program.stdout) as { act: string; status: number }
    assert.deepEqual([act, status], ['refuse', 401])
    const wrong = run(['routes', 'test', 'wiki.localhost'])
    assert.deepEqual([wrong.status, wrong.stdout], [1, ''])
    assert.match(wrong.stderr, /^hero-proxy: Invalid params: url: http\(s\):/)
    assert.equal(run(['routes', 'test', 'http://x/', '--user', 'nobody']).status, 1)
  })

  test('providers.test prints its steps as a table on a terminal', () => {
    const added = run([
      'call',
      'providers.add',
      '{"provider":"sso","preset":"oidc","issuer":"https://sso.invalid","client":"hero","client_secret":"a secret"}',
    ])
    assert.equal(added.stderr, '')
    const ask = `'${process.execPath}' '${command}' call providers.test --provider sso`
    const shown = spawnSync('script', ['-qec', ask, '/dev/null'], {
      env: environment(dir),
      encoding: 'utf8',
    }).stdout.replaceAll('\r', '')
    assert.match(
      shown,
      /^ok {2}false\n\nstep +ok +detail\naddress +true +https:\/\/sso\.invalid\nreach +false +sso\.invalid cannot be reached/,
    )
  })

  test('every command has help', () => {
    assert.match(run(['--help']).stdout, /serve.*setup.*status.*call/s)
    for (const name of ['serve', 'setup', 'status', 'completion'])
      assert.match(run([name, '--help']).stdout, /Usage: hero-proxy/)
    assert.match(run(['call', '--help']).stdout, /call a method/)
    const method = run(['call', 'groups.add_member', '--help']).stdout
    assert.match(method, /Who may call it: proxy\.groups\.write/)
    assert.match(method, /--expires_at/)
    const values = run(['call', 'providers.add', '--help']).stdout
    assert.match(values, /--provider <text> \(required\)\n/)
    assert.match(values, /--client_auth <auto\|client_secret_basic\|client_secret_post\|none>\n/)
    assert.match(values, /--scopes <text,…>\n.*--groups_claim <text\|null>\n {6}The claim that names groups/s)
    assert.match(run(['call', '--list']).stdout, /^users\.add +Add a user$/m)
  })

  test('bash completes commands, methods, parameters and values', () => {
    const complete = (...words: string[]) => {
      const script = run(['completion']).stdout
      const list = words.map((word) => `'${word}'`).join(' ')
      const ask = `${script}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _hero_proxy; echo "\${COMPREPLY[@]}"`
      return spawnSync('bash', ['-c', ask], { encoding: 'utf8' }).stdout.trim()
    }
    assert.equal(complete('hero-proxy', 'sta'), 'status')
    assert.equal(complete('hero-proxy', 'call', 'users.a'), 'users.add')
    assert.equal(complete('hero-proxy', 'call', 'groups.remove', '--g'), '--group')
    assert.equal(complete('hero-proxy', 'call', 'groups.remove', '--group', '--j'), '--json')
    assert.equal(complete('hero-proxy', 'call', 'providers.add', '--preset', 'for'), 'forge')
    assert.equal(complete('hero-proxy', 'call', 'users.update', '--is_active', ''), 'true false')
  })

  test('status reports with exit status 1 that no daemon answers', () => {
    const none = run(['status', '--socket', join(dir, 'nobody.sock')])
    assert.equal(none.status, 1)
    assert.match(none.stderr, /^hero-proxy: no daemon answers at .*nobody\.sock \(ENOENT\)\n$/)
  })

  test('an older Node on the PATH starts the pinned one', (t) => {
    const old = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
      const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? ''
      return /^v(20|22)\./.test(version)
    })
    if (old === undefined) return t.skip('this machine has no older Node')
    const done = spawnSync(old, [command, '--version'], {
      env: environment(dir),
      encoding: 'utf8',
      cwd: root,
    })
    assert.match(done.stdout, /^0\.1\.0\n$/)
  })

  test('SIGTERM stops the daemon cleanly and removes the socket file', async () => {
    await kill(daemon.child, 'SIGTERM')
    assert.equal(daemon.child.exitCode, 0)
    assert.equal(run(['status']).status, 1)
    daemon = await spawnDaemon(dir)
    assert.ok(!daemon.printed.includes('/auth/setup'), 'an administrator exists now')
  })
})
