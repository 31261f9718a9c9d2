import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { OutgoingSignIns } from '../../src/federation/outgoing_sign_ins.ts'
import { PendingLinks } from '../../src/federation/pending_links.ts'
import { createLog } from '../../src/log/log.ts'
import { Providers } from '../../src/providers/providers.ts'
import { noReactions } from '../support/reactions.ts'
import { operator } from '../../src/contract/caller.ts'
import type { Database } from '../../src/storage/database.ts'
import { Seal } from '../../src/secrets/seal.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

onSqliteFirst('outgoing sign-ins and pending links', (newUrl) => {
  const seal = new Seal('x'.repeat(32))
  const log = createLog('silent')
  let database: Database
  let provider_id: string
  before(async () => {
    database = await openDatabase(newUrl(), log)
    const parts = {
      database,
      seal,
      log,
      reactions: noReactions,
      reserved: [],
      mayBeLocal: async () => false,
      publicUrl: 'https://x.test',
    }
    const issuer = 'https://forge.example.org'
    const forge = { provider: 'forge', preset: 'oidc', issuer, client: 'x' } as const
    provider_id = (await new Providers(parts).add(forge, operator({ via: 'socket' }))).id
  })
  after(() => database.close())

  test('one of many concurrent callers takes a flow', async () => {
    const flows = new OutgoingSignIns(database, seal)
    for (let i = 0; i < 10; i++) {
      const { checks, cookie } = await flows.begin(
        { provider_id, user_id: null, next: '/', anew: false, remember: false },
        '127.0.0.1',
      )
      const taken = await Promise.all(
        Array.from({ length: 20 }, () => flows.take(checks.state, cookie.value)),
      )
      assert.equal(taken.filter((one) => one !== undefined).length, 1)
    }
  })

  test('a stored flow cannot be read from its row or moved to another', async () => {
    const flows = new OutgoingSignIns(database, seal)
    const begin = () =>
      flows.begin(
        { provider_id, user_id: null, next: '/secret-place', anew: false, remember: false },
        undefined,
      )
    const [one, two] = [await begin(), await begin()]
    const rows = await database.query.selectFrom('provider_flows').selectAll().execute()
    for (const text of [
      one.checks.state,
      one.checks.nonce,
      one.checks.verifier,
      one.cookie.value,
      'secret-place',
    ])
      assert.ok(!JSON.stringify(rows).includes(text))
    const [a, b] = rows
    await database.query
      .updateTable('provider_flows')
      .set({ sealed: a!.sealed })
      .where('state_hash', '=', b!.state_hash)
      .execute()
    const both = await Promise.allSettled(
      [one, two].map(({ checks, cookie }) => flows.take(checks.state, cookie.value)),
    )
    assert.equal(both.filter(({ status }) => status === 'rejected').length, 1)
  })

  test('setting the clock back does not extend a flow', async () => {
    const flows = new OutgoingSignIns(database, seal)
    const { checks, cookie } = await flows.begin(
      { provider_id, user_id: null, next: '/', anew: false, remember: false },
      undefined,
    )
    await database.query
      .updateTable('provider_flows')
      .set((eb) => ({ created_at: eb('created_at', '+', 3600) }))
      .execute()
    assert.equal(await flows.take(checks.state, cookie.value), undefined)
  })

  test('one of many concurrent callers uses a confirmation', async () => {
    const pending = new PendingLinks(database, seal)
    const profile = {
      subject: '1',
      login: '',
      name: '',
      email: null,
      email_doubtful: false,
      avatar_url: '',
      groups: [],
    }
    const tokens = { access_token: 'x', refresh_token: null, expires_at: null }
    const token = await database.write(() => pending.add({ provider_id, profile, tokens, next: '/auth/me' }))
    const used = await Promise.allSettled(
      Array.from({ length: 10 }, () => database.write(() => pending.use(token))),
    )
    assert.equal(used.filter(({ status }) => status === 'fulfilled').length, 1)
  })
})
