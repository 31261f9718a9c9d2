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

  const tamper = (statement: string) => sql.raw(statement).execute(database.query)
  const firstBad = async () => (await audit.verify()).first_bad

  test('an unchanged chain verifies', async () => {
    assert.deepEqual(await audit.verify(), { rows: 5, first_bad: null })
  })

  for (const column of ['actor', 'target', 'outcome', 'method', 'on_behalf', 'address', 'via', 'caller']) {
    test(`a changed ${column} is detected`, async () => {
      await tamper(`update audit set ${column} = 'forged' where seq = 3`)
      assert.equal((await firstBad())?.seq, 3)
    })
  }

  test('a changed time, uid or pid is detected', async () => {
    for (const column of ['at', 'uid', 'pid']) {
      await tamper(`update audit set ${column} = ${column} + 1 where seq = 2`)
      assert.equal((await firstBad())?.seq, 2, column)
      await tamper(`update audit set ${column} = ${column} - 1 where seq = 2`)
      assert.equal(await firstBad(), null)
    }
  })

  test('a removed row is detected, in the middle and at the end', async () => {
    await tamper('delete from audit where seq = 5')
    assert.deepEqual(await firstBad(), { seq: 5, id: null, reason: 'rows after it are missing' })
    await tamper('delete from audit where seq = 2')
    assert.equal((await firstBad())?.seq, 3)
  })

  test('an inserted row is detected', async () => {
    await tamper(
      "insert into audit select 'x', at, actor, caller, via, uid, pid, address, method, target, outcome, 6, on_behalf, seal from audit where seq = 5",
    )
    assert.equal((await firstBad())?.seq, 6)
  })

  test('a chain rewritten without the master secret is detected', async () => {
    await tamper('delete from audit')
    const forger = new Audit(database, Buffer.alloc(32, 8))
    await forger.append(caller, 'users.add', 'username=harmless', 'ok')
    assert.equal((await firstBad())?.seq, 1)
  })

  const sealOf = (seq: number) => `(select seal from audit where seq = ${seq})`

  test('removing the newest rows is detected, even with a changed end mark or after new entries', async () => {
    await tamper(`update instance set value = '3:' || ${sealOf(3)} where key = 'audit_head'`)
    await tamper('delete from audit where seq > 3')
    assert.equal((await firstBad())?.seq, 4)
    await audit.append(caller, 'users.add', 'username=after', 'ok')
    assert.notEqual(await firstBad(), null)
    // It is detected by a process that has not seen them too, with a changed mark or without one.
    for (const mark of [
      "update instance set value = '0:' where key = 'audit_head'",
      "delete from instance where key = 'audit_head'",
    ]) {
      await tamper(mark)
      const later = new Audit(database, key)
      await later.append(caller, 'users.add', 'username=later', 'ok')
      assert.notEqual((await later.verify()).first_bad, null, mark)
    }
  })

  test('rows removed before the next entry leave a detectable gap', async () => {
    await tamper('delete from audit where seq > 3')
    await audit.append(caller, 'users.add', 'username=after', 'ok')
    const found = await firstBad()
    assert.deepEqual([found?.seq, found?.reason], [6, 'row 4 is missing before it'])
  })

  test('restoring an old end mark does not hide removed rows while the daemon runs', async () => {
    const { rows } = await sql<{
      value: string
    }>`select value from instance where key = 'audit_head'`.execute(database.query)
    for (let i = 6; i <= 8; i++) await audit.append(caller, 'users.add', `username=u${i}`, 'ok')
    await tamper('delete from audit where seq > 5')
    await tamper(`update instance set value = '${rows[0]!.value}' where key = 'audit_head'`)
    assert.equal((await firstBad())?.seq, 6)
    await audit.append(caller, 'users.add', 'username=after', 'ok')
    assert.notEqual(await firstBad(), null)
  })

  test('removing the oldest rows is detected, even with a changed start mark', async () => {
    await tamper(`insert into instance (key, value) values ('audit_anchor', '2:' || ${sealOf(2)})`)
    await tamper('delete from audit where seq <= 2')
    assert.equal((await firstBad())?.reason, 'rows before it are missing')
  })

  test('retention keeps a changed entry, so that it stays detectable', async () => {
    await tamper('update audit set at = 0 where seq = 5')
    await assert.rejects(audit.sweep(1), /does not match at entry 5/)
    assert.equal((await firstBad())?.seq, 5)
  })

  test('text that the database cannot store unchanged does not break the chain', async () => {
    await audit.append(caller, 'users.add', 'username=\ud800', 'claim_required')
    assert.deepEqual(await audit.verify(), { rows: 6, first_bad: null })
  })

  test('concurrent entries and retention raise no false alarm', async () => {
    const state = { writing: true }
    const writes = (async () => {
      for (let i = 0; i < 60; i++) {
        await audit.append(caller, 'users.add', `username=w${i}`, 'ok')
        if (i % 20 === 19) await audit.sweep(-1)
      }
      state.writing = false
    })()
    while (state.writing) assert.equal(await firstBad(), null)
    await writes
    assert.equal(await firstBad(), null)
  })

  test('concurrent writers extend one chain', async () => {
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => audit.append(caller, 'users.add', `username=w${i}`, 'ok')),
    )
    assert.deepEqual(await audit.verify(), { rows: 45, first_bad: null })
  })

  test('retention removes old entries, and the chain continues from the last of them', async () => {
    await audit.sweep(0)
    assert.equal((await audit.verify()).rows, 5)
    // Entries cannot be backdated, so a negative age sweeps them all.
    await audit.sweep(-1)
    assert.deepEqual(await audit.verify(), { rows: 0, first_bad: null })
    await audit.append(caller, 'users.add', 'username=after', 'ok')
    assert.deepEqual(await audit.verify(), { rows: 1, first_bad: null })
    assert.equal((await audit.list({})).items[0]!.seq, 6)
  })
})
