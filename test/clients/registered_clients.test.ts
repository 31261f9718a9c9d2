import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Clients } from '../../src/clients/clients.ts'
import { DynamicClients, maxDynamic, maxHourly } from '../../src/clients/registered_clients.ts'
import { RegistrationTokens } from '../../src/clients/registration_tokens.ts'
import { createLog } from '../../src/log/log.ts'
import { Records } from '../../src/oidc/engine/records.ts'
import type { Database } from '../../src/storage/database.ts'
import { newId, now } from '../../src/storage/ids.ts'
import { Seal } from '../../src/secrets/seal.ts'
import { onBothDatabases } from '../support/databases.ts'
import { refused } from '../support/refused.ts'
import { noReactions } from '../support/reactions.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const day = 86_400

onBothDatabases('self-registered clients', (newUrl) => {
  const opened: Database[] = []
  let counts = true
  /** A client that cannot be removed. */
  let stuck = ''

  /** Opens the rooms of one node; each call with the same URL is another node. */
  const open = async (url: string) => {
    const database = await openDatabase(url, createLog('silent'))
    opened.push(database)
    const records = new Records(database, new Seal('of this test alone'))
    const clients = new Clients(database, async () => counts, {
      ...noReactions,
      clientLosesRecords: async (client, kinds) => {
        if (client === stuck) throw new Error('its records cannot be removed')
        await records.removeOfClient(client, kinds)
      },
    })
    return {
      database,
      clients,
      dynamic: new DynamicClients(database, clients, createLog('silent')),
      tokens: new RegistrationTokens(database),
    }
  }
  type Node = Awaited<ReturnType<typeof open>>
  let url: string
  let one: Node
  let other: Node
  before(async () => {
    url = newUrl()
    one = await open(url)
    other = await open(url)
  })
  after(() => Promise.all(opened.map((database) => database.close())))

  const add = ({ dynamic }: Node, network: string) =>
    dynamic.add({ name: 'Editor', redirect_uris: ['https://app.test/cb'] }, network)

  test('the last use of a registration token counts once across nodes', async () => {
    const { initial_access_token: token, id } = await one.tokens.add('both', 3, 60)
    const used = await Promise.all(
      Array.from({ length: 8 }, (_, i) => {
        const { database, tokens } = i % 2 === 0 ? one : other
        return database.write(() => tokens.use(token))
      }),
    )
    assert.equal(used.filter(Boolean).length, 3)
    assert.equal(await other.tokens.isValid(token), false)
    const { query } = one.database
    const row = await query.selectFrom('registration_tokens').selectAll().executeTakeFirstOrThrow()
    assert.deepEqual([row.id, row.uses_left], [id, 0])
    assert.equal(JSON.stringify(row).includes(token), false)
    await one.tokens.sweep()
    assert.equal(await query.selectFrom('registration_tokens').selectAll().executeTakeFirst(), undefined)
  })

  test('the limit of a network holds for all nodes together, and does not affect other networks', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: maxHourly + 6 }, (_, i) => add(i % 2 === 0 ? one : other, '192.0.2.1')),
    )
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, maxHourly)
    await refused(add(one, '192.0.2.1'), 'rate_limited')
    await add(one, '192.0.2.2')
    // Moves the registrations an hour into the past.
    await one.database.query
      .updateTable('clients')
      .set({ created_at: now() - 3601 })
      .where('registered_from', '=', '192.0.2.1')
      .execute()
    await add(other, '192.0.2.1')
  })

  test('a client that nobody uses is removed with its records', async () => {
    await one.database.query.deleteFrom('clients').execute()
    const kept = await one.clients.add({ name: 'by hand', client: 'by-hand' })
    const [fresh, unused, used, old] = await Promise.all(
      ['1', '2', '3', '4'].map((last) => add(one, `192.0.2.${last}`)),
    )
    const age = (client: string, fields: { created_at?: number; last_used_at?: number }) =>
      one.database.query.updateTable('clients').set(fields).where('client', '=', client).execute()
    await age(kept.client, { created_at: 1 })
    await age(unused!.client, { created_at: now() - 7 * day - 1 })
    await age(used!.client, { created_at: now() - 400 * day, last_used_at: now() - 179 * day })
    await age(old!.client, { created_at: now() - 400 * day, last_used_at: now() - 181 * day })
    await one.database.query
      .insertInto('oidc_records')
      .values({
        id: newId(),
        kind: 'Grant',
        grant_id: null,
        user_id: null,
        client: old!.client,
        lookup: null,
        payload_sealed: '',
        consumed_at: null,
        written_at: 0,
        expires_at: now() + day,
      })
      .execute()
    await other.dynamic.sweep()
    const { items } = await one.clients.list({})
    assert.deepEqual(
      items.map(({ client }) => client).toSorted(),
      [kept.client, fresh!.client, used!.client].toSorted(),
    )
    assert.equal(
      await one.database.query.selectFrom('oidc_records').selectAll().executeTakeFirst(),
      undefined,
    )
    // The other node no longer has it either.
    assert.equal(await one.clients.find(old!.client), undefined)
  })

  test('one that cannot be removed keeps no other', async () => {
    await one.database.query.deleteFrom('clients').where('dynamic', '=', 1).execute()
    const left = async () =>
      (await one.clients.list({})).items.filter(({ dynamic }) => dynamic).map(({ client }) => client)
    for (const which of [0, 1]) {
      const both = [await add(one, '192.0.2.5'), await add(one, '192.0.2.6')]
      await one.database.query
        .updateTable('clients')
        .set({ created_at: 1 })
        .where('dynamic', '=', 1)
        .execute()
      stuck = both[which]!.client
      await one.dynamic.sweep()
      assert.deepEqual(await left(), [stuck])
      stuck = ''
      await one.dynamic.sweep()
      assert.deepEqual(await left(), [])
    }
  })

  test('a use is stored once a day, and clients added by an administrator record none', async () => {
    const { client } = await add(one, '192.0.2.9')
    const known = (await one.clients.find(client))!
    await one.dynamic.noteUse(known)
    const stored = async () => (await one.clients.get(client)).last_used_at
    assert.ok((await stored())! > now() - 60)
    const set = (last_used_at: number) =>
      one.database.query.updateTable('clients').set({ last_used_at }).where('client', '=', client).execute()
    await set(5)
    await one.dynamic.noteUse(known)
    assert.equal(await stored(), 5)
    const byHand = (await one.clients.find('by-hand'))!
    await one.dynamic.noteUse(byHand)
    assert.equal((await one.clients.get('by-hand')).last_used_at, null)
  })

  test('while self-registration is off they are unknown, after a restart too', async () => {
    const { client } = await add(one, '192.0.2.10')
    assert.equal((await one.clients.find(client))?.client, client)
    counts = false
    assert.equal(await one.clients.find(client), undefined)
    const again = await open(url)
    assert.equal(await again.clients.find(client), undefined)
    assert.equal((await again.clients.find('by-hand'))?.client, 'by-hand')
    counts = true
    assert.equal((await again.clients.find(client))?.client, client)
  })

  test('the total number of registered clients is limited', async () => {
    const { items } = await one.clients.list({ limit: 1000 })
    const row = await one.database.query
      .selectFrom('clients')
      .selectAll()
      .where('dynamic', '=', 1)
      .executeTakeFirstOrThrow()
    const missing = maxDynamic - items.filter(({ dynamic }) => dynamic).length
    const copies = Array.from({ length: missing - 1 }, () => ({
      ...row,
      id: newId(),
      client: newId(),
      registered_from: '192.0.2.77',
    }))
    for (let i = 0; i < copies.length; i += 50)
      await one.database.query
        .insertInto('clients')
        .values(copies.slice(i, i + 50))
        .execute()
    const results = await Promise.allSettled([add(one, '192.0.2.11'), add(other, '192.0.2.12')])
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    await refused(add(one, '192.0.2.13'), 'unavailable')
    // The limit does not apply to administrators.
    await one.clients.add({ name: 'x', client: 'by-hand-too' })
  })

  test('an impossible client ID is neither looked up nor cached', async () => {
    for (const name of ['', 'x'.repeat(129), 'a b', 'service:wiki', 'ä', 'a\n', "' or 1=1"])
      assert.equal(one.clients.find(name), undefined, name)
  })
})
