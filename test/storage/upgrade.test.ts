import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { Pool } from 'pg'
import { OneTimeTokens } from '../../src/auth/one_time_tokens.ts'
import { Attempts } from '../../src/attempts/attempts.ts'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { migrate, migrations } from '../../src/storage/migrate.ts'
import type { Schema } from '../../src/storage/schema.ts'
import { openSqlite } from '../../src/storage/sqlite.ts'
import { onBothDatabases } from '../support/databases.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

/** The last migration of the previous version. */
const last = '011_growth'
const at = 1_795_435_200
const live = 4_000_000_000

type Value = string | number | null
type Row = Record<string, Value>
type Rows = Record<string, Row[]>

/** The table that a column refers to; these tables are filled first. */
const parents: Readonly<Record<string, string>> = {
  user_id: 'users',
  impersonated_user_id: 'users',
  group_id: 'groups',
  member_group_id: 'groups',
  role_id: 'roles',
  service_id: 'services',
  client_id: 'clients',
  provider_id: 'providers',
  identity_id: 'user_identities',
  session_id: 'sessions',
}
/** The migrations up to one of them. */
const until = (name: string) =>
  Object.fromEntries(Object.entries(migrations).filter(([step]) => step <= name))
const first = [...new Set(Object.values(parents))]

const sha256 = (text: string) => hash('sha256', text, 'hex')
const oneTime = { user_id: 'users 0', address: '', created_at: at, expires_at: live }
const vouched = { provider: 'forge', identity_id: 'user_identities 0', proven_at: at }
const mail = { kind: 'verify', created_at: at, due_at: at, tries: 0, last_error: '' }
const counted = { full_until: live, failures: 3, seen_at: at }
const [guessed, unknown] = ['\u0001client wiki 192.0.2.7', 'somebody'].map((login) => `name ${sha256(login)}`)

/** Rows of each kind, for tables that hold several kinds. */
const kinds: Rows = {
  one_time_tokens: [
    { ...oneTime, token_hash: 'a', purpose: 'setup', user_id: null },
    { ...oneTime, token_hash: 'b', purpose: 'invite', user_id: null, address: 'ada@example.org' },
    { ...oneTime, token_hash: 'c', purpose: 'reset', address: 'ada@example.org' },
    { ...oneTime, token_hash: 'd', purpose: 'after_password' },
    { ...oneTime, token_hash: 'e', purpose: 'spent_challenge', user_id: null },
    {
      ...oneTime,
      token_hash: sha256('everywhere'),
      purpose: 'after_provider',
      address: JSON.stringify({ ...vouched, at_provider: { sid: '', id_token: '' } }),
    },
    {
      ...oneTime,
      token_hash: sha256('at one host'),
      purpose: 'after_provider',
      address: JSON.stringify({
        ...vouched,
        at_provider: { sid: 'there', id_token: 'sealed' },
        only_at: 'wiki.localhost',
      }),
    },
  ],
  mails: [
    { ...mail, id: 'waiting', address: 'a@example.org', values_sealed: 'sealed', gave_up_at: null },
    { ...mail, id: 'sent', address: 'b@example.org', values_sealed: '', gave_up_at: 0 },
    { ...mail, id: 'decoy', address: 'c@example.org', values_sealed: 'sealed', gave_up_at: 0 },
    { ...mail, id: 'given_up', address: 'd@example.org', values_sealed: '', gave_up_at: at },
  ],
  attempts: [
    'user 1',
    'factor 1',
    'place 1 192.0.2.7',
    'network 192.0.2.7',
    'device 192.0.2.7',
    guessed!,
    unknown!,
  ].map((key) => ({ key, ...counted })),
  revoked_tokens: ['0193-jti', 'all of users 0', 'all of service.wiki'].map((jti) => ({
    jti,
    expires_at: live,
  })),
  clients: [{ client: 'wiki' }, {}],
  sessions: [
    { only_at: '' },
    { only_at: '' },
    { id: 'bound', token_hash: 'bound', only_at: 'wiki.localhost', impersonated_user_id: null },
  ],
  tokens: [{ service_id: null }, { service_id: 'services 1' }],
}

/** Attributes that every instance has. */
const standardAttributes: Row[] = [
  ['given_name', ''],
  ['family_name', ''],
  ['locale', '[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}'],
  ['zoneinfo', '[A-Za-z0-9_+/-]{1,64}'],
].map(([name, pattern], i) => ({
  id: `01932d1c-7a5e-7c41-9f3a-5f1d2c3b5a0${i + 1}`,
  name: name!,
  type: 'text',
  source: 'person',
  allowed_values: '[]',
  pattern: pattern!,
  is_unique: 0,
  scope: 'profile',
  created_at: 0,
  updated_at: 0,
}))

const without = (rows: Row[], ...columns: string[]): Row[] =>
  rows.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => !columns.includes(column))))

/** The rows after all migrations; other rows are unchanged. What was bound to another host than home has ended. */
const upgraded = (old: Rows): Rows => {
  const sessions = old.sessions!.filter(({ id }) => id !== 'bound')
  const tokens = old.one_time_tokens!.filter(({ token_hash }) => token_hash !== sha256('at one host'))
  return {
    ...old,
    one_time_tokens: tokens
      .filter(({ purpose }) => purpose !== 'spent_challenge' && purpose !== 'invite')
      .map((row) => ({
        ...row,
        ...(row.purpose === 'after_provider' && { address: '' }),
        browser: '',
        wanted: '',
        remember: 0,
        code_hash: '',
        code_browser: '',
        code_until: 0,
        code_tries: 0,
      })),
    spent_challenges: [{ challenge_hash: 'e', expires_at: live }],
    revoked_tokens: old.revoked_tokens!.filter(({ jti }) => jti === '0193-jti'),
    revoked_subjects: ['users 0', 'service.wiki'].map((subject) => ({ subject, expires_at: live })),
    provider_proofs: [
      { ...vouched, provider_sid: '', provider_id_token: '', token_hash: sha256('everywhere') },
    ],
    provider_flows: without(old.provider_flows!, 'host'),
    sessions: without(sessions, 'only_at', 'provider_sid', 'provider_id_token').map((row) => ({
      ...row,
      impersonated_services: '[]',
      home: '',
      // Each row has used a second factor.
      second_at: row.proven_at!,
      passkey_at: 0,
      mailed_at: 0,
      link_at: 0,
      proofs: 1,
      remembered: 0,
      by_trust: 0,
    })),
    confirmed_hosts: [],
    known_devices: [],
    trusted_browsers: [],
    trusted_values: [],
    oidc_records: old.oidc_records!.map((row) => ({ ...row, written_at: 0 })),
    vouchings: sessions.map(({ id, provider, provider_sid, provider_id_token, created_at }) => ({
      session_id: id!,
      provider: provider!,
      identity_id: '',
      provider_sid: provider_sid!,
      id_token: provider_id_token!,
      vouched_at: created_at!,
    })),
    received_claims: [],
    child_sessions: [],
    arrival_codes: [],
    left_hosts: [],
    mails: old.mails!.map((row) => ({
      ...row,
      state: row.id!,
      gave_up_at: row.gave_up_at || null,
      asked_from: '',
    })),
    user_identities: old.user_identities!.map((row) => ({ ...row, email: '' })),
    passkeys: old.passkeys!.map((row) => ({ ...row, verifies_user: 1, rp_id: '' })),
    passkey_codes: [],
    reserved_names: [],
    // Nobody has confirmed the account of the second row.
    credentials: old.credentials!.filter(({ user_id }) => user_id !== 'users 1'),
    attempts: old.attempts!.map((row) =>
      row.key === guessed ? { ...row, key: 'client wiki 192.0.2.7' } : row,
    ),
    clients: old.clients!.map((row) => ({
      ...row,
      introspects: '[]',
      start_url: '',
      required_claims: '[]',
      proof: 'any',
      proof_age: null,
      session_max: null,
      claim_map: '{}',
      icon: '',
      ask_group: '',
    })),
    users: old.users!.map((row) => ({
      ...row,
      ends_at: null,
      end_stage: 0,
      awaits_approval: 0,
      address_since: 0,
    })),
    groups: old.groups!.map((row) => ({ ...row, proof: 'any' })),
    attributes: standardAttributes,
    user_attributes: [],
    pictures: [],
    icons: [],
    closed_accounts: [],
    access_requests: [],
    access_request_mails: [],
    elsewhere_requests: [],
    invitations: [
      {
        id: '00000000-0000-7000-8000-000000000000',
        token_hash: 'b',
        email: 'ada@example.org',
        display_name: '',
        ends_at: null,
        uses: 1,
        used: 0,
        approve: 0,
        made_by: null,
        made_by_kind: 'operator',
        made_by_name: '',
        created_at: at,
        expires_at: live,
        revoked_at: null,
      },
    ],
    recovery_links: [],
    invitation_groups: [],
    registrations: [],
    providers: old.providers!.map((row) => ({
      ...row,
      email_trusted: 0,
      response_mode: 'query',
      key_sealed: '',
      internal_urls: '[]',
      default_groups: '[]',
      second_factor_values: '[]',
      pictures: 0,
    })),
    routes: old.routes!.map((row, i) => ({
      ...row,
      name: `routes-domain-${i}routes-path-prefix-${i}`,
      title: '',
      icon: '',
      description: '',
      listed: 1,
      origin: '',
      also: '[]',
      sign_in_paths: 0,
      rpc: 0,
      shares_home: 0,
      confirm: 0,
      no_store: 0,
      webfinger: 0,
      proof: 'any',
      proof_age: null,
      ask_group: '',
    })),
  }
}

onBothDatabases('upgrading a database with rows in each table', (newUrl, kind) => {
  let url: string
  let old: Rows
  let database: Database

  const bare = (of = url) =>
    new Kysely<Schema>({
      dialect:
        kind === 'sqlite'
          ? openSqlite(of.slice('sqlite:'.length)).dialect
          : new PostgresDialect({ pool: new Pool({ connectionString: of }) }),
    })

  const tablesOf = async (kysely: Kysely<Schema>) =>
    (await kysely.introspection.getTables()).filter(({ name }) => !name.startsWith('schema_migrations'))

  const everything = async (kysely: Kysely<Schema>): Promise<Rows> => {
    const found: Rows = {}
    for (const { name } of await tablesOf(kysely)) {
      const { rows } = await sql<Row>`select * from ${sql.table(name)}`.execute(kysely)
      // The PostgreSQL driver returns big integers as text.
      const number = (value: Value) =>
        typeof value === 'string' && /^\d{10}$|^\d$/.test(value) ? Number(value) : value
      found[name] = rows.map((row) =>
        Object.fromEntries(Object.entries(row).map(([column, value]) => [column, number(value)])),
      )
    }
    return found
  }

  /** Inserts two rows into each table: one with all columns set, and one with null where allowed. */
  const fill = async (kysely: Kysely<Schema>) => {
    const tables = await tablesOf(kysely)
    const place = ({ name }: { name: string }) => (first.includes(name) ? first.indexOf(name) : first.length)
    for (const { name, columns } of tables.toSorted((a, b) => place(a) - place(b))) {
      const valueOf = (column: (typeof columns)[number], i: number): Value => {
        const parent = parents[column.name]
        if (column.name === 'id') return `${name} ${i}`
        if (column.isNullable && !column.isAutoIncrementing && i === 1 && !/text/i.test(column.dataType))
          return null
        if (parent !== undefined) return `${parent} ${column.name === 'member_group_id' ? 1 - i : i}`
        if (/text/i.test(column.dataType)) return `${name}.${column.name} ${i}`
        return /big|int8/i.test(column.dataType) ? at + i : i
      }
      for (const [i, given] of (kinds[name] ?? [{}, {}]).entries()) {
        const row = Object.fromEntries(
          columns.map((column) => [column.name, valueOf(column, Math.min(i, 1))]),
        )
        await sql`insert into ${sql.table(name)} (${sql.join(Object.keys(row).map((column) => sql.ref(column)))})
          values (${sql.join(Object.values({ ...row, ...given }))})`.execute(kysely)
      }
    }
  }

  before(async () => {
    url = newUrl('empty')
    const kysely = bare()
    await migrate(kysely, until(last))
    await fill(kysely)
    old = await everything(kysely)
    await kysely.destroy()
    database = await openDatabase(url, createLog('silent'))
  })
  after(() => database.close())

  test('no row is lost or changed beyond the migration', async () => {
    const kysely = bare()
    const now = await everything(kysely)
    await kysely.destroy()
    const sorted = (rows: Rows) =>
      Object.fromEntries(
        Object.entries(rows).map(([table, of]) => [
          table,
          of.map((row) => JSON.stringify(Object.entries(row).sort())).sort(),
        ]),
      )
    for (const [table, rows] of Object.entries(old))
      assert.ok(rows.length >= 2, `${table} has fewer than two rows`)
    assert.deepEqual(sorted(now), sorted(upgraded(old)))
  })

  test('a provider proof survives the upgrade, and ends with its token', async () => {
    const links = new OneTimeTokens(database)
    assert.deepEqual(await links.providerProof('everywhere'), {
      ...vouched,
      at_provider: { sid: '', id_token: '' },
    })
    assert.equal(await links.providerProof('at one host'), undefined)
    await database.write(() => links.use('everywhere', 'after_provider'))
    assert.equal(await links.providerProof('everywhere'), undefined)
  })

  test('hosts that people left or agreed to are kept once, whatever their port', async () => {
    const other = bare(newUrl('empty'))
    await migrate(other, until(last))
    await fill(other)
    await migrate(other, until('015_vouchings'))
    for (const [table, key, value] of [
      ['left_hosts', 'parent_id', 'sessions 0'],
      ['confirmed_hosts', 'user_id', 'users 0'],
    ] as const) {
      await sql`delete from ${sql.table(table)}`.execute(other)
      for (const origin of [
        'https://wiki.example.org',
        'https://wiki.example.org:8443',
        'http://files.example.org',
      ])
        await sql`insert into ${sql.table(table)} (${sql.ref(key)}, origin) values (${value}, ${origin})`.execute(
          other,
        )
    }
    await migrate(other)
    for (const table of ['left_hosts', 'confirmed_hosts'] as const) {
      const rows = await other.selectFrom(table).select('host').orderBy('host').execute()
      assert.deepEqual(rows, [{ host: 'files.example.org' }, { host: 'wiki.example.org' }])
    }
    await other.destroy()
  })

  test('failed attempts with a client secret still count after the upgrade', async () => {
    const attempts = new Attempts(database)
    await assert.rejects(attempts.count({ client: 'wiki' }, '192.0.2.7'), /Too many attempts/)
  })
})
