import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { now } from '../../src/storage/ids.ts'
import { instanceFact, setInstanceFact } from '../../src/storage/instance_facts.ts'
import { Lease } from '../../src/storage/lease.ts'
import { onBothDatabases } from '../support/databases.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

onBothDatabases('a lease', (newUrl) => {
  const databases: Database[] = []
  before(async () => {
    const url = newUrl()
    for (let i = 0; i < 3; i++) databases.push(await openDatabase(url, createLog('silent')))
  })
  after(() => Promise.all(databases.map((database) => database.close())))

  test('one node holds it and renews it, and another takes it once it is released or expired', async () => {
    const nodes = databases.map((database) => new Lease(database, 'test_lease'))
    const taken: boolean[] = []
    for (const node of nodes) taken.push(await node.take())
    assert.deepEqual(taken, [true, false, false])
    const [holder, other] = [0, nodes[1]!]
    assert.equal(await nodes[holder]!.take(), true)
    assert.equal(await other.take(), false)
    await other.release()
    assert.equal(await other.take(), false, 'only the holder can release it')
    await nodes[holder]!.release()
    assert.equal(await other.take(), true)
    const { until, ...rest } = JSON.parse((await instanceFact(databases[0]!, 'test_lease'))!) as {
      until: number
    }
    assert.ok(until > now() + 30 && until <= now() + 60)
    await setInstanceFact(databases[0]!, 'test_lease', JSON.stringify({ ...rest, until: now() - 1 }))
    assert.equal(await nodes[holder]!.take(), true)
  })
})
