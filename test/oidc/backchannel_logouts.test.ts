import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { Clients } from '../../src/clients/clients.ts'
import { createLog } from '../../src/log/log.ts'
import { BackchannelLogouts, type SendLogout } from '../../src/oidc/backchannel_logouts.ts'
import { Records } from '../../src/oidc/engine/records.ts'
import type { Database } from '../../src/storage/database.ts'
import { Seal } from '../../src/secrets/seal.ts'
import { onBothDatabases } from '../support/databases.ts'
import { noReactions } from '../support/reactions.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

onBothDatabases('telling applications of sign-outs', (newUrl) => {
  let database: Database
  before(async () => (database = await openDatabase(newUrl(), createLog('silent'))))
  after(() => database.close())

  const queue = (send: SendLogout) =>
    new BackchannelLogouts({
      database,
      records: new Records(database, new Seal('of this test alone')),
      clients: new Clients(database, async () => true, noReactions),
      send,
      log: createLog('silent'),
    })
  const insert = (client: string, count: number, due_at: number) => {
    const row = (_: unknown, i: number) => ({
      id: `${client}-${i}`,
      client,
      subject: `${i}`,
      sid: '',
      due_at,
      tries: 0,
    })
    const rows = Array.from({ length: count }, row)
    return database.write(() => database.query.insertInto('oidc_logouts').values(rows).execute())
  }

  test('one that is slow, and has many to hear of, holds up nobody else; each is told once', async () => {
    const at = Math.floor(Date.now() / 1000)
    await insert('slow', 300, at - 100)
    await insert('quick', 60, at - 1)
    const told: string[] = []
    let abreast = 0
    let most = 0
    const logouts = queue(async (client, subject) => {
      told.push(`${client} ${subject}`)
      if (client === 'quick') return
      most = Math.max(most, ++abreast)
      await setTimeout(300)
      abreast--
    })
    logouts.start()
    const heard = (client: string) => new Set(told.filter((one) => one.startsWith(client))).size
    while (heard('quick') < 60) {
      assert.ok(heard('slow') < 300, `only ${heard('quick')} of 60 when the slow one has heard everything`)
      await setTimeout(50)
    }
    await logouts.close()
    assert.ok(most <= 10, `${most} at the same time to one`)
    assert.equal(new Set(told).size, told.length)
  })
})
