import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { definitions } from '../../src/settings/definitions.ts'
import { onBothDatabases } from '../support/databases.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand } from '../support/people.ts'
import { refused } from '../support/refused.ts'

onBothDatabases('settings', (newUrl) => {
  let daemon: TestDaemon
  before(async () => (daemon = await startTestDaemon({ database_url: newUrl() })))
  after(() => daemon.close())

  test('list returns every setting with its default, and get returns the same', async () => {
    const { hero } = daemon
    const { items } = await hero.settings.list()
    assert.deepEqual(
      items.map(({ key }) => key),
      Object.keys(definitions),
    )
    for (const item of items) {
      assert.deepEqual(item.value, item.default)
      assert.deepEqual(await hero.settings.get({ key: item.key }), item)
    }
  })

  test('a changed value is returned, survives a restart and applies to the next call', async () => {
    const { hero } = daemon
    const set = await hero.settings.set({ key: 'default_context', value: 9 })
    assert.equal(set.value, 9)
    assert.equal(set.default, 1)
    assert.deepEqual(await hero.settings.get({ key: 'default_context' }), set)
    assert.equal((await hero.users.add({ username: 'ada' })).context, 9)
    daemon = await daemon.restart()
    assert.deepEqual(await daemon.hero.settings.get({ key: 'default_context' }), set)
    await daemon.hero.settings.set({ key: 'default_context', value: 1 })
    assert.equal((await daemon.hero.users.add({ username: 'grace' })).context, 1)
  })

  test('an invalid value is refused with the allowed ones and changes nothing', async () => {
    const { hero } = daemon
    const wrong: [string, (string | number | boolean)[]][] = [
      ['default_context', [0, -1, 1.5, 2 ** 31, '1', true]],
      ['audit_retention_days', [-1, 36501, '7', 0.5]],
      ['session_lifetime', [299, 34560001, '86400', false]],
      ['session_idle', [299, 34560001, '300']],
      ['remember_days', [-1, 401, '30', 1.5]],
      ['remember_max_days', [0, 401, '180']],
      ['trust_days', [-1, 401, '30']],
      ['elsewhere', ['', 'on', 'same', true]],
      ['refresh_lifetime', [299, 34560001, 0, true]],
      ['token_lifetime', [59, 315360001, '3600']],
      ['hs256_tokens', ['true', 1]],
      ['key_rotation_days', [-1, 3651, '90']],
      ['admin_factor', ['true', 1]],
      ['admin_proof_age', [59, 2592001, '60']],
      ['insecure_cookies', ['true', 1, 0]],
      ['password_min_length', [7, 129, '8']],
      ['network_login', ['true', 1, 0, 'on']],
      ['socket_trust', ['', 'everybody', true, 0]],
      ['site_name', ['', 'a\nb', '<b>', 'x'.repeat(61), 7]],
      ['help_text', ['a\nb', '<b>', 'x'.repeat(255), 7]],
      ['default_language', ['', 'EN', 'es', true]],
      ['theme_accent', ['red', '#fff', '#ffff00', '#1f5f99;}', 5]],
      ['theme_accent_dark', ['#000000', 'white', '#8cc0ee ']],
      ['logo', ['<img src=x>', '<svg>', 'x'.repeat(40_000), 7]],
      ['registration_mode', ['', 'Open', true]],
      ['default_groups', ['a b', 'staff,', 'x'.repeat(1001), 7]],
      ['self_delete', ['true', 1]],
      ['delete_days', [0, 91, '7']],
      ['request_days', [0, 3651, '30']],
      ['providers_may_be_local', ['true', 1, 0]],
      ['magic_links', ['true', 1]],
      ['mail_codes', ['true', 1]],
      ['factor_enrolment', ['', 'password', true]],
      // Neither a parent domain nor a host of somebody else.
      ['passkey_rp_id', ['org', 'example.org', 'old.localhost', 'http://localhost', 7]],
      ['magic_link_lifetime', [59, 3601, '900']],
      ['client_registration', ['', 'on', true]],
      ['client_metadata_documents', ['', 'on', true]],
      ['client_default_claims', ['a b', 'groups.*.admin', 'a,', 'x'.repeat(1001), 7]],
      ['webfinger_domains', ['a b', 'example.org,', 'a@example.org', '*.example.org', 'a\n', 7]],
      ['smtp_host', ['a b', 'smtp://mail', 'mail.example.org\r\n', '-x', 7]],
      ['smtp_port', [0, 65536, '25']],
      ['smtp_tls', ['', 'ssl', true]],
      ['smtp_user', ['a\nb', 'x'.repeat(255), 7]],
      ['smtp_password', ['a\r\nb', 'x'.repeat(1025), 7, true]],
      ['smtp_ca', ['PEM', '-----BEGIN CERTIFICATE-----', 7]],
      ['mail_from', ['a', 'a@b@c', 'A <a@b.c>', 'a@b.c\nBcc: d@e.f', 7]],
    ]
    assert.deepEqual(
      wrong.map(([key]) => key),
      Object.keys(definitions),
      'a new setting needs its invalid values here',
    )
    const before = await hero.settings.list()
    for (const [key, values] of wrong)
      for (const value of values) {
        const error = await refused(hero.settings.set({ key, value }), 'invalid_params', 'value')
        assert.ok(String(error.data.allowed).length > 5)
      }
    assert.deepEqual(await hero.settings.list(), before)
  })

  test('unknown names are not found, including names of built-in properties', async () => {
    const { hero } = daemon
    for (const key of ['nothing', 'toString', '__proto__', 'constructor', 'DEFAULT_CONTEXT']) {
      await refused(hero.settings.get({ key }), 'not_found')
      await refused(hero.settings.set({ key, value: 1 }), 'not_found')
    }
  })

  test('a row of another version is ignored', async () => {
    await byHand(daemon, async (database) => {
      await database.query
        .insertInto('settings')
        .values({ key: 'from_the_future', value: '{"not": "ours"}', updated_at: 1 })
        .execute()
      database.changed('settings')
    })
    const { items } = await daemon.hero.settings.list()
    assert.equal(items.length, Object.keys(definitions).length)
    await refused(daemon.hero.settings.get({ key: 'from_the_future' }), 'not_found')
  })
})
