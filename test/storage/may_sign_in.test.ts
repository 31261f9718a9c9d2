import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Sqlite from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { now } from '../../src/storage/ids.ts'
import { maySignIn, maySignInSql } from '../../src/storage/schema.ts'

const root = join(import.meta.dirname, '../..')

const field = 'the account field as it is listed, shown and set'
const group = 'the field of groups'
const client = 'the field of clients'

/** The number of lines in each file that name `is_active`, and why they do not use `maySignIn`. */
const allowedLines: Readonly<Record<string, readonly [lines: number, reason: string]>> = {
  'src/app/ask_group_faults.ts': [1, group],
  'src/asking/access_requests.ts': [1, group],
  'src/auth/closing.ts': [3, 'turns an account off and on, and finds those that are due'],
  'src/auth/personal_data.ts': [2, field],
  'src/auth/email_flows.ts': [
    3,
    'a mailed link confirms the address, so it must work before that; nobody is signed in without maySignIn',
  ],
  'src/auth/refused_sign_in.ts': [4, 'why somebody who has proved who they are is refused'],
  'src/auth/sign_up/registration.ts': [
    1,
    'a link opens an account that is not confirmed yet, but never one that is deactivated',
  ],
  'src/claims/claims.ts': [1, 'whether maySignIn holds for the person'],
  'src/claims/graph.ts': [1, group],
  'src/claims/who_grants.ts': [3, group],
  'src/claims/membership.ts': [2, 'a member who does not exist, and groups'],
  'src/claims/nodes.ts': [3, group],
  'src/claims/resolve.ts': [4, 'whether maySignIn holds for the person, and the field of groups'],
  'src/clients/client.ts': [1, client],
  'src/clients/clients.ts': [2, client],
  'src/clients/client_row.ts': [4, client],
  'src/clients/methods.ts': [2, client],
  'src/edge/route_test/reasons.ts': [1, 'reports which half of maySignIn fails'],
  'src/groups/examples.ts': [1, group],
  'src/groups/group.ts': [2, group],
  'src/groups/groups.ts': [7, group],
  'src/groups/methods.ts': [3, group],
  'src/groups/nesting.ts': [2, group],
  'src/storage/tables/clients.ts': [1, client],
  'src/storage/tables/groups.ts': [1, group],
  'src/storage/tables/users.ts': [5, 'the column, and maySignIn itself'],
  'src/users/examples.ts': [2, field],
  'src/users/person.ts': [1, 'a row that maySignIn takes'],
  'src/users/methods.ts': [4, field],
  'src/users/user.ts': [3, field],
  'src/users/users.ts': [7, field],
}

test('code that checks whether a person may sign in uses maySignIn', () => {
  const found: Record<string, number> = {}
  for (const file of globSync('src/**/*.ts', { cwd: root, exclude: ['src/storage/migrations/**'] })) {
    const lines = readFileSync(join(root, file), 'utf8').split('\n')
    const naming = lines.filter((line) => /\bis_active\b/.test(line)).length
    if (naming > 0) found[file] = naming
  }
  assert.deepEqual(
    found,
    Object.fromEntries(Object.entries(allowedLines).map(([file, [lines]]) => [file, lines])),
  )
})

test('the predicate and the SQL condition agree, with a table alias as well', async () => {
  const kysely = new Kysely<{ users: { id: number } }>({
    dialect: new SqliteDialect({ database: new Sqlite(':memory:') }),
  })
  await kysely.schema
    .createTable('users')
    .addColumn('id', 'integer')
    .addColumn('is_active', 'integer')
    .addColumn('email', 'text')
    .addColumn('email_verified_at', 'bigint')
    .addColumn('awaits_approval', 'integer')
    .addColumn('ends_at', 'bigint')
    .execute()
  const people = ([0, 1] as const).flatMap((is_active) =>
    [null, 'ada@example.org'].flatMap((email) =>
      [null, 1].flatMap((email_verified_at) =>
        ([0, 1] as const).flatMap((awaits_approval) =>
          [null, now() - 60, now() + 60].map((ends_at) => ({
            is_active,
            email,
            email_verified_at,
            awaits_approval,
            ends_at,
          })),
        ),
      ),
    ),
  )
  const rows = people.map((person, id) => ({ id, ...person }))
  await kysely.insertInto('users').values(rows).execute()
  const allowed = rows.filter((row) => maySignIn(row)).map(({ id }) => id)
  assert.deepEqual(
    allowed.map((id) => people[id]),
    [
      { email: null, email_verified_at: null },
      { email: null, email_verified_at: 1 },
      { email: 'ada@example.org', email_verified_at: 1 },
    ].flatMap((address) =>
      [null, people.at(-1)!.ends_at].map((ends_at) => ({
        is_active: 1,
        ...address,
        awaits_approval: 0,
        ends_at,
      })),
    ),
  )
  const named = kysely.selectFrom('users').select('id').where(maySignInSql()).orderBy('id')
  const aliased = kysely.selectFrom('users as other').select('id').where(maySignInSql('other')).orderBy('id')
  for (const query of [named, aliased])
    assert.deepEqual(
      (await query.execute()).map(({ id }) => id),
      allowed,
    )
  await kysely.destroy()
})
