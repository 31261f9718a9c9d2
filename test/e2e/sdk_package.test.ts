import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { environment, kill, root, spawnDaemon, type RunningDaemon } from '../support/daemon_process.ts'

const program = `
import { ClaimRequired, HeroProxy, NotFound, identityFrom, requireClaim, type User } from 'hero-proxy-sdk'

const hero = new HeroProxy()
const ada: User = await hero.users.add({ username: 'ada', email: 'ada@example.org' })
await hero.groups.add({ slug: 'engineers' })
await hero.groups.add_claim({ group: 'engineers', claim: 'engineers.tickets.read' })
await hero.groups.add_member({ group: 'engineers', user: ada.username })
const { claims } = await hero.claims.resolve({ user: 'ada' })
const missing = await hero.users.get({ username: 'nobody' }).catch((error: unknown) => error instanceof NotFound)

const headers = { 'x-hero-user': 'ada', 'x-hero-context': '1', 'x-hero-claims': claims.join(',') }
const refused = (() => { try { requireClaim('wiki.*')(headers) } catch (error) { return error instanceof ClaimRequired } })()
console.log(JSON.stringify({ claims, missing, refused, who: identityFrom(headers)?.username, may: requireClaim('engineers.*')(headers).username }))
`

const run = (cwd: string, command: string, args: string[], env: NodeJS.ProcessEnv = process.env) => {
  const done = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  assert.equal(done.status, 0, `${command} ${args.join(' ')}: ${done.stdout}${done.stderr}`)
  return done.stdout
}

/** What another service does: it installs the packed package, compiles against its types, and runs. */
describe('the SDK from its packed tarball', () => {
  let daemon: RunningDaemon
  const dir = mkdtempSync(join(tmpdir(), 'hp-sdk-'))

  before(async () => {
    daemon = await spawnDaemon(dir)
  })
  after(async () => {
    await kill(daemon.child, 'SIGTERM')
    rmSync(dir, { recursive: true, force: true })
  })

  test('installs, compiles and works', () => {
    // Packed from a copy, so that the checkout stays unchanged.
    const checkout = join(dir, 'checkout')
    cpSync(join(root, 'sdk'), join(checkout, 'sdk'), {
      recursive: true,
      filter: (path) => !path.endsWith('dist'),
    })
    cpSync(join(root, 'tsconfig.json'), join(checkout, 'tsconfig.json'))
    symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'))
    const env = { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}` }
    const pack = (folder: string) =>
      join(dir, run(folder, 'npm', ['pack', '--silent', '--pack-destination', dir], env).trim())
    const sdk = pack(join(checkout, 'sdk'))
    // The only dependency, packed as it is installed here, so that the npm cache does not matter.
    const jose = pack(join(root, 'node_modules', 'jose'))

    const service = join(dir, 'service')
    cpSync(join(root, 'sdk', 'package.json'), join(service, 'package.json'))
    writeFileSync(join(service, 'package.json'), '{"name":"service","type":"module","private":true}')
    run(service, 'npm', ['install', '--offline', '--silent', '--no-audit', jose, sdk])
    writeFileSync(join(service, 'service.ts'), program)
    symlinkSync(join(root, 'node_modules', '@types'), join(service, 'node_modules', '@types'))
    const compiler = join(root, 'node_modules', '.bin', 'tsc')
    run(
      service,
      compiler,
      [
        '--strict',
        '--module',
        'nodenext',
        '--target',
        'es2023',
        '--types',
        'node',
        '--skipLibCheck',
        'service.ts',
      ],
      env,
    )

    const output = run(service, process.execPath, ['service.js'], environment(dir))
    assert.deepEqual(JSON.parse(output), {
      claims: ['engineers.tickets.read', 'groups.engineers', 'users.ada'],
      missing: true,
      refused: true,
      who: 'ada',
      may: 'ada',
    })
  })
})
