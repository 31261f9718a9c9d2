import { sql } from 'kysely'
import type { HeroProxy } from '../../sdk/index.ts'
import { sealOf } from '../../src/audit/chain.ts'
import { ChainAnchors, origin } from '../../src/audit/chain_anchors.ts'
import type { Config } from '../../src/config/config.ts'
import { createLog } from '../../src/log/log.ts'
import { readMasterSecret } from '../../src/start/master_secret.ts'
import type { Database } from '../../src/storage/database.ts'
import { newId, now } from '../../src/storage/ids.ts'
import { Seal } from '../../src/secrets/seal.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

export interface Size {
  readonly people: number
  readonly groups: number
  readonly audit: number
}

/** The id of the row with this number, as UUID version 7 in either database; `kind` keeps tables apart. */
const idOf = (database: Database, kind: string, number: string) =>
  database.kind === 'sqlite'
    ? `'0193${kind}000-0000-7000-8000-' || printf('%012x', ${number})`
    : `'0193${kind}000-0000-7000-8000-' || lpad(to_hex(${number}), 12, '0')`

/** How many groups hold an equal share of all users: a call that removes such a group can be made this often. */
export const crowds = 5
/** The length of the chains in which groups are nested. */
const depth = 10

/**
 * Fills a large instance by raw statements: groups in chains of ten, each with a claim; every user in one of the innermost, and all in one
 * group; a session for every tenth user; a valid audit chain, with one rare actor at its beginning.
 */
export const fill = async (config: Config, { people, groups, audit }: Size): Promise<void> => {
  const database = await openDatabase(config.database_url, createLog('silent'))
  const id = (kind: string, number: string) => idOf(database, kind, number)
  const pad = (number: string, digits: number) =>
    database.kind === 'sqlite'
      ? `printf('%0${digits}d', ${number})`
      : `lpad((${number})::text, ${digits}, '0')`
  const make = (count: number, insert: string) =>
    sql
      .raw(`with recursive n(i) as (select 0 union all select i + 1 from n where i < ${count - 1}) ${insert}`)
      .execute(database.query)
  await database.write(async () => {
    await make(
      people,
      `insert into users (id, username, display_name, email, email_verified_at, external_id, is_active, is_admin, has_factor, context, created_at, updated_at) select ${id('a', 'i')}, 'person' || ${pad('i', 7)}, 'Person ' || i || ' of the town', 'person' || ${pad('i', 7)} || '@example.org', 1, null, 1, 0, 0, 1, 1, 1 from n`,
    )
    await make(
      groups,
      `insert into groups (id, slug, name, description, is_active, created_at, updated_at) select ${id('b', 'i')}, 'group' || ${pad('i', 6)}, 'Group ' || i, '', 1, 1, 1 from n`,
    )
    await make(
      groups,
      `insert into group_claims (group_id, claim, service, context) select ${id('b', 'i')}, 'app.group' || i || '.read', '', null from n`,
    )
    await make(
      groups,
      `insert into group_groups (group_id, member_group_id, expires_at, added_at) select ${id('b', 'i + 1')}, ${id('b', 'i')}, null, 1 from n where i % ${depth} < ${depth - 1} and i + 1 < ${groups}`,
    )
    const inner = `(i % ${Math.ceil(groups / depth)}) * ${depth}`
    await make(
      people,
      `insert into group_users (group_id, user_id, expires_at, added_at) select ${id('b', inner)}, ${id('a', 'i')}, null, 1 from n`,
    )
    const everybody = newId()
    await sql`insert into groups (id, slug, name, description, is_active, created_at, updated_at) values (${everybody}, 'everybody', 'Everybody', '', 1, 1, 1)`.execute(
      database.query,
    )
    await make(
      people,
      `insert into group_users (group_id, user_id, expires_at, added_at) select '${everybody}', ${id('a', 'i')}, null, 1 from n`,
    )
    for (let crowd = 0; crowd < crowds; crowd++) {
      const group = newId()
      await sql`insert into groups (id, slug, name, description, is_active, created_at, updated_at) values (${group}, ${`crowd${crowd}`}, '', '', 1, 1, 1)`.execute(
        database.query,
      )
      await make(
        people,
        `insert into group_users (group_id, user_id, expires_at, added_at) select '${group}', ${id('a', 'i')}, null, 1 from n where i % ${crowds} = ${crowd}`,
      )
    }
    await make(
      Math.ceil(people / 10),
      `insert into sessions (id, user_id, token_hash, kind, provider, address, user_agent, created_at, expires_at, proven_at, last_used_at) select ${id('c', 'i')}, ${id('a', 'i * 10')}, ${id('d', 'i')}, 'cookie', 'password', '', '', 1, ${now() + 86_400}, ${now()}, ${now()} from n`,
    )
    database.changed('users')
    database.changed('groups')
  })
  await fillAudit(database, new Seal(readMasterSecret(config)).derive('audit chain'), audit)
  await database.close()
}

const fillAudit = async (database: Database, key: Buffer, count: number) => {
  let end = origin
  const entry = (seq: number) => ({
    id: newId(),
    seq,
    at: now(),
    actor: seq === 3 ? 'rare' : `person${String(seq % 1000).padStart(7, '0')}`,
    on_behalf: '',
    caller: 'user',
    via: 'socket',
    uid: null,
    pid: null,
    address: '192.0.2.7',
    method: seq === 4 ? 'keys.rotate' : 'groups.add_member',
    target: `group=group${seq} user=person${seq}`,
    outcome: seq === 5 ? 'conflict' : 'ok',
  })
  while (end.seq < count) {
    await database.write(async () => {
      for (let part = 0; part < 100 && end.seq < count; part++) {
        const rows = []
        for (let i = 0; i < 200 && end.seq < count; i++) {
          const row = entry(end.seq + 1)
          const seal = sealOf(key, row, end.seal)
          rows.push({ ...row, seal })
          end = { seq: row.seq, seal }
        }
        await database.query.insertInto('audit').values(rows).execute()
      }
      await new ChainAnchors(database, key).write('audit_head', end)
    })
  }
}

/** Calls that could read or change much, by name; each may be made several times, with another `i`. */
export const largeCalls = (hero: HeroProxy): Readonly<Record<string, (i: number) => Promise<unknown>>> => {
  const person = (i: number) => `person${String(i + 17).padStart(7, '0')}`
  const group = (i: number) => `group${String(i * 10).padStart(6, '0')}`
  return {
    'users.list': () => hero.users.list({}),
    'users.list, administrators': () => hero.users.list({ is_admin: true }),
    'users.list, inactive': () => hero.users.list({ is_active: false }),
    'users.list, search for one': () => hero.users.list({ search: 'Person 4321 of' }),
    'users.list, search for nobody': () => hero.users.list({ search: 'xyzzy' }),
    'users.list, search for all': () => hero.users.list({ search: 'the town' }),
    'users.list, search for two letters': () => hero.users.list({ search: 'xy' }),
    'users.get': (i) => hero.users.get({ email: `${person(i)}@example.org` }),
    'users.add': (i) => hero.users.add({ username: `new${i}` }),
    'users.update': (i) => hero.users.update({ username: person(i), display_name: 'Somebody' }),
    'users.update, inactive': (i) => hero.users.update({ username: person(i), is_active: false }),
    'users.remove': (i) => hero.users.remove({ username: person(i) }),
    'groups.list, search for one': () => hero.groups.list({ search: 'Group 432' }),
    'groups.list, search for none': () => hero.groups.list({ search: 'xyzzy' }),
    'groups.members, of all': () => hero.groups.members({ group: 'everybody' }),
    'groups.members, nested': () => hero.groups.members({ group: 'group000009' }),
    'groups.add_member': (i) => hero.groups.add_member({ group: 'everybody', user: `new${i}` }),
    'groups.add_member, a group': (i) =>
      hero.groups.add_member({ group: 'everybody', member_group: group(i) }),
    'groups.remove_member': (i) => hero.groups.remove_member({ group: 'everybody', member_group: group(i) }),
    'groups.add_claim': (i) => hero.groups.add_claim({ group: 'everybody', claim: `town.new${i}` }),
    'groups.update': (i) => hero.groups.update({ group: group(i), name: 'Another' }),
    'groups.remove': (i) => hero.groups.remove({ group: group(i + 20) }),
    'claims.resolve': (i) => hero.claims.resolve({ user: `person${String(i + 200).padStart(7, '0')}` }),
    'claims.check': (i) =>
      hero.claims.check({
        user: `person${String(i + 300).padStart(7, '0')}`,
        rule: ['app.group40.*', 'no.such'],
      }),
    'groups.remove, with a fifth of all': (i) => hero.groups.remove({ group: `crowd${i}` }),
    'sessions.list': () => hero.sessions.list({ user: 'person0000500' }),
    'audit.list': () => hero.audit.list({}),
    'audit.list, a rare actor': () => hero.audit.list({ actor: 'rare' }),
    'audit.list, a rare method': () => hero.audit.list({ method: 'keys.rotate' }),
    'audit.list, a rare outcome': () => hero.audit.list({ outcome: 'conflict' }),
    'audit.list, long ago': () => hero.audit.list({ until: 1000 }),
    'audit.verify': () => hero.audit.verify(),
  }
}
