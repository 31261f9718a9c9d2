import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Database } from '../../../src/storage/database.ts'
import { createLog } from '../../../src/log/log.ts'
import { now } from '../../../src/storage/ids.ts'
import { startTestDaemon, type TestDaemon } from '../../support/daemon.ts'
import { ask, askRaw } from '../../support/http.ts'
import { TestAuthority, tlsSettings } from '../../support/pem.ts'
import { openDatabase } from '../../../src/storage/open_database.ts'

describe('the plain HTTP listener beside TLS', () => {
  const authority = new TestAuthority()
  let daemon: TestDaemon
  let database: Database
  let door: { edge: { host: string; port: number } }
  before(async () => {
    daemon = await startTestDaemon({
      ...tlsSettings(authority.issue('one.test')),
      plain_listen: '127.0.0.1:0',
      public_url: 'https://id.test:8443',
    })
    door = { edge: daemon.plain! }
    database = await openDatabase(daemon.config.database_url, createLog('silent'))
    for (const domain of ['one.test', '*.wild.test'])
      await daemon.hero.proxy.routes.add({ domain, auth_mode: 'none', target: 'http://127.0.0.1:1' })
  })
  after(async () => {
    await database.close()
    await daemon.close()
    authority[Symbol.dispose]()
  })

  test('redirects every known host to https, with path and query unchanged', async () => {
    for (const [host, path, location] of [
      ['one.test', '/', 'https://one.test:8443/'],
      ['ONE.test:80', '/a/b%20c?d=%2F&e', 'https://one.test:8443/a/b%20c?d=%2F&e'],
      ['a.wild.test', '//evil.test', 'https://a.wild.test:8443//evil.test'],
      ['id.test', '/auth/login?return_to=%2F', 'https://id.test:8443/auth/login?return_to=%2F'],
    ]) {
      const answer = await ask(door, host!, path!)
      assert.deepEqual([answer.status, answer.headers.location, answer.body], [308, location, ''])
      assert.equal(answer.headers['set-cookie'], undefined)
    }
    assert.equal((await ask(door, 'one.test', '/x', { method: 'POST', body: 'a=b' })).status, 308)
  })

  test('redirects no unknown or invalid host', async () => {
    for (const host of ['evil.test', 'wild.test', 'a.b.wild.test', '127.0.0.1'])
      assert.equal((await ask(door, host, '/')).status, 404, host)
    for (const host of ['one.test@evil.test', 'one.test/evil', 'one.test evil', ''])
      assert.match(
        await askRaw(door, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
        /^HTTP\/1\.1 400 /,
      )
    const absolute = 'GET http://evil.test/ HTTP/1.1\r\nHost: one.test\r\nConnection: close\r\n\r\n'
    assert.match(await askRaw(door, absolute), /^HTTP\/1\.1 400 /)
  })

  test('answers a pending ACME challenge on any host, and nothing else', async () => {
    const path = '/.well-known/acme-challenge/'
    await database.query
      .insertInto('acme_challenges')
      .values([
        { token: 'open_token-1', key_authorization: 'open_token-1.thumb', expires_at: now() + 60 },
        { token: 'old', key_authorization: 'old.thumb', expires_at: now() - 1 },
      ])
      .execute()
    const answer = await ask(door, 'one.test', `${path}open_token-1`)
    assert.deepEqual([answer.status, answer.body], [200, 'open_token-1.thumb'])
    assert.equal((await ask(door, 'other.test', `${path}open_token-1`)).status, 200)
    for (const token of ['old', 'none', '', "x'or'1'='1", 'open_token-1/', 'open_token-1?x', 'a'.repeat(500)])
      assert.equal((await ask(door, 'one.test', path + token)).status, 404, token)
  })
})
