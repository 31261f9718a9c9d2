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

onBothDatabases('back-channel logout queue', (newUrl) => {
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

  test('a slow client with many pending logouts does not delay other clients, and each logout is sent once', async () => {
    const at = Math.floor(Date.now() / 1000)
    await insert('slow', 300, at - 100)
    await insert('quick', 60, at - 1)
    const sent: string[] = []
    let concurrent = 0
    let mostConcurrent = 0
    const logouts = queue(async (client, subject) => {
      sent.push(`${client} ${subject}`)
      if (client === 'quick') return
      mostConcurrent = Math.max(mostConcurrent, ++concurrent)
      await setTimeout(300)
      concurrent--
    })
    logouts.start()
    const delivered = (client: string) => new Set(sent.filter((one) => one.startsWith(client))).size
    while (delivered('quick') < 60) {
      assert.ok(
        delivered('slow') < 300,
        `the quick client got ${delivered('quick')} of 60 after the slow one got all of its logouts`,
      )
      await setTimeout(50)
    }
    await logouts.close()
    assert.ok(mostConcurrent <= 10, `${mostConcurrent} concurrent requests to one client`)
    assert.equal(new Set(sent).size, sent.length)
  })
})
