import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { onBothDatabases } from '../support/databases.ts'
import { byHand } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import type { NewProvider } from '../support/provider_stage.ts'

onBothDatabases('providers', (newUrl) => {
  let daemon: TestDaemon
  const secret = 'gto_the-secret-of-the-forge'
  const forge: NewProvider = {
    provider: 'forge',
    preset: 'forge',
    issuer: 'https://forge.example.org',
    client: 'hero',
    client_secret: secret,
  }
  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl() })
    await daemon.hero.providers.add(forge)
  })
  after(() => daemon.close())

  test('a client secret is stored sealed and never returned, only that it is set', async () => {
    const { hero } = daemon
    const results = [
      await hero.providers.get({ provider: 'forge' }),
      await hero.providers.list(),
      await hero.providers.update({ provider: 'forge', title: 'Our forge' }),
      await hero.audit.list({ limit: 100 }),
    ]
    const rows = await byHand(daemon, (database) =>
      database.query.selectFrom('providers').selectAll().execute(),
    )
    for (const text of [JSON.stringify(results), JSON.stringify(rows), JSON.stringify(daemon.logged)])
      assert.ok(!text.includes(secret))
    assert.match(rows[0]!.secret_sealed, /^v1\./)
    assert.equal((await hero.providers.get({ provider: 'forge' })).secret_set, true)
  })

  test('the default title of a provider with the preset oidc is its name', async () => {
    const { hero } = daemon
    const sso = {
      preset: 'oidc',
      issuer: 'https://sso.example.org',
      client: 'hero',
      client_secret: secret,
    } as const
    assert.equal((await hero.providers.add({ ...sso, provider: 'sso' })).title, 'sso')
    await hero.providers.remove({ provider: 'sso' })
  })

  test('an invalid field is refused and named', async () => {
    const { hero } = daemon
    const other = { ...forge, provider: 'other' }
    for (const [fields, path] of [
      [{ ...other, provider: 'password' }, 'provider'],
      [{ ...other, provider: 'setup' }, 'provider'],
      [{ ...other, provider: 'magic_link' }, 'provider'],
      [{ ...other, provider: 'passkey' }, 'provider'],
      [{ ...other, provider: 'network' }, 'provider'],
      [{ ...other, provider: 'Forge' }, 'provider'],
      [{ ...other, provider: 'a/b' }, 'provider'],
      [{ ...other, preset: 'gitlab' }, 'preset'],
      [{ ...other, issuer: undefined }, 'issuer'],
      [{ ...other, issuer: 'forge.example.org' }, 'issuer'],
      [{ ...other, issuer: 'javascript:alert(1)' }, 'issuer'],
      [{ ...other, issuer: 'https://forge.example.org/#x' }, 'issuer'],
      [{ ...other, token_endpoint: 'https://forge.example.org/token' }, 'token_endpoint'],
      [{ ...other, preset: 'github' }, 'issuer'],
      [{ ...other, preset: 'oauth2', issuer: undefined }, 'authorization_endpoint'],
      [{ ...other, client: '' }, 'client'],
      [{ ...other, client_secret: '' }, 'client_secret'],
      [{ ...other, client_secret: 'two\nlines' }, 'client_secret'],
      [{ ...other, client_auth: 'none' }, 'client_auth'],
      [{ ...other, client_secret: undefined, client_auth: 'client_secret_post' }, 'client_secret'],
      [{ ...other, scopes: ['email'] }, 'scopes'],
      [{ ...other, scopes: ['openid', 'a b'] }, 'scopes.1'],
      [{ ...other, allowed_domains: ['*.example.org'] }, 'allowed_domains.0'],
      [{ ...other, allowed_domains: ['a@example.org'] }, 'allowed_domains.0'],
      [{ ...other, groups: [{ value: 'x', group: 'admin' }] }, 'groups.0.group'],
      [{ ...other, is_admin: true }, 'is_admin'],
    ] as const) {
      const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
      await refused(hero.providers.add(given as never), 'invalid_params', path)
    }
    await refused(hero.providers.add({ ...other, groups: [{ value: 'x', group: 'nobody' }] }), 'not_found')
    await refused(hero.providers.add(forge), 'already_exists')
    assert.equal((await hero.providers.list()).items.length, 1)
  })

  test('two providers cannot share a redirect URI, and only the first may do without its name in it', async () => {
    const { hero } = daemon
    const uri = async (provider: string) => (await hero.providers.get({ provider })).redirect_uri
    const at = `${daemon.config.public_url}/oauth/callback`
    assert.equal(await uri('forge'), at)
    const second = { ...forge, provider: 'second' }
    await refused(hero.providers.add({ ...second, own_callback: false }), 'conflict')
    assert.equal((await hero.providers.add(second)).redirect_uri, `${at}/second`)
    await refused(hero.providers.update({ provider: 'second', own_callback: false }), 'conflict')
    await hero.providers.update({ provider: 'forge', own_callback: true })
    assert.equal(await uri('forge'), `${at}/forge`)
    await hero.providers.update({ provider: 'second', own_callback: false })
    assert.equal(await uri('second'), at)
    await refused(hero.providers.update({ provider: 'forge', own_callback: false }), 'conflict')
    await hero.providers.remove({ provider: 'second' })
    // Where redirect URIs are matched by prefix, all of them are below this one.
    const github = { provider: 'github', preset: 'github', client: 'c', client_secret: 'x' } as const
    await refused(hero.providers.add({ ...github, own_callback: false }), 'invalid_params', 'own_callback')
    assert.equal((await hero.providers.add(github)).redirect_uri, `${at}/github`)
    await hero.providers.remove({ provider: 'github' })
    await hero.providers.update({ provider: 'forge', own_callback: false })
  })

  test('issuer, preset and endpoints cannot be changed, because identities belong to them', async () => {
    const { hero } = daemon
    for (const fields of [
      { issuer: 'https://evil.example.org' },
      { preset: 'oidc' },
      { token_endpoint: 'https://evil.example.org' },
    ])
      await refused(hero.providers.update({ provider: 'forge', ...fields } as never), 'invalid_params')
  })

  test('old names still work', async () => {
    const { items } = (await daemon.hero.call('oauth.list_providers' as never, {} as never)) as {
      items: object[]
    }
    assert.equal(items.length, 1)
  })

  test('only administrators can call the methods', async () => {
    const { hero } = daemon
    await hero.users.add({ username: 'reader', password: goodPassword })
    await hero.groups.add({ slug: 'readers' })
    const reader = hero.as((await hero.auth.login({ login: 'reader', password: goodPassword })).access_token)
    for (const asking of [
      () => reader.providers.list(),
      () => reader.providers.add({ ...forge, provider: 'mine' }),
      () => reader.providers.update({ provider: 'forge', enabled: false }),
      () => reader.providers.remove({ provider: 'forge' }),
      () => reader.providers.test({ provider: 'forge' }),
    ])
      await refused(asking(), 'claim_required')
  })

  test('removing a group removes it from the group mapping', async () => {
    const { hero } = daemon
    await hero.groups.add({ slug: 'staff' })
    await hero.providers.update({ provider: 'forge', groups: [{ value: 'acme', group: 'staff' }] })
    await hero.groups.remove({ group: 'staff' })
    assert.deepEqual((await hero.providers.get({ provider: 'forge' })).groups, [])
  })
})
