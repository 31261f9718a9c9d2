import { sql, type Kysely } from 'kysely'
import { newId, now } from '../ids.ts'

const subjects = ['users', 'groups', 'sessions', 'routes', 'settings']

const adminClaims = [
  'proxy.users.read',
  'proxy.users.write',
  'proxy.groups.read',
  'proxy.groups.write',
  'proxy.roles.read',
  'proxy.roles.write',
  'proxy.oauth.read',
  'proxy.oauth.write',
  'proxy.audit.read',
  'proxy.impersonate',
  'proxy.admin',
]

export const up = async (db: Kysely<never>): Promise<void> => {
  const { schema } = db

  await schema
    .createTable('users')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('username', 'text', (c) => c.notNull())
    .addColumn('display_name', 'text', (c) => c.notNull())
    .addColumn('email', 'text')
    .addColumn('email_verified_at', 'bigint')
    .addColumn('external_id', 'text')
    .addColumn('is_active', 'integer', (c) => c.notNull())
    .addColumn('is_admin', 'integer', (c) => c.notNull())
    .addColumn('context', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema
    .createIndex('users_username')
    .on('users')
    .unique()
    .expression(sql`lower(username)`)
    .execute()
  await schema
    .createIndex('users_email')
    .on('users')
    .unique()
    .expression(sql`lower(email)`)
    .execute()
  await schema.createIndex('users_external_id').on('users').unique().column('external_id').execute()

  await schema
    .createTable('removed_usernames')
    .addColumn('username', 'text', (c) => c.primaryKey())
    .addColumn('removed_at', 'bigint', (c) => c.notNull())
    .execute()

  await schema
    .createTable('groups')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('slug', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('is_active', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema
    .createIndex('groups_slug')
    .on('groups')
    .unique()
    .expression(sql`lower(slug)`)
    .execute()

  await schema
    .createTable('group_users')
    .addColumn('group_id', 'text', (c) => c.notNull().references('groups.id').onDelete('cascade'))
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('expires_at', 'bigint')
    .addColumn('added_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('group_users_key', ['group_id', 'user_id'])
    .execute()
  await schema.createIndex('group_users_user').on('group_users').column('user_id').execute()

  await schema
    .createTable('group_groups')
    .addColumn('group_id', 'text', (c) => c.notNull().references('groups.id').onDelete('cascade'))
    .addColumn('member_group_id', 'text', (c) => c.notNull().references('groups.id').onDelete('cascade'))
    .addColumn('expires_at', 'bigint')
    .addColumn('added_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('group_groups_key', ['group_id', 'member_group_id'])
    .execute()
  await schema.createIndex('group_groups_member').on('group_groups').column('member_group_id').execute()

  await schema
    .createTable('roles')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema
    .createIndex('roles_name')
    .on('roles')
    .unique()
    .expression(sql`lower(name)`)
    .execute()

  // A grant is unique within its scope; null is no scope, and null never equals null in a unique index.
  await schema
    .createTable('group_roles')
    .addColumn('group_id', 'text', (c) => c.notNull().references('groups.id').onDelete('cascade'))
    .addColumn('role_id', 'text', (c) => c.notNull().references('roles.id').onDelete('cascade'))
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('context', 'integer')
    .execute()
  await sql`create unique index group_roles_key on group_roles (group_id, role_id, service, coalesce(context, -1))`.execute(
    db,
  )
  await schema
    .createTable('group_claims')
    .addColumn('group_id', 'text', (c) => c.notNull().references('groups.id').onDelete('cascade'))
    .addColumn('claim', 'text', (c) => c.notNull())
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('context', 'integer')
    .execute()
  await sql`create unique index group_claims_key on group_claims (group_id, claim, service, coalesce(context, -1))`.execute(
    db,
  )
  await schema
    .createTable('role_claims')
    .addColumn('role_id', 'text', (c) => c.notNull().references('roles.id').onDelete('cascade'))
    .addColumn('claim', 'text', (c) => c.notNull())
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('context', 'integer')
    .execute()
  await sql`create unique index role_claims_key on role_claims (role_id, claim, service, coalesce(context, -1))`.execute(
    db,
  )

  await schema
    .createTable('credentials')
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('credentials_key', ['user_id', 'kind'])
    .execute()

  await schema
    .createTable('sessions')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('token_hash', 'text', (c) => c.notNull().unique())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('provider', 'text', (c) => c.notNull())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('user_agent', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()
  await schema.createIndex('sessions_user').on('sessions').column('user_id').execute()
  await schema.createIndex('sessions_expiry').on('sessions').column('expires_at').execute()

  await schema
    .createTable('one_time_tokens')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('purpose', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.references('users.id').onDelete('cascade'))
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()

  await schema
    .createTable('routes')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('domain', 'text', (c) => c.notNull())
    .addColumn('path_prefix', 'text', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('strip_prefix', 'integer', (c) => c.notNull())
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('auth_mode', 'text', (c) => c.notNull())
    .addColumn('required_claims', 'text', (c) => c.notNull())
    .addColumn('preserve_host', 'integer', (c) => c.notNull())
    .addColumn('enabled', 'integer', (c) => c.notNull())
    .addColumn('connect_timeout', 'integer', (c) => c.notNull())
    .addColumn('response_timeout', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('routes_place', ['domain', 'path_prefix'])
    .execute()

  await schema
    .createTable('settings')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute()

  await schema
    .createTable('instance')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute()

  await schema
    .createTable('audit')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('caller', 'text', (c) => c.notNull())
    .addColumn('via', 'text', (c) => c.notNull())
    .addColumn('uid', 'bigint')
    .addColumn('pid', 'bigint')
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('method', 'text', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('outcome', 'text', (c) => c.notNull())
    .execute()

  await schema
    .createTable('revisions')
    .addColumn('subject', 'text', (c) => c.primaryKey())
    .addColumn('value', 'bigint', (c) => c.notNull())
    .execute()

  await seed(db)
}

/** The reserved admin group carries the reserved admin role; who is in the group follows `is_admin`. */
const seed = async (db: Kysely<never>) => {
  const at = now()
  const group = newId()
  const role = newId()
  const times = { created_at: at, updated_at: at }
  const insert = (table: string, values: object | object[]) =>
    (db as unknown as Kysely<Record<string, Record<string, unknown>>>)
      .insertInto(table)
      .values(values as never)
      .execute()
  await insert(
    'revisions',
    subjects.map((subject) => ({ subject, value: 1 })),
  )
  await insert('groups', {
    id: group,
    slug: 'admin',
    name: 'Administrators',
    description: 'Everybody with is_admin',
    is_active: 1,
    ...times,
  })
  await insert('roles', { id: role, name: 'admin', description: 'Everything', ...times })
  await insert('group_roles', { group_id: group, role_id: role, service: '', context: null })
  await insert(
    'role_claims',
    adminClaims.map((claim) => ({ role_id: role, claim, service: '', context: null })),
  )
}
