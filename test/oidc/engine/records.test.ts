import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createLog } from '../../../src/log/log.ts'
import { Records } from '../../../src/oidc/engine/records.ts'
import type { Database } from '../../../src/storage/database.ts'
import { Seal } from '../../../src/secrets/seal.ts'
import { onBothDatabases } from '../../support/databases.ts'
import { openDatabase } from '../../../src/storage/open_database.ts'

onBothDatabases('stored provider records', (newUrl) => {
  let databases: Database[]
  let nodes: Records[]
  before(async () => {
    const url = newUrl()
    const open = () => openDatabase(url, createLog('silent'))
    databases = [await open(), await open()]
    nodes = databases.map((database) => new Records(database, new Seal('of this test alone')))
  })
  after(async () => {
    for (const database of databases) await database.close()
  })
  const payload = (more = {}) => ({ grantId: 'g', ...more })

  test('a code is consumed once across nodes', async () => {
    for (const kind of ['AuthorizationCode', 'RefreshToken', 'DeviceCode']) {
      for (let round = 0; round < 5; round++) {
        const id = crypto.randomUUID()
        await nodes[0]!.put(kind, id, payload(), 60)
        const tries = Array.from({ length: 20 }, (_, i) => nodes[i % 2]!.consume(kind, id))
        const done = await Promise.allSettled(tries)
        assert.equal(done.filter(({ status }) => status === 'fulfilled').length, 1, kind)
      }
    }
  })

  test('a replay-detection entry is stored once across nodes', async () => {
    for (let round = 0; round < 5; round++) {
      const id = crypto.randomUUID()
      const tries = Array.from({ length: 10 }, (_, i) =>
        nodes[i % 2]!.put('ReplayDetection', id, payload(), 60),
      )
      const done = await Promise.allSettled(tries)
      assert.equal(done.filter(({ status }) => status === 'fulfilled').length, 1)
    }
  })

  test('a consumed record stays consumed after it is written again', async () => {
    const [here, there] = nodes as [Records, Records]
    await here.put('AuthorizationCode', 'again', payload(), 60)
    await here.consume('AuthorizationCode', 'again')
    await there.put('AuthorizationCode', 'again', payload(), 60)
    await assert.rejects(there.consume('AuthorizationCode', 'again'))
    assert.ok((await there.find('AuthorizationCode', 'again'))?.consumed)
  })

  test('removing a grant removes its tokens and no others', async () => {
    const [here, there] = nodes as [Records, Records]
    await here.put('Grant', 'mine', payload(), 60)
    await here.put('AccessToken', 'a', payload({ grantId: 'mine' }), 60)
    await here.put('RefreshToken', 'r', payload({ grantId: 'mine' }), 60)
    await here.put('AccessToken', 'other', payload({ grantId: 'other' }), 60)
    await there.removeGrant('mine')
    for (const [kind, id] of [
      ['Grant', 'mine'],
      ['AccessToken', 'a'],
      ['RefreshToken', 'r'],
    ] as const)
      assert.equal(await here.find(kind, id), undefined, kind)
    assert.ok(await here.find('AccessToken', 'other'))
  })

  test('rows contain no readable token, code or secret', async () => {
    const [here] = nodes as [Records]
    const secrets = ['the-token-itself', 'the-nonce', 'the-user-code']
    const [id, nonce, userCode] = secrets as [string, string, string]
    await here.put('DeviceCode', id, payload({ nonce, userCode }), 60)
    const text = JSON.stringify(await databases[0]!.query.selectFrom('oidc_records').selectAll().execute())
    for (const secret of secrets) assert.equal(text.includes(secret), false, secret)
    assert.equal((await here.findByUserCode(userCode))?.nonce, nonce)
    // A payload copied from another row is rejected.
    await here.put('AccessToken', 'poor', payload(), 60)
    await databases[0]!.write(async () => {
      const rich = await databases[0]!.query
        .selectFrom('oidc_records')
        .select('payload_sealed')
        .where('kind', '=', 'DeviceCode')
        .where('lookup', 'is not', null)
        .executeTakeFirstOrThrow()
      const change = databases[0]!.query.updateTable('oidc_records').set(rich)
      await change.where('kind', '=', 'AccessToken').where('grant_id', '=', 'g').execute()
    })
    await assert.rejects(here.find('AccessToken', 'poor'))
  })

  test('expired records are swept', async (t) => {
    const [here] = nodes as [Records]
    await here.put('AccessToken', 'old', payload(), 60)
    await here.put('AccessToken', 'lasting', payload({ grantId: 'l' }), 86_400)
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 2 * 3600_000 })
    await here.sweep()
    assert.ok(await here.find('AccessToken', 'lasting'))
    const { query } = databases[0]!
    const rows = await query.selectFrom('oidc_records').select('id').where('expires_at', '<', 2e9).execute()
    assert.equal(rows.length, 1)
  })
})
