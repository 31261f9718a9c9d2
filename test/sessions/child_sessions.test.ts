import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../src/log/log.ts'
import { childHash } from '../../src/sessions/child_sessions.ts'
import { Sessions } from '../../src/sessions/sessions.ts'
import { openDatabase } from '../../src/storage/open_database.ts'
import { goodPassword, startTestDaemon } from '../support/daemon.ts'
import { noReactions } from '../support/reactions.ts'

test('one arrival cookie keeps at most twenty children at a host, the newest ones', async () => {
  await using daemon = await startTestDaemon()
  const { id: userId } = await daemon.hero.users.add({ username: 'ada', password: goodPassword })
  const database = await openDatabase(daemon.config.database_url, createLog('silent'))
  try {
    const sessions = new Sessions(database, async () => 3600, noReactions, 'localhost')
    const by = { kind: 'cookie', provider: 'password', factor: '', address: '', user_agent: '' } as const
    const parent = await sessions.open(userId, by)
    const open = (host: string, arrivalHash: string) =>
      database.write(() =>
        sessions.children.open({
          parentId: parent.id,
          origin: `https://${host}`,
          arrivalHash,
          round: 1,
          passage: '',
        }),
      )
    const opened: string[] = []
    for (const host of ['wiki.example.org', 'files.example.org'])
      for (let i = 0; i < 30; i++)
        opened.push(childHash((await open(host, 'one'))!.token, { host, secure: true }))
    await open('wiki.example.org', 'two')
    const rows = await database.query
      .selectFrom('child_sessions')
      .select(['origin', 'arrival_hash', 'token_hash'])
      .orderBy('id')
      .execute()
    const of = (host: string, arrival: string) =>
      rows
        .filter((row) => row.origin === `https://${host}` && row.arrival_hash === arrival)
        .map((row) => row.token_hash)
    assert.deepEqual(of('wiki.example.org', 'one'), opened.slice(10, 30))
    assert.deepEqual(of('files.example.org', 'one'), opened.slice(40, 60))
    assert.equal(of('wiki.example.org', 'two').length, 1)
  } finally {
    await database.close()
  }
})
