import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { startTestDaemon } from '../support/daemon.ts'
import { ask } from '../support/http.ts'
import { startStage, type Stage } from '../support/edge_stage.ts'
import { TestAuthority, tlsSettings } from '../support/pem.ts'
import { shake, shown, until } from '../support/shown_certificate.ts'

const run = promisify(execFile)

describe('certificates from files', () => {
  const authority = new TestAuthority()
  const one = authority.issue('one.test', '*.one.test', 'ONE.example')
  const two = authority.issue('two.test', 'deep.one.test')
  let stage: Stage
  before(async () => {
    stage = await startStage(tlsSettings(one, two))
    await stage.route({ domain: 'two.test', auth_mode: 'none' })
    await stage.route({ domain: 'local.localhost', auth_mode: 'local' })
  })
  after(async () => {
    await stage.close()
    authority[Symbol.dispose]()
  })

  const first = 'DNS:one.test, DNS:*.one.test, DNS:ONE.example'
  const second = 'DNS:two.test, DNS:deep.one.test'
  test('a server name selects its certificate, exact before wildcard, and others get the first one', async () => {
    const expected: [string | undefined, string][] = [
      ['one.test', first],
      ['TWO.test', second],
      ['a.one.test', first],
      ['deep.one.test', second],
      ['one.example', first],
      ['a.b.one.test', first],
      ['nobody.test', first],
      [undefined, first],
    ]
    for (const [name, names] of expected) assert.equal(await shown(stage.daemon, name), names, name)
  })

  test('invalid server names get the first certificate, and the daemon keeps running', async () => {
    const odd = ['.', '..', '*', '*.one.test', '.one.test', 'two.test.', '__proto__', 'constructor', ' ']
    const bytes = ['\u00ff\u00fe', 'a'.repeat(255), '%00', '\u0001', "';--", '🦊']
    for (const name of [...odd, ...bytes]) assert.equal(await shown(stage.daemon, name), first, name)
    assert.equal(await shown(stage.daemon, 'two.test'), second)
  })

  test('curl verifies the chain, over HTTP/2 and HTTP/1.1', async () => {
    const { port } = stage.daemon.edge
    for (const [flag, version] of [
      ['--http2', '2'],
      ['--http1.1', '1.1'],
    ] as const) {
      const flags = `-sS ${flag} --cacert ${authority.ca} --resolve two.test:${port}:127.0.0.1`.split(' ')
      const printed = ['-w', '\n%{http_code} %{http_version}', `https://two.test:${port}/a?b`]
      const { stdout } = await run('curl', [...flags, ...printed])
      const [body, result] = stdout.split('\n')
      assert.equal(result, `200 ${version}`)
      const { url, rawHeaders } = JSON.parse(body!) as { url: string; rawHeaders: string[] }
      assert.equal(url, '/a?b')
      assert.equal(rawHeaders[rawHeaders.indexOf('X-Forwarded-Proto') + 1], 'https')
    }
  })

  test('versions before TLS 1.2 and ciphers without forward secrecy are refused', async () => {
    for (const options of [
      { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
      { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:AES256-SHA' },
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' },
    ] as const) {
      await assert.rejects(shake(stage.daemon, options), /alert|reset|ECONNRESET/i, options.ciphers)
    }
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await shake(stage.daemon, { maxVersion })
      assert.equal(socket.getProtocol(), maxVersion)
      socket.destroy()
    }
  })

  test('cookies are Secure, pages send HSTS, and sessions are accepted', async () => {
    const page = await ask(stage.daemon, 'localhost', '/auth/login', {
      headers: ['Accept', 'text/html'],
    })
    assert.equal(page.status, 200)
    assert.match(String(page.headers['set-cookie']), /^__Host-.*; Secure/)
    assert.equal(page.headers['strict-transport-security'], 'max-age=63072000')
    const passed = await ask(stage.daemon, 'local.localhost', '/', { headers: ['Cookie', stage.ada] })
    assert.equal(passed.status, 200)
    assert.ok(passed.body.includes('"X-Hero-User","ada"'))
  })

  test('plain HTTP, invalid and truncated handshakes on the TLS port affect no other connection', async () => {
    for (const bytes of [
      'GET / HTTP/1.1\r\nHost: two.test\r\n\r\n',
      '\u0016\u0003\u0001\u0000\u0005hello',
      '',
    ]) {
      const socket = connectPlain(stage.daemon.edge.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.end(Buffer.from(bytes, 'latin1'))
      let answer = ''
      socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
      await once(socket, 'close')
      assert.ok(!answer.includes('HTTP/1.1'), answer)
    }
    assert.equal(await shown(stage.daemon, 'two.test'), second)
  })

  test('openssl s_client verifies the certificate selected by -servername', async () => {
    const { port } = stage.daemon.edge
    const name = '-servername two.test -verify_hostname two.test -verify_return_error'
    const rest = `s_client -connect 127.0.0.1:${port} ${name} -alpn h2 -CAfile ${authority.ca} -brief`
    const client = spawn('openssl', rest.split(' '))
    client.stdin.end()
    let output = ''
    for (const stream of [client.stdout, client.stderr]) stream.on('data', (text) => (output += String(text)))
    await once(client, 'close')
    assert.match(output, /Verification: OK/)
    assert.match(output, /Verified peername: two\.test/)
  })
})

describe('changed certificate files', () => {
  const authority = new TestAuthority()
  after(() => authority[Symbol.dispose]())

  test('a replaced symbolic link is read again, and an invalid or half-written pair keeps the old certificate', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hp-live-'))
    const other = authority.issue('other.test')
    // As certbot stores them: live/ holds links into archive/, replaced by renaming.
    mkdirSync(join(dir, 'archive'))
    const place = (version: string, names: string[]) => {
      const { cert, key } = authority.issue(...names)
      copyFileSync(cert, join(dir, 'archive', `cert${version}.pem`))
      copyFileSync(key, join(dir, 'archive', `key${version}.pem`))
    }
    const link = (part: string, version: string) => {
      symlinkSync(join(dir, 'archive', `${part}${version}.pem`), join(dir, 'new'))
      renameSync(join(dir, 'new'), join(dir, `${part}.pem`))
    }
    place('1', ['old.test'])
    link('cert', '1')
    link('key', '1')
    const live = { cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem') }
    await using daemon = await startTestDaemon(tlsSettings(live, other))
    const kept = await shake(daemon, { servername: 'old.test' })
    assert.equal(await shown(daemon, 'old.test'), 'DNS:old.test')
    const warnings = () => daemon.logged.filter(({ msg }) => msg === 'the certificate in use is kept')

    // The certificate is new, its key not yet.
    place('2', ['new.test'])
    link('cert', '2')
    await until('read again', async () => warnings().length === 1)
    assert.match(String(warnings()[0]!.error), /the key does not belong to the certificate/)
    assert.equal(await shown(daemon, 'new.test'), 'DNS:old.test')
    link('key', '2')
    await until('read again', async () => (await shown(daemon, 'new.test')) === 'DNS:new.test')
    assert.equal(await shown(daemon), 'DNS:new.test', 'the fallback is new as well')
    assert.equal(await shown(daemon, 'other.test'), 'DNS:other.test')
    assert.equal(kept.destroyed, false)
    kept.destroy()

    writeFileSync(join(dir, 'archive', 'cert2.pem'), 'rubbish')
    await until('read again', async () => warnings().length === 2)
    assert.equal(await shown(daemon, 'new.test'), 'DNS:new.test')
    rmSync(live.key)
    await until('read again', async () => warnings().length === 3)
    assert.match(String(warnings()[2]!.error), /./)
    assert.equal(await shown(daemon, 'new.test'), 'DNS:new.test')
    rmSync(dir, { recursive: true })
  })

  test('the daemon refuses to start with an invalid pair, and says why in one line', async () => {
    const [a, b] = [authority.issue('a.test'), authority.issue('b.test')]
    const refused = async (settings: Record<string, string>, message: RegExp) =>
      assert.rejects(startTestDaemon(settings), ({ message: line }: Error) => {
        assert.match(line, message)
        assert.ok(!line.includes('\n'))
        return true
      })
    await refused({ tls_cert: a.cert }, /tls_cert names 1 files and tls_key 0/)
    await refused({ tls_cert: a.cert, tls_key: `${a.key},${b.key}` }, /tls_cert names 1 files and tls_key 2/)
    await refused(tlsSettings({ cert: a.cert, key: b.key }), /the key does not belong to the certificate/)
    await refused(tlsSettings({ cert: a.key, key: a.key }), /the certificate is not PEM/)
    await refused(tlsSettings({ cert: a.cert, key: a.cert }), /the key is not PEM/)
    await refused(tlsSettings({ cert: `${a.cert}x`, key: a.key }), /cannot read .*pemx \(ENOENT\)/)
    await refused({ acme_directory: 'https://x/' }, /acme_directory needs acme_email, and plain_listen/)
    await refused({ acme_email: 'a@b.c' }, /has no effect without acme_directory/)
    await refused({ plain_listen: '127.0.0.1:0' }, /plain_listen redirects to https/)
  })
})
