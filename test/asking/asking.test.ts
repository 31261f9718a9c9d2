import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { HeroProxy } from '../../sdk/index.ts'
import { createApp } from '../../src/app/app.ts'
import { AskTokens } from '../../src/asking/ask_tokens.ts'
import { operator } from '../../src/contract/caller.ts'
import { createLog } from '../../src/log/log.ts'
import { Counters, noWorkers } from '../../src/metrics/counters.ts'
import { Deciding } from '../../src/asking/deciding.ts'
import { Seal } from '../../src/secrets/seal.ts'
import { now } from '../../src/storage/ids.ts'
import { openDatabase } from '../../src/storage/open_database.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, type TestDaemon } from '../support/daemon.ts'
import { startAtHome } from '../support/openid_stage.ts'
import { byHand, signedIn } from '../support/people.ts'
import { refused } from '../support/refused.ts'

const day = 86_400

onSqliteFirst('requests for access', (newUrl) => {
  let daemon: TestDaemon
  let hero: HeroProxy
  let tokens: AskTokens
  /** Administers the group of the choir, and nothing else. */
  let leader: HeroProxy
  let helper: HeroProxy
  before(async () => {
    daemon = await startAtHome({ database_url: newUrl() })
    hero = daemon.hero
    tokens = new AskTokens(sealOf())
    await hero.groups.add({ slug: 'choir', name: 'Choir' })
    await hero.groups.add_claim({ group: 'choir', claim: 'songs.sing' })
    await hero.users.add({
      username: 'leader',
      email: 'leader@example.org',
      password: goodPassword,
    })
    await hero.users.add({ username: 'helper', password: goodPassword, is_admin: true })
    await hero.groups.add_admin({ group: 'choir', user: 'leader' })
    leader = await signedIn(daemon, 'leader')
    helper = await signedIn(daemon, 'helper')
  })
  after(() => daemon.close())

  let number = 0
  const newUser = async (more: object = {}) => {
    const username = `person${++number}`
    const { id } = await hero.users.add({ username, password: goodPassword, ...more })
    return { username, id, as: await signedIn(daemon, username) }
  }
  const newPlace = async (ask_group = 'choir', more: object = {}) => {
    const name = `place${++number}`
    const { id } = await hero.proxy.routes.add({
      domain: `${name}.localhost`,
      target: 'http://127.0.0.1:1',
      auth_mode: 'local',
      name,
      required_claims: ['songs.sing'],
      ask_group,
      ...more,
    })
    return `route ${id}`
  }
  type User = Awaited<ReturnType<typeof newUser>>
  const askFor = (user: User, place: string, reason = '') =>
    user.as.requests.add({ token: tokens.issue(user.id, place), reason })
  const endOf = async (group: string, user: string) =>
    (await hero.groups.members({ group })).items.find((member) => member.user === user)?.expires_at
  const setTime = (id: string, times: Record<string, number>) =>
    byHand(daemon, ({ query }) =>
      query.updateTable('access_requests').set(times).where('id', '=', id).execute(),
    )
  const sealOf = () => new Seal(readFileSync(join(daemon.config.data_dir, 'master.key'), 'utf8').trim())
  /** As another node sweeps. */
  const sweep = async () => {
    const log = createLog('silent')
    const database = await openDatabase(daemon.config.database_url, log)
    await createApp(daemon.config, database, sealOf(), log, new Counters(noWorkers)).sweep()
    await database.close()
  }
  const reasonOf = async (call: Promise<unknown>) => (await refused(call, 'conflict')).data.reason

  test('are asked for by the token of a page that refused this person, and by no other', async () => {
    const [grace, eve] = [await newUser(), await newUser()]
    const place = await newPlace()
    const good = tokens.issue(grace.id, place)
    const nowhere = await newPlace('choir')
    await hero.proxy.routes.update({ id: nowhere.slice('route '.length), ask_group: null })
    await hero.groups.add({ slug: 'asleep' })
    const idle = await newPlace('asleep')
    await hero.groups.update({ group: 'asleep', is_active: false })
    const off = await newPlace()
    await hero.proxy.routes.update({ id: off.slice('route '.length), enabled: false })
    const wrongs = [
      [eve, good],
      [grace, tokens.issue(grace.id, nowhere)],
      [grace, tokens.issue(grace.id, idle)],
      [grace, tokens.issue(grace.id, off)],
      [grace, tokens.issue(grace.id, 'route 01932d1c-7a5e-7c41-9f3a-5f1d2c3b4aff')],
      [grace, tokens.issue(grace.id, 'client nobody')],
      [grace, tokens.issue(grace.id, 'group choir')],
      [grace, `${good.slice(0, -2)}AA`],
      [grace, sealOf().seal(JSON.stringify([grace.id, place, now() - day]), 'ask tokens')],
      [grace, 'v1.AAAA'],
    ] as const
    const answers = new Set<string>()
    for (const [who, token] of wrongs) {
      const { message, data } = await refused(who.as.requests.add({ token }), 'invalid_params', 'token')
      answers.add(`${message} ${String(data.reason)}`)
    }
    assert.equal(answers.size, 1, 'one answer for all, which says nothing of routes and groups')
    const request = await grace.as.requests.add({ token: good, reason: 'I sing' })
    assert.deepEqual(
      [request.user, request.group, request.state, request.reason],
      [grace.username, null, 'open', 'I sing'],
    )
    assert.equal(request.expires_at - request.created_at, 14 * day)
    assert.deepEqual((await grace.as.requests.list()).items, [request])
    assert.deepEqual((await eve.as.requests.list()).items, [])
    assert.deepEqual((await eve.as.requests.list({ whose: 'others' })).items, [])
  })

  test('take a person, who is refused for want of a claim that the group could bring', async () => {
    const grace = await newUser()
    await hero.groups.add({ slug: 'other' })
    const place = await newPlace('other')
    await hero.groups.add_member({ group: 'other', user: grace.username })
    assert.equal(await reasonOf(askFor(grace, place)), 'ask_useless')
    await hero.groups.add_member({ group: 'choir', user: grace.username })
    assert.equal(await reasonOf(askFor(grace, place)), 'ask_not_needed')
    await refused(hero.requests.add({ token: 'v1.AAAA' }), 'conflict')
    await refused(hero.requests.withdraw({ request: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4aff' }), 'conflict')
    await helper.auth.impersonate({ user: grace.username })
    await refused(helper.requests.add({ token: tokens.issue(grace.id, await newPlace()) }), 'conflict')
    await helper.auth.stop_impersonating()
  })

  test('are one for each place, five in all, and none for a week after a refusal', async () => {
    const grace = await newUser()
    const places = await Promise.all([1, 2, 3, 4, 5, 6].map(() => newPlace()))
    const [first, , third] = await Promise.all(places.slice(0, 5).map((place) => askFor(grace, place)))
    assert.equal(await reasonOf(askFor(grace, places[0]!)), 'ask_waiting')
    assert.equal(await reasonOf(askFor(grace, places[5]!)), 'ask_too_many')
    await grace.as.requests.withdraw({ request: third!.id })
    await refused(grace.as.requests.withdraw({ request: third!.id }), 'not_found')
    await askFor(grace, places[5]!)
    // One that is over no longer counts, nor does it block the place.
    await setTime(first!.id, { expires_at: now() - 1 })
    await refused(leader.requests.approve({ request: first!.id }), 'conflict')
    const again = await askFor(grace, places[0]!)
    await leader.requests.refuse({ request: again.id, reason: 'Not yet' })
    const own = (await grace.as.requests.list()).items
    assert.ok(own.every(({ state, answer }) => state === 'refused' && answer === 'Not yet'))
    const other = await newPlace()
    assert.equal(await reasonOf(askFor(grace, other)), 'ask_refused')
    await byHand(daemon, ({ query }) =>
      query
        .updateTable('access_requests')
        .set({ decided_at: now() - 7 * day - 1 })
        .where('user_id', '=', grace.id)
        .execute(),
    )
    await askFor(grace, other)
  })

  test('two at once for one place make one request', async () => {
    const grace = await newUser()
    const place = await newPlace()
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => askFor(grace, place)))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal((await grace.as.requests.list()).items.length, 1)
  })

  test('only the person who asked takes them back', async () => {
    const [grace, eve] = [await newUser(), await newUser()]
    const { id } = await askFor(grace, await newPlace())
    await refused(eve.as.requests.withdraw({ request: id }), 'not_found')
    await refused(leader.requests.withdraw({ request: id }), 'not_found')
    await grace.as.requests.withdraw({ request: id })
    await refused(leader.requests.approve({ request: id }), 'not_found')
  })

  test('are decided by administrators of the group and proxy.groups.write, never by the person who asks', async () => {
    const [grace, eve, former, elsewhere] = await Promise.all([1, 2, 3, 4].map(() => newUser()))
    const { id: request } = await askFor(grace!, await newPlace())
    await hero.groups.add({ slug: 'band' })
    await hero.groups.add_admin({ group: 'band', user: elsewhere!.username })
    await hero.groups.add_admin({ group: 'choir', user: former!.username })
    assert.ok((await former!.as.requests.list({ whose: 'others' })).items.some(({ id }) => id === request))
    await hero.groups.remove_admin({ group: 'choir', user: former!.username })
    for (const who of [eve, former, elsewhere]) {
      assert.deepEqual((await who!.as.requests.list({ whose: 'others' })).items, [])
      await refused(who!.as.requests.approve({ request }), 'claim_required')
      await refused(who!.as.requests.refuse({ request }), 'claim_required')
    }
    // An administrator of the group asks: the claim is there, and somebody else decides.
    await hero.groups.add_admin({ group: 'choir', user: grace!.username })
    assert.equal(await reasonOf(grace!.as.requests.approve({ request })), 'ask_own')
    assert.equal(await reasonOf(grace!.as.requests.refuse({ request })), 'ask_own')
    const token = await hero.token.create({ user: 'leader', name: 'x', scope: 'admin' })
    await refused(daemon.hero.as(token.access_token).requests.approve({ request }), 'proof_required')
    await byHand(daemon, async (database) => {
      await database.query
        .updateTable('sessions')
        .set({ proven_at: now() - 1000 })
        .execute()
      database.changed('sessions')
    })
    await refused(leader.requests.approve({ request }), 'proof_required')
    await refused(leader.requests.refuse({ request }), 'proof_required')
    assert.equal(await endOf('choir', grace!.username), undefined)
    assert.equal((await hero.requests.approve({ request })).state, 'approved')
    await hero.groups.remove_admin({ group: 'choir', user: grace!.username })
    leader = await signedIn(daemon, 'leader')
    helper = await signedIn(daemon, 'helper')
  })

  test('give a membership that ends, and never shorten one', async () => {
    const [grace, eve, longer, forever] = await Promise.all([1, 2, 3, 4].map(() => newUser()))
    await hero.settings.set({ key: 'request_days', value: 3 })
    const [place, another] = [await newPlace(), await newPlace()]
    const first = await askFor(grace!, place)
    const second = await askFor(grace!, another)
    await refused(leader.requests.approve({ request: first.id, ends_at: now() }), 'invalid_params', 'ends_at')
    const { ends_at, group } = await leader.requests.approve({ request: first.id })
    assert.ok(Math.abs(ends_at! - now() - 3 * day) < 30)
    assert.deepEqual([group, await endOf('choir', grace!.username)], ['choir', ends_at])
    // The other request for the same group is decided with it.
    assert.equal(await reasonOf(leader.requests.refuse({ request: second.id })), 'ask_decided')
    const chosen = now() + 10 * day
    const { id } = await askFor(eve!, place)
    assert.equal((await helper.requests.approve({ request: id, ends_at: chosen })).ends_at, chosen)
    // Asked first, and members by the time of the decision.
    for (const [who, has] of [
      [longer!, now() + 30 * day],
      [forever!, null],
    ] as const) {
      const request = await askFor(who, place)
      await hero.groups.add_member({
        group: 'choir',
        user: who.username,
        ...(has !== null && { expires_at: has }),
      })
      const approved = await leader.requests.approve({ request: request.id, ends_at: chosen })
      assert.equal(approved.ends_at, has)
      assert.equal(await endOf('choir', who.username), has)
    }
    const shorter = await newUser()
    const request = await askFor(shorter, place)
    await hero.groups.add_member({ group: 'choir', user: shorter.username, expires_at: now() + day })
    await leader.requests.approve({ request: request.id, ends_at: chosen })
    assert.equal(await endOf('choir', shorter.username), chosen)
  })

  test('two decisions at once are one', async () => {
    const grace = await newUser()
    const { id: request } = await askFor(grace, await newPlace())
    const results = await Promise.allSettled([
      leader.requests.approve({ request, ends_at: now() + 5 * day }),
      helper.requests.approve({ request, ends_at: now() + 50 * day }),
      helper.requests.refuse({ request }),
    ])
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    const audit = (await hero.audit.list({ limit: 1000 })).items.filter(
      ({ target, outcome }) => target.includes(request) && outcome === 'ok',
    )
    assert.equal(audit.filter(({ method }) => method !== 'requests.add').length, 1)
  })

  test('for a group with a proof are decided by proxy.groups.write alone', async () => {
    const grace = await newUser()
    const { id: request } = await askFor(grace, await newPlace())
    await hero.groups.update({ group: 'choir', proof: 'second' })
    await refused(leader.requests.approve({ request }), 'claim_required', 'group')
    assert.equal(await endOf('choir', grace.username), undefined)
    await helper.requests.approve({ request })
    await hero.groups.update({ group: 'choir', proof: 'any' })
  })

  test('count while the place still names the group, and the person may sign in', async () => {
    const [grace, eve] = [await newUser(), await newUser()]
    const place = await newPlace()
    const { id: request } = await askFor(grace, place)
    await hero.groups.add({ slug: 'guests' })
    await hero.proxy.routes.update({ id: place.slice('route '.length), ask_group: 'guests' })
    assert.equal(await reasonOf(leader.requests.approve({ request })), 'ask_gone')
    assert.equal((await leader.requests.refuse({ request })).state, 'refused')
    const { id } = await askFor(eve, await newPlace())
    await hero.users.update({ username: eve.username, is_active: false })
    await refused(leader.requests.approve({ request: id }), 'not_found')
    await hero.users.remove({ username: eve.username })
    const left = await byHand(daemon, ({ query }) =>
      query.selectFrom('access_requests').select('id').where('user_id', '=', eve.id).execute(),
    )
    assert.deepEqual(left, [])
  })

  test('show everything that the membership gives, and what of it opens', async () => {
    await hero.groups.add({ slug: 'inner' })
    await hero.groups.add({ slug: 'outer' })
    await hero.groups.add_member({ group: 'outer', member_group: 'inner' })
    await hero.roles.add({ name: 'reader' })
    await hero.roles.add_claim({ role: 'reader', claim: 'books.read', service: 'library' })
    await hero.groups.add_role({ group: 'outer', role: 'reader' })
    await hero.groups.add_claim({ group: 'inner', claim: 'tickets.read' })
    const rule = { required_claims: ['books.read'], title: 'Library' }
    const place = await newPlace('inner', { ...rule, service: 'library' })
    await newPlace('inner', { ...rule, title: 'Elsewhere', service: 'other' })
    await hero.clients.add({
      name: 'Desk',
      client: 'desk',
      redirect_uris: ['https://desk.example.org/callback'],
      start_url: 'https://desk.example.org/start',
      required_claims: ['tickets.*'],
      ask_group: 'inner',
    })
    const grace = await newUser()
    const { id } = await askFor(grace, place)
    const shown = (await helper.requests.list({ whose: 'others' })).items.find((one) => one.id === id)!
    assert.deepEqual(
      shown.gives?.opens.map(({ title }) => title),
      ['Desk', 'Library'],
    )
    assert.deepEqual(
      shown.gives?.claims.map(({ claim, service }) => `${claim} ${service}`),
      ['books.read library', 'groups.inner null', 'groups.outer null', 'tickets.read null'],
    )
    assert.equal(shown.gives?.administers, false)
  })

  test('mark a membership that would let the person administer hero_proxy', async () => {
    const row = { user_id: '', group_id: 'g', group: 'choir', context: 1 }
    const givenBy = async () => ({
      all: [{ claim: 'proxy.users.read', service: null, context: null }],
      at: new Map(),
    })
    const deciding = new Deciding({
      rows: { open: async () => ({ items: [row], next_cursor: null }) },
      requests: { shown: async () => row },
      places: { all: async () => [], openedBy: async () => [] },
      claims: { givenBy },
    } as never)
    const { items } = await deciding.list(operator({ via: 'socket' }), {})
    assert.equal(items[0]!.gives!.administers, true)
  })

  test('ask_group names a group that people can join, where people sign in', async () => {
    const route = { domain: 'x.localhost', target: 'http://127.0.0.1:1' }
    const local = { ...route, auth_mode: 'local' as const, required_claims: ['songs.sing'] }
    for (const ask_group of ['admin', 'ADMIN', 'nobody'])
      await refused(hero.proxy.routes.add({ ...local, ask_group }), 'invalid_params', 'ask_group')
    for (const auth_mode of ['none', 'bearer', 'signature'] as const)
      await refused(
        hero.proxy.routes.add({ ...route, auth_mode, ask_group: 'choir' }),
        'invalid_params',
        'ask_group',
      )
    const { id } = await hero.proxy.routes.add({ ...local, ask_group: 'Choir' })
    await refused(hero.proxy.routes.update({ id, ask_group: 'admin' }), 'invalid_params', 'ask_group')
    const client = { name: 'x', client: 'x', redirect_uris: ['https://x.example.org/'], anyone: true }
    await refused(hero.clients.add({ ...client, ask_group: 'admin' }), 'invalid_params', 'ask_group')
    await hero.clients.add({ ...client, ask_group: 'choir' })
    await refused(hero.clients.update({ client: 'x', ask_group: 'none' }), 'invalid_params', 'ask_group')
    // Somebody wrote it past the check.
    await byHand(daemon, async (database) => {
      await database.query.updateTable('routes').set({ ask_group: 'admin' }).where('id', '=', id).execute()
      database.changed('routes')
    })
    await refused(askFor(await newUser(), `route ${id}`), 'invalid_params', 'token')
    await hero.proxy.routes.update({ id, ask_group: 'choir' })
  })

  test('doctor names the places where people would ask in vain', async () => {
    const text = async () =>
      (await hero.doctor.checks()).checks.find(({ check }) => check === 'ask_groups')!.text
    await hero.groups.add({ slug: 'idle' })
    await hero.groups.add({ slug: 'gone' })
    await newPlace('idle', { name: 'vain' })
    await newPlace('gone', { name: 'lost' })
    await hero.groups.remove({ group: 'gone' })
    const found = await text()
    assert.match(found, /vain \(members of idle may not enter either\)/)
    assert.match(found, /lost \(there is no active group gone\)/)
    assert.ok(!found.includes('desk'))
    await hero.groups.add_claim({ group: 'idle', claim: 'songs.sing' })
    assert.ok(!(await text()).includes('vain ('))
  })

  test('are told to those who decide, of whom some had a mail within the hour, by the next sweep', async () => {
    const mails = () =>
      byHand(daemon, ({ query }) =>
        query
          .selectFrom('mails')
          .select(['address', 'kind'])
          .where('kind', 'like', 'access%')
          .where('created_at', '>', now() - 3600)
          .execute(),
      )
    const deciders = async () =>
      (await mails()).filter(({ kind }) => kind === 'access_requested').map(({ address }) => address)
    // The address of the administrator is not proved.
    await askFor(await newUser(), await newPlace())
    assert.deepEqual(await deciders(), ['leader@example.org'])
    const grace = await newUser({ email: 'grace@example.org' })
    const { id } = await askFor(grace, await newPlace())
    await hero.groups.update({ group: 'choir', proof: 'second' })
    await askFor(await newUser(), await newPlace())
    await hero.groups.update({ group: 'choir', proof: 'any' })
    assert.deepEqual(await deciders(), ['leader@example.org'])
    const untold = () =>
      byHand(daemon, ({ query }) =>
        query.selectFrom('access_requests').select('id').where('told', '=', 0).execute(),
      )
    assert.ok((await untold()).some((row) => row.id === id))
    await byHand(daemon, ({ query }) =>
      query
        .updateTable('mails')
        .set((eb) => ({ created_at: eb('created_at', '-', 3601) }))
        .execute(),
    )
    assert.deepEqual(await deciders(), [])
    await sweep()
    assert.deepEqual(await deciders(), ['leader@example.org'])
    await leader.requests.refuse({ request: id, reason: 'No' })
    assert.ok(
      (await mails()).some(
        ({ kind, address }) => kind === 'access_refused' && address === 'grace@example.org',
      ),
    )
    const { requests: held } = (await grace.as.auth.export()) as { requests: { answer: string }[] }
    assert.deepEqual(
      held.map(({ answer }) => answer),
      ['No'],
    )
  })
  test('are told to each person once, also where another one cannot be told yet', async () => {
    await byHand(daemon, ({ query }) => query.updateTable('access_requests').set({ told: 1 }).execute())
    for (const group of ['solo', 'duet']) await hero.groups.add({ slug: group })
    for (const username of ['cantor', 'second'])
      await hero.users.add({ username, email: `${username}@example.org`, password: goodPassword })
    for (const [group, user] of [
      ['solo', 'second'],
      ['duet', 'second'],
      ['duet', 'cantor'],
    ] as const)
      await hero.groups.add_admin({ group, user })
    const more = { required_claims: ['nothing'] }
    const mailed = () =>
      byHand(daemon, async ({ query }) => {
        const rows = query.selectFrom('mails').select('address').where('kind', '=', 'access_requested')
        const found = await rows.where('created_at', '>', now() - 3600).execute()
        return found.map(({ address }) => address.split('@')[0]).toSorted()
      })
    /** The mails of an hour later. */
    const later = async () => {
      await byHand(daemon, ({ query }) =>
        query
          .updateTable('mails')
          .set((eb) => ({ created_at: eb('created_at', '-', 3601) }))
          .execute(),
      )
      await sweep()
      return mailed()
    }
    await later()
    await askFor(await newUser(), await newPlace('solo', more))
    await askFor(await newUser(), await newPlace('duet', more))
    assert.deepEqual(await mailed(), ['cantor', 'second'])
    assert.deepEqual([await later(), await later()], [['second'], []])
  })
})
