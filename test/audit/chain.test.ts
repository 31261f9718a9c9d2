import assert from 'node:assert/strict'
import { after, beforeEach, afterEach } from 'node:test'
import { test } from 'node:test'
import { sql } from 'kysely'
import { Audit } from '../../src/audit/audit.ts'
import { operator } from '../../src/contract/caller.ts'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { onBothDatabases } from '../support/databases.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const key = Buffer.alloc(32, 7)
const caller = operator({ via: 'socket', uid: 1000, pid: 42 })

onBothDatabases('the audit chain', (newUrl) => {
  let database: Database
  let audit: Audit
  beforeEach(async () => {
    database = await openDatabase(newUrl(), createLog('silent'))
    audit = new Audit(database, key)
    for (let i = 1; i <= 5; i++) await audit.append(caller, 'users.add', `username=u${i}`, 'ok')
  })
  afterEach(() => database.close())
  after(() => {})

  const break_ = (statement: string) => sql.raw(statement).execute(database.query)
  const bad = async () => (await audit.verify()).first_bad

  test('an untouched audit fits', async () => {
    assert.deepEqual(await audit.verify(), { rows: 5, first_bad: null })
  })

  for (const column of ['actor', 'target', 'outcome', 'method', 'on_behalf', 'address', 'via', 'caller']) {
    test(`a changed ${column} is named`, async () => {
      await break_(`update audit set ${column} = 'forged' where seq = 3`)
      assert.equal((await bad())?.seq, 3)
    })
  }

  test('numbers too: time, uid, pid', async () => {
    for (const column of ['at', 'uid', 'pid']) {
      await break_(`update audit set ${column} = ${column} + 1 where seq = 2`)
      assert.equal((await bad())?.seq, 2, column)
      await break_(`update audit set ${column} = ${column} - 1 where seq = 2`)
      assert.equal(await bad(), null)
    }
  })

  test('a row that is taken out is missed, in the middle and at the end', async () => {
    await break_('delete from audit where seq = 5')
    assert.deepEqual(await bad(), { seq: 5, id: null, reason: 'rows after it are missing' })
    await break_('delete from audit where seq = 2')
    assert.equal((await bad())?.seq, 3)
  })

  test('a row that is put in or moved does not fit', async () => {
    await break_(
      "insert into audit select 'x', at, actor, caller, via, uid, pid, address, method, target, outcome, 6, on_behalf, seal from audit where seq = 5",
    )
    assert.equal((await bad())?.seq, 6)
  })

  test('whoever rewrites the whole chain without the master secret is found out', async () => {
    await break_('delete from audit')
    const forger = new Audit(database, Buffer.alloc(32, 8))
    await forger.append(caller, 'users.add', 'username=harmless', 'ok')
    assert.equal((await bad())?.seq, 1)
  })

  const sealOf = (seq: number) => `(select seal from audit where seq = ${seq})`

  test('who takes the newest rows out can neither move the mark of the end nor wait for the next entry to cover it', async () => {
    await break_(`update instance set value = '3:' || ${sealOf(3)} where key = 'audit_head'`)
    await break_('delete from audit where seq > 3')
    assert.equal((await bad())?.seq, 4)
    await audit.append(caller, 'users.add', 'username=after', 'ok')
    assert.notEqual(await bad(), null)
    // Nor in a process that has not seen them, with the mark as it was or without one.
    for (const mark of [
      "update instance set value = '0:' where key = 'audit_head'",
      "delete from instance where key = 'audit_head'",
    ]) {
      await break_(mark)
      const later = new Audit(database, key)
      await later.append(caller, 'users.add', 'username=later', 'ok')
      assert.notEqual((await later.verify()).first_bad, null, mark)
    }
  })

  test('rows that are taken out before the next entry leave a gap', async () => {
    await break_('delete from audit where seq > 3')
    await audit.append(caller, 'users.add', 'username=after', 'ok')
    const found = await bad()
    assert.deepEqual([found?.seq, found?.reason], [6, 'row 4 is missing before it'])
  })

  test('a mark that was true once does not bring an older audit back while the daemon runs', async () => {
    const { rows } = await sql<{
      value: string
    }>`select value from instance where key = 'audit_head'`.execute(database.query)
    for (let i = 6; i <= 8; i++) await audit.append(caller, 'users.add', `username=u${i}`, 'ok')
    await break_('delete from audit where seq > 5')
    await break_(`update instance set value = '${rows[0]!.value}' where key = 'audit_head'`)
    assert.equal((await bad())?.seq, 6)
    await audit.append(caller, 'users.add', 'username=after', 'ok')
    assert.notEqual(await bad(), null)
  })

  test('who takes the oldest rows out cannot move the mark of the beginning', async () => {
    await break_(`insert into instance (key, value) values ('audit_anchor', '2:' || ${sealOf(2)})`)
    await break_('delete from audit where seq <= 2')
    assert.equal((await bad())?.reason, 'rows before it are missing')
  })

  test('retention does not tidy away the traces of a change', async () => {
    await break_('update audit set at = 0 where seq = 5')
    await assert.rejects(audit.sweep(1), /does not match at entry 5/)
    assert.equal((await bad())?.seq, 5)
  })

  test('text that no database can give back as it was does not break the chain', async () => {
    await audit.append(caller, 'users.add', 'username=\ud800', 'claim_required')
    assert.deepEqual(await audit.verify(), { rows: 6, first_bad: null })
  })

  test('entries that are written and let go meanwhile are no alarm', async () => {
    const state = { writing: true }
    const writes = (async () => {
      for (let i = 0; i < 60; i++) {
        await audit.append(caller, 'users.add', `username=w${i}`, 'ok')
        if (i % 20 === 19) await audit.sweep(-1)
      }
      state.writing = false
    })()
    while (state.writing) assert.equal(await bad(), null)
    await writes
    assert.equal(await bad(), null)
  })

  test('many writers at once make one chain', async () => {
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => audit.append(caller, 'users.add', `username=w${i}`, 'ok')),
    )
    assert.deepEqual(await audit.verify(), { rows: 45, first_bad: null })
  })

  test('retention lets old rows go and the chain hangs on the last of them', async () => {
    await audit.sweep(0)
    assert.equal((await audit.verify()).rows, 5)
    // Aged before they were sealed is not possible; so what is swept here is everything, by a negative age.
    await audit.sweep(-1)
    assert.deepEqual(await audit.verify(), { rows: 0, first_bad: null })
    await audit.append(caller, 'users.add', 'username=after', 'ok')
    assert.deepEqual(await audit.verify(), { rows: 1, first_bad: null })
    assert.equal((await audit.list({})).items[0]!.seq, 6)
  })
})
