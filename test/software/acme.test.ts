import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { promisify } from 'node:util'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { now } from '../../src/storage/ids.ts'
import { setInstanceFact } from '../../src/storage/instance_facts.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { kill, spawnDaemon } from '../support/daemon_process.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'
import { freePort } from '../support/free_port.ts'
import { pebbleMissing, startPebble, type Pebble } from './pebble.ts'
import { TestAuthority } from '../support/pem.ts'
import { shownTo, until } from '../support/shown_certificate.ts'
import { openDatabase } from '../../src/storage/open_database.ts'
import { unlessLong } from '../long.ts'

const run = promisify(execFile)

describe('certificates from an ACME server', { skip: pebbleMissing() || unlessLong }, () => {
  const authority = new TestAuthority()
  const trusted = getCACertificates('default')
  let pebble: Pebble
  let upstream: Upstream
  let daemon: TestDaemon
  let database: Database
  let settings: Record<'public_url' | 'acme_directory' | 'acme_email' | 'plain_listen' | 'secret', string>

  before(async () => {
    setDefaultCACertificates([...trusted, authority.caPem])
    const port = await freePort()
    pebble = await startPebble(authority, port)
    upstream = await startUpstream()
    settings = {
      public_url: 'https://id.hero.test',
      acme_directory: pebble.directory,
      acme_email: 'ada@hero.test',
      plain_listen: `127.0.0.1:${port}`,
      secret: 'x'.repeat(40),
    }
    daemon = await startTestDaemon(settings)
    database = await openDatabase(daemon.config.database_url, createLog('silent'))
  })
  after(async () => {
    await database.close()
    await daemon.close()
    await upstream.close()
    await pebble[Symbol.asyncDispose]()
    setDefaultCACertificates(trusted)
    authority[Symbol.dispose]()
  })

  const route = (domain: string) =>
    daemon.hero.proxy.routes.add({ domain, auth_mode: 'none', target: upstream.target })
  const serial = async (name: string, at: Pick<TestDaemon, 'edge'> = daemon) => {
    const { issuer, subjectaltname, serialNumber } = await shownTo(at, name)
    return String(issuer?.CN).startsWith('Pebble') && subjectaltname === `DNS:${name}`
      ? serialNumber
      : undefined
  }
  const ordered = () =>
    daemon.logged.filter(({ msg }) => msg === 'a certificate was ordered').map(({ domain }) => String(domain))

  test('a name without a certificate gets a self-signed one', async () => {
    const { subjectaltname, issuer, subject } = await shownTo(daemon, 'nobody.hero.test')
    assert.equal(subjectaltname, 'DNS:id.hero.test')
    assert.deepEqual(issuer, subject)
  })

  test('every public domain of a route, and the public URL, get a certificate of their own', async () => {
    for (const domain of [
      'one.hero.test',
      'two.hero.test',
      '*.wild.test',
      'app.localhost',
      'plain',
      '10.0.0.1',
    ])
      await route(domain)
    for (const name of ['one.hero.test', 'two.hero.test', 'id.hero.test'])
      await until(name, async () => (await serial(name)) !== undefined)
    assert.deepEqual(ordered().toSorted(), ['id.hero.test', 'one.hero.test', 'two.hero.test'])
  })

  test('curl accepts the certificates with the root of the ACME server', async () => {
    const root = join(authority.dir, 'root.pem')
    writeFileSync(root, await pebble.root())
    const { port } = daemon.edge
    for (const name of ['one.hero.test', 'two.hero.test']) {
      const flags = `-sS --http2 --cacert ${root} --resolve ${name}:${port}:127.0.0.1 https://${name}:${port}/x`
      const { stdout } = await run('curl', flags.split(' '))
      assert.equal((JSON.parse(stdout) as { url: string }).url, '/x')
    }
  })

  test('keys are stored sealed, and finished challenges are deleted', async () => {
    const certificates = await database.query.selectFrom('certificates').selectAll().execute()
    const accounts = await database.query.selectFrom('acme_accounts').selectAll().execute()
    assert.equal(certificates.length, 3)
    assert.equal(accounts.length, 1)
    for (const { key_sealed } of [...certificates, ...accounts]) assert.match(key_sealed, /^v1\./)
    assert.match(accounts[0]!.url, /^https:\/\/localhost/)
    assert.deepEqual(await database.query.selectFrom('acme_challenges').selectAll().execute(), [])
  })

  test('after a restart and on a second node the same certificates are served, and none is ordered twice', async () => {
    const before = await serial('one.hero.test')
    daemon = await daemon.restart()
    assert.equal(await serial('one.hero.test'), before)
    const dir = mkdtempSync(join(tmpdir(), 'hp-'))
    const { child, printed } = await spawnDaemon(dir, {
      NODE_EXTRA_CA_CERTS: authority.ca,
      HERO_PROXY_DATABASE_URL: daemon.config.database_url,
      HERO_SECRET: settings.secret,
      HERO_PROXY_PUBLIC_URL: settings.public_url,
      HERO_PROXY_ACME_DIRECTORY: settings.acme_directory,
      HERO_PROXY_ACME_EMAIL: settings.acme_email,
      HERO_PROXY_PLAIN_LISTEN: '127.0.0.1:0',
      HERO_PROXY_LOG_LEVEL: 'info',
    })
    let secondLog = ''
    child.stderr!.on('data', (text) => (secondLog += String(text)))
    const second = {
      edge: { host: '127.0.0.1', port: Number(/\(127\.0\.0\.1:([0-9]+)\)/.exec(printed)![1]) },
    }
    assert.equal(await serial('one.hero.test', second), before)
    assert.equal(await serial('two.hero.test', second), await serial('two.hero.test'))
    // One of the two nodes orders a new name, and both serve it.
    await route('three.hero.test')
    for (const node of [daemon, second])
      await until('three', async () => (await serial('three.hero.test', node)) !== undefined)
    const there = [...secondLog.matchAll(/"domain":"([^"]+)","msg":"a certificate was ordered"/g)].map(
      (match) => match[1]!,
    )
    assert.deepEqual([...ordered(), ...there], ['three.hero.test'])
    await kill(child, 'SIGTERM')
    rmSync(dir, { recursive: true })
  })

  test('an expiring certificate is renewed with the same account', async () => {
    const before = await serial('two.hero.test')
    const kept = await serial('one.hero.test')
    const life = { updated_at: now() - 61 * 86_400, not_after: now() + 29 * 86_400 }
    await database.write(async () => {
      await database.query
        .updateTable('certificates')
        .set(life)
        .where('domain', '=', 'two.hero.test')
        .execute()
      database.changed('certificates')
    })
    await until('renewal', async () => ![before, undefined].includes(await serial('two.hero.test')))
    assert.equal(await serial('one.hero.test'), kept)
    assert.equal((await database.query.selectFrom('acme_accounts').selectAll().execute()).length, 1)
  })

  test('a failed order for a name that resolves elsewhere is logged and retried later, without delaying others', async () => {
    await pebble.resolveTo('astray.hero.test', '127.0.0.2')
    await route('astray.hero.test')
    await route('four.hero.test')
    await until('four', async () => (await serial('four.hero.test')) !== undefined)
    const failed = () => daemon.logged.filter(({ msg }) => msg === 'no certificate could be ordered')
    await until('the warning', () => failed().length > 0)
    const [{ domain, error, tried, again_in_seconds, to_do } = {}] = failed()
    assert.deepEqual([domain, tried, again_in_seconds], ['astray.hero.test', 1, 300])
    assert.match(String(error), /127\.0\.0\.2|connection refused/i)
    assert.match(String(to_do), /http:\/\/astray\.hero\.test\/\.well-known\/acme-challenge\/ on port 80/)
    // Neither a new check nor a restart contacts the authority before the retry is due.
    daemon = await daemon.restart()
    await route('five.hero.test')
    await until('five', async () => (await serial('five.hero.test')) !== undefined)
    assert.equal(failed().length, 0)
    await setInstanceFact(
      database,
      'acme_failures',
      JSON.stringify({ 'astray.hero.test': { times: 4, again: now() - 1 } }),
    )
    await until('another try', () => failed().length > 0)
    assert.deepEqual([failed()[0]!.tried, failed()[0]!.again_in_seconds], [5, 3600])
  })
})
