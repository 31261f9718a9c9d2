import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createLog } from '../../../src/log/log.ts'
import { Records } from '../../../src/oidc/engine/records.ts'
import type { Database } from '../../../src/storage/database.ts'
import { Seal } from '../../../src/secrets/seal.ts'
import { onBothDatabases } from '../../support/databases.ts'
import { openDatabase } from '../../../src/storage/open_database.ts'

const seal = new Seal('a master secret of forty-two characters...')

onBothDatabases('the in-memory cache of provider records', (newUrl) => {
  const opened: Database[] = []
  const open = async (url: string) => {
    const database = await openDatabase(url, createLog('silent'))
    opened.push(database)
    return new Records(database, seal)
  }
  let one: Records
  let other: Records
  before(async () => {
    const url = newUrl()
    one = await open(url)
    other = await open(url)
  })
  after(() => Promise.all(opened.map((database) => database.close())))

  const both = async (kind: string, id: string) => [await one.find(kind, id), await other.find(kind, id)]

  test('a record that one node removes or changes is not served stale by the other', async () => {
    await one.put('Grant', 'g', { accountId: undefined, jti: 'g' }, 60)
    await one.put('AccessToken', 'at~1', { grantId: 'g', jti: 'at~1' }, 60)
    assert.deepEqual(await both('AccessToken', 'at~1'), [
      { grantId: 'g', jti: 'at~1' },
      { grantId: 'g', jti: 'at~1' },
    ])
    await both('Grant', 'g')
    await one.put('Grant', 'g', { jti: 'g', openid: { scope: 'openid' } }, 60)
    const changed = { jti: 'g', openid: { scope: 'openid' } }
    assert.deepEqual(await both('Grant', 'g'), [changed, changed])
    await other.removeGrant('g')
    assert.deepEqual(await both('AccessToken', 'at~1'), [undefined, undefined])
    assert.deepEqual(await both('Grant', 'g'), [undefined, undefined])
  })

  test('mutating a record that was found does not change the cached one', async () => {
    await one.put('Grant', 'own', { jti: 'own', openid: { scope: 'openid' } }, 60)
    await one.find('Grant', 'own')
    const found = (await one.find('Grant', 'own')) as { openid: { scope: string } }
    found.openid.scope = 'openid email'
    assert.deepEqual(await one.find('Grant', 'own'), { jti: 'own', openid: { scope: 'openid' } })
  })

  test('a record is found under its own kind only, with or without a type prefix in its ID', async () => {
    for (const kind of ['AccessToken', 'RefreshToken', 'ClientCredentials'])
      await one.put(kind, `old-${kind}`, { jti: kind }, 60)
    assert.deepEqual(await one.find('RefreshToken', 'old-RefreshToken'), { jti: 'RefreshToken' })
    assert.deepEqual(await one.find('AccessToken', 'old-AccessToken'), { jti: 'AccessToken' })
    assert.equal(await one.find('AccessToken', 'old-RefreshToken'), undefined)
    await one.put('RefreshToken', 'rt~1', { jti: 'rt~1' }, 60)
    assert.deepEqual(await one.find('RefreshToken', 'rt~1'), { jti: 'rt~1' })
    assert.equal(await one.find('AccessToken', 'rt~1'), undefined)
  })

  test('a consumed record counts as consumed on each node', async () => {
    await one.put('RefreshToken', 'rt~2', { jti: 'rt~2' }, 60)
    await both('RefreshToken', 'rt~2')
    await other.consume('RefreshToken', 'rt~2')
    assert.deepEqual(await both('RefreshToken', 'rt~2'), [undefined, undefined])
  })
})
