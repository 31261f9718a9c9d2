// Resolving the claims of users in a large instance: warm (cached), cold (after a change), and by the number of groups.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Claims } from '../src/claims/claims.ts'
import { createLog } from '../src/log/log.ts'
import type { Database } from '../src/storage/database.ts'
import { newId } from '../src/storage/ids.ts'
import { figures, heading, table } from './report.ts'
import { openDatabase } from '../src/storage/open_database.ts'

const depth = 10
const users = 10_000
const times = { created_at: 1, updated_at: 1 }

const inChunks = async <T>(rows: readonly T[], insert: (chunk: T[]) => Promise<unknown>) => {
  for (let i = 0; i < rows.length; i += 500) await insert(rows.slice(i, i + 500))
}

/** Chains of ten groups, each in the next, a claim on every group; every person in one of the innermost. */
const fill = (database: Database, count: number): Promise<string[]> =>
  database.write(async () => {
    const { query } = database
    const groups = Array.from({ length: count }, (_, i) => ({
      id: newId(),
      slug: `g${i}`,
      name: '',
      description: '',
      is_active: 1 as const,
      proof: 'any' as const,
      ...times,
    }))
    await inChunks(groups, (chunk) => query.insertInto('groups').values(chunk).execute())
    const scope = { service: '', context: null }
    const claims = groups.map(({ id, slug }) => ({ group_id: id, claim: `app.${slug}`, ...scope }))
    await inChunks(claims, (chunk) => query.insertInto('group_claims').values(chunk).execute())
    const edges = groups.flatMap(({ id }, i) =>
      i % depth === depth - 1
        ? []
        : [{ group_id: groups[i + 1]!.id, member_group_id: id, expires_at: null, added_at: 1 }],
    )
    await inChunks(edges, (chunk) => query.insertInto('group_groups').values(chunk).execute())
    const people = Array.from({ length: users }, (_, i) => ({
      id: newId(),
      username: `u${i}`,
      display_name: '',
      email: null,
      email_verified_at: null,
      external_id: null,
      is_active: 1 as const,
      proof: 'any' as const,
      is_admin: 0 as const,
      has_factor: 0 as const,
      context: 1,
      ...times,
    }))
    await inChunks(people, (chunk) => query.insertInto('users').values(chunk).execute())
    const members = people.map(({ id }, i) => ({
      group_id: groups[(i % (count / depth)) * depth]!.id,
      user_id: id,
      expires_at: null,
      added_at: 1,
    }))
    await inChunks(members, (chunk) => query.insertInto('group_users').values(chunk).execute())
    database.changed('groups')
    database.changed('users')
    return people.map(({ id }) => id)
  })

const microseconds = async (times: number, work: (i: number) => unknown) => {
  const begin = performance.now()
  for (let i = 0; i < times; i++) await work(i)
  return ((performance.now() - begin) * 1000) / times
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!

const measure = async (groups: number) => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-bench-'))
  const database = await openDatabase(`sqlite:${join(dir, 'bench.db')}`, createLog('silent'))
  try {
    const people = await fill(database, groups)
    const claims = new Claims(database, async () => ({ factor: false, age: 86_400 }))
    const graph = await microseconds(1, () => claims.of(people[0]!))
    const cold = await microseconds(users - 1, (i) => claims.of(people[i + 1]!))
    const rounds: number[] = []
    for (let round = 0; round < 7; round++)
      rounds.push(await microseconds(users, (i) => claims.of(people[i]!)))
    // After a change of a user, the graph stays cached and the results are computed again.
    await database.write(async () => database.changed('users'))
    const afterUser = await microseconds(users, (i) => claims.of(people[i]!))
    return { groups, graph, cold, warm: median(rounds), afterUser }
  } finally {
    await database.close()
    rmSync(dir, { recursive: true })
  }
}

heading(`Claims of ${users} people in groups nested ${depth} deep, SQLite, microseconds`, {})
const results = []
for (const groups of [1_000, 10_000, 100_000]) results.push(await measure(groups))
table([
  ['groups', 'read all groups', 'cold', 'warm', "after a user's change"],
  ...results.map(({ groups, graph, cold, warm, afterUser }) => [
    groups.toLocaleString('en'),
    ...[graph, cold, warm, afterUser].map((value) => value.toFixed(1)),
  ]),
])
const [thousand, , most] = results
figures('claims', {
  warm_us: thousand!.warm,
  cold_us: thousand!.cold,
  graph_ms: thousand!.graph / 1000,
  warm_us_100000_groups: most!.warm,
  cold_us_100000_groups: most!.cold,
  graph_ms_100000_groups: most!.graph / 1000,
})
