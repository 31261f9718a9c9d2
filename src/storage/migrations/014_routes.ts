import { sql, type Kysely } from 'kysely'

/** What else routes say: how people see them, where their host is, and what a browser may keep. */
export const up = async (db: Kysely<never>): Promise<void> => {
  const texts = { name: '', title: '', icon: '', description: '', origin: '', also: '[]' }
  for (const [column, value] of Object.entries(texts)) {
    await db.schema
      .alterTable('routes')
      .addColumn(column, 'text', (c) => c.notNull().defaultTo(value))
      .execute()
  }
  const flags = { listed: 1, sign_in_paths: 0, rpc: 0, shares_home: 0, confirm: 0, no_store: 0 }
  for (const [column, value] of Object.entries(flags)) {
    await db.schema
      .alterTable('routes')
      .addColumn(column, 'integer', (c) => c.notNull().defaultTo(value))
      .execute()
  }
  await sql`update routes set sign_in_paths = 1 where auth_mode in ('optional', 'oauth', 'local')`.execute(db)
  await nameRoutes(db)
  await sql`create unique index routes_name on routes (lower(name))`.execute(db)
}

/** Gives every route a name of its own, the oldest first. */
const nameRoutes = async (db: Kysely<never>): Promise<void> => {
  const { rows } = await sql<{ id: string; domain: string; path_prefix: string }>`
    select id, domain, path_prefix from routes order by id`.execute(db)
  const taken = new Set<string>()
  for (const { id, domain, path_prefix } of rows) {
    const base = slugOf(`${domain.replace(/^\*/, 'any')}${path_prefix}`)
    let name = base
    for (let i = 2; taken.has(name); i++) name = `${base.slice(0, 62 - String(i).length)}-${i}`
    taken.add(name)
    await sql`update routes set name = ${name} where id = ${id}`.execute(db)
  }
}

const slugOf = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, 63)
    .replace(/-$/, '') || 'route'
