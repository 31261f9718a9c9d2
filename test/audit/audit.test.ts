import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { HeroProxy } from '../../sdk/index.ts'
import { onBothDatabases } from '../support/databases.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { openrpc, paramsOf } from '../support/openrpc.ts'
import { byHand, person, signedIn } from '../support/people.ts'
import { refused } from '../support/refused.ts'

onBothDatabases('the audit log', (newUrl) => {
  let daemon: TestDaemon
  let ada: HeroProxy
  let grace: HeroProxy
  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl() })
    ada = await person(daemon, 'ada', { is_admin: true })
    grace = await person(daemon, 'grace')
  })
  after(() => daemon.close())

  /** Returns the entries that some work wrote, oldest first, without IDs and times. */
  const entriesOf = async (work: () => Promise<unknown>) => {
    const newest = (await daemon.hero.audit.list({ limit: 1 })).items[0]?.id ?? ''
    await work()
    const { items } = await daemon.hero.audit.list({ limit: 1000 })
    return items
      .filter(({ id }) => id > newest)
      .toReversed()
      .map(({ actor, caller, via, uid, pid, method, target, outcome }) => {
        assert.equal(uid, process.getuid!())
        assert.equal(pid, process.pid)
        return `${actor} (${caller}, ${via}): ${method} [${target}] ${outcome}`
      })
  }

  test('an entry has the actor, caller kind, method and target', async () => {
    assert.deepEqual(
      await entriesOf(async () => {
        await ada.groups.add({ slug: 'engineers' })
        await ada.groups.add_member({ group: 'engineers', user: 'grace' })
        await ada.groups.add_claim({ group: 'engineers', claim: 'wiki.read' })
        await daemon.hero.users.update({ username: 'grace', display_name: 'Not told here' })
        await daemon.hero.settings.set({ key: 'session_lifetime', value: 7200 })
        await grace.users.update({ username: 'grace', display_name: 'x' })
      }),
      [
        'ada (user, socket): groups.add [slug=engineers] ok',
        'ada (user, socket): groups.add_member [group=engineers user=grace] ok',
        'ada (user, socket): groups.add_claim [group=engineers claim=wiki.read] ok',
        'system (operator, socket): users.update [username=grace] ok',
        'system (operator, socket): settings.set [key=session_lifetime] ok',
        'grace (user, socket): users.update [username=grace] ok',
      ],
    )
  })

  test('changes to credentials and sessions name their person and object', async () => {
    const { hero } = daemon
    let invited = ''
    await hero.settings.set({ key: 'registration_mode', value: 'invite' })
    const session = (await hero.sessions.list({ user: 'grace' })).items[0]!.id
    const [network, pubkey] = [
      '10.7.0.0/16',
      `02${'c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5'}`,
    ]
    const user = 'grace'
    const ids: string[] = []
    const lines = await entriesOf(async () => {
      const added = [
        await hero.users.identities.add({ user, provider: 'forge', subject: '1 user=ada' }),
        await hero.users.networks.add({ user, network }),
        await hero.users.keys.add({ user, pubkey }),
      ]
      ids.push(...added.map(({ id }) => id))
      await hero.users.identities.remove({ user, id: ids[0]! })
      await hero.users.networks.remove({ user, id: ids[1]! })
      await hero.users.keys.remove({ user, id: ids[2]! })
      await refused(hero.users.keys.remove({ user, id: ids[2]! }), 'not_found')
      invited = (await hero.invitations.add({ email: 'joan@example.org' })).id
      await hero.users.update({
        username: user,
        email: 'hopper@example.org',
        is_admin: false,
        is_active: true,
      })
      await refused(
        grace.sessions.revoke({ id: (await hero.sessions.list({ user: 'ada' })).items[0]!.id }),
        'not_found',
      )
      await hero.sessions.revoke({ id: session })
    })
    const by = 'system (operator, socket):'
    const [identity, net, key] = ids
    assert.deepEqual(lines.toSpliced(-2, 1), [
      `${by} users.identities.add [user=grace provider=forge subject="1 user=ada"] ok`,
      `${by} users.networks.add [user=grace network=${network}] ok`,
      `${by} users.keys.add [user=grace pubkey=${pubkey}] ok`,
      `${by} users.identities.remove [user=grace provider=forge subject="1 user=ada" id=${identity}] ok`,
      `${by} users.networks.remove [user=grace network=${network} id=${net}] ok`,
      `${by} users.keys.remove [user=grace pubkey=${pubkey} id=${key}] ok`,
      `${by} users.keys.remove [user=grace id=${key}] not_found`,
      `${by} invitations.add [invitation=${invited} email=joan@example.org] ok`,
      `${by} users.update [username=grace is_active=true is_admin=false email] ok`,
      `${by} sessions.revoke [user=grace id=${session}] ok`,
    ])
    assert.match(lines.at(-2)!, /^grace .*: sessions\.revoke \[user=ada id=.*\] not_found$/)
    grace = await signedIn(daemon, 'grace')
  })

  test('refusals are recorded with their error', async () => {
    assert.deepEqual(
      await entriesOf(async () => {
        await refused(grace.users.remove({ username: 'ada' }), 'claim_required')
        await refused(ada.groups.remove({ group: 'nothing' }), 'not_found')
        await refused(ada.groups.add({ slug: 'Engineers' }), 'already_exists')
        await refused(ada.groups.remove({ group: 'admin' }), 'conflict')
      }),
      [
        'grace (user, socket): users.remove [username=ada] claim_required',
        'ada (user, socket): groups.remove [group=nothing] not_found',
        'ada (user, socket): groups.add [slug=Engineers] already_exists',
        'ada (user, socket): groups.remove [group=admin] conflict',
      ],
    )
  })

  test('sign-ins are recorded, failed ones with their account, and no other input', async () => {
    assert.deepEqual(
      await entriesOf(async () => {
        await signedIn(daemon, 'GRACE')
        await refused(daemon.hero.auth.login({ login: 'Grace', password: 'wrong wrong' }), 'unauthenticated')
        await refused(
          daemon.hero.auth.login({ login: 'my secret typed here', password: 'x' }),
          'unauthenticated',
        )
      }),
      [
        'system (operator, socket): auth.login [user=grace] ok',
        'system (operator, socket): auth.login [user=grace] unauthenticated',
        'system (operator, socket): auth.login [] unauthenticated',
      ],
    )
  })

  test('reads and invalid calls are not recorded', async () => {
    assert.deepEqual(
      await entriesOf(async () => {
        await ada.users.list({})
        await grace.auth.me()
        await refused(grace.users.list({}), 'claim_required')
        await refused(ada.users.add({ username: 'a,b' }), 'invalid_params')
        await refused(ada.call('users.nothing' as never), 'method_not_found')
      }),
      [],
    )
  })

  test('a refused call adds no long or unprintable text', async () => {
    const [entry] = await entriesOf(() =>
      refused(
        grace.call('users.add', { username: `x\0\r\n${'y'.repeat(100_000)}` } as never),
        'claim_required',
      ),
    )
    assert.ok(entry!.length < 400)
    assert.match(entry!, /^grace \(user, socket\): users\.add \[username=x\?\?\?y+\] claim_required$/)
  })

  test('a target cannot imitate another field or change when it is read back', async () => {
    for (const [username, shown] of [
      ['x user=root', '"x user=root"'],
      [`${'x'.repeat(259)}😀`, `${'x'.repeat(259)}?`],
      ['x\u202etoor', 'x?toor'],
      ['x\u2028', 'x?'],
    ] as const) {
      const [entry] = await entriesOf(() =>
        refused(grace.call('users.add', { username } as never), 'claim_required'),
      )
      assert.equal(entry, `grace (user, socket): users.add [username=${shown}] claim_required`)
    }
    assert.equal((await daemon.hero.audit.verify()).first_bad, null)
  })

  test('an invalid cursor or time is refused on each database', async () => {
    for (const text of ['1.5', 'Infinity', '0x10', 'x', '-1', '9'.repeat(30)])
      await refused(
        daemon.hero.audit.list({ cursor: Buffer.from(text).toString('base64url') }),
        'invalid_params',
      )
    for (const time of [1e300, 2 ** 63, 253402300800]) {
      await refused(daemon.hero.audit.list({ since: time }), 'invalid_params')
      await refused(
        daemon.hero.groups.add_member({ group: 'any', user: 'grace', expires_at: time }),
        'invalid_params',
      )
    }
  })

  test('a change without its audit entry is rolled back', async () => {
    await byHand(daemon, async ({ query, kind }) => {
      const { sql } = await import('kysely')
      if (kind === 'sqlite')
        await sql`create trigger full before insert on audit begin select raise(abort, 'full'); end`.execute(
          query,
        )
      else await sql`alter table audit add constraint full_now check (at < 0) not valid`.execute(query)
    })
    await refused(daemon.hero.groups.add({ slug: 'untold' }), 'internal_error')
    await refused(daemon.hero.users.update({ username: 'grace', is_active: false }), 'internal_error')
    await byHand(daemon, async ({ query, kind }) => {
      const { sql } = await import('kysely')
      if (kind === 'sqlite') await sql`drop trigger full`.execute(query)
      else await sql`alter table audit drop constraint full_now`.execute(query)
    })
    await refused(daemon.hero.groups.get({ group: 'untold' }), 'not_found')
    assert.ok((await daemon.hero.users.get({ username: 'grace' })).is_active)
    assert.ok(daemon.logged.some(({ msg }) => msg === 'a refusal could not be audited'))
    await daemon.hero.groups.add({ slug: 'untold' })
  })

  test('entries are listed newest first, in pages, by actor, method and time', async () => {
    const { hero } = daemon
    const all = (await hero.audit.list({ limit: 1000 })).items
    const ids = all.map(({ id }) => id)
    assert.deepEqual(ids, ids.toSorted().toReversed())
    const paged: string[] = []
    for (let cursor: string | undefined; ;) {
      const page = await hero.audit.list({ limit: 3, cursor })
      paged.push(...page.items.map(({ id }) => id))
      if (page.next_cursor === null) break
      cursor = page.next_cursor
    }
    assert.deepEqual(paged, ids)
    const by = async (filter: object) => (await hero.audit.list({ limit: 1000, ...filter })).items
    assert.deepEqual(
      await by({ actor: 'ada' }),
      all.filter(({ actor }) => actor === 'ada'),
    )
    assert.deepEqual(
      await by({ method: 'auth.login' }),
      all.filter(({ method }) => method === 'auth.login'),
    )
    assert.deepEqual(await by({ since: Math.floor(Date.now() / 1000) + 3600 }), [])
    await refused(hero.audit.list({ cursor: 'AA' }), 'invalid_params', 'cursor')
  })
})

describe('each method that writes', () => {
  let daemon: TestDaemon
  let grace: HeroProxy
  before(async () => {
    daemon = await startTestDaemon()
    await person(daemon, 'ada', { is_admin: true })
    grace = await person(daemon, 'grace')
  })
  after(() => daemon.close())
  /** Public methods and those about oneself have tests of their own. */
  const open = (name: string, claim: unknown) =>
    claim === null || (claim === 'self' && /^(auth|factors|requests)\./.test(name))

  for (const method of openrpc.methods.filter((method) => method['x-effect'] === 'write')) {
    if (open(method.name, method['x-required-claim'])) continue
    test(`${method.name}: a refused call of a person is recorded once, and one of a guest is not`, async () => {
      const params = { ...paramsOf(method.examples[0]!) }
      for (const key of ['user', 'username']) if (key in params) params[key] = 'ada'
      const count = async () =>
        (await daemon.hero.audit.list({ limit: 1000, method: method.name })).items.length
      const before = await count()
      await grace.call(method.name as never, params as never).catch(() => {})
      const [entry] = (await daemon.hero.audit.list({ limit: 1, method: method.name })).items
      assert.equal(await count(), before + 1)
      assert.equal(entry!.actor, 'grace')
      assert.match(entry!.outcome, /^(claim_required|not_found|unauthenticated)$/)
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: method.name, params })
      await fetch(`${daemon.origin.replace('127.0.0.1', 'localhost')}/rpc`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      assert.equal(await count(), before + 1)
    })
  }
})
