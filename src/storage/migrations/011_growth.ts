import { sql, type Kysely } from 'kysely'

/**
 * Indexes for what grows without end: every foreign key whose row can go, what the sweeps look for, and what lists filter by. Those
 * that few rows need are partial; their condition stands word for word in the queries that use them.
 */
const indexes = [
  // Foreign keys: without an index, removing the row they point to reads the whole table.
  'sessions_impersonated on sessions (impersonated_user_id) where impersonated_user_id is not null',
  'group_roles_role on group_roles (role_id)',
  'one_time_tokens_user on one_time_tokens (user_id) where user_id is not null',
  'provider_flows_user on provider_flows (user_id) where user_id is not null',
  'provider_flows_provider on provider_flows (provider_id)',
  'provider_links_provider on provider_links (provider_id)',
  // No foreign keys, but what goes together with a client or a provider.
  'consents_client on consents (client)',
  'oidc_logouts_client on oidc_logouts (client)',
  `group_users_given on group_users (given_by) where given_by <> ''`,
  // The sweeps.
  'group_users_expiry on group_users (group_id, expires_at) where expires_at is not null',
  'group_groups_expiry on group_groups (expires_at) where expires_at is not null',
  'one_time_tokens_expiry on one_time_tokens (expires_at)',
  'provider_flows_expiry on provider_flows (expires_at)',
  'provider_links_expiry on provider_links (expires_at)',
  'provider_logouts_expiry on provider_logouts (expires_at)',
  'refresh_tokens_expiry on refresh_tokens (expires_at)',
  'revoked_tokens_expiry on revoked_tokens (expires_at)',
  'revocations_at on revocations (at)',
  'mails_age on mails (gave_up_at, created_at)',
  'users_unconfirmed on users (created_at) where email is not null and email_verified_at is null',
  // Lists and searches.
  'users_title on users (lower(display_name))',
  'users_written on users (display_name)',
  'groups_title on groups (lower(name))',
  'groups_written on groups (name)',
  'groups_exact on groups (slug)',
  'group_claims_claim on group_claims (claim)',
  'audit_actor on audit (actor, seq)',
  'audit_method on audit (method, seq)',
  'audit_at on audit (at, seq)',
  `audit_failed on audit (outcome, seq) where outcome <> 'ok'`,
  'users_admins on users (lower(username)) where is_admin = 1',
  'users_inactive on users (lower(username)) where is_active = 0',
  'groups_inactive on groups (lower(slug)) where is_active = 0',
]

/** Indexes for instances of a million people, and the log from which caches of the groups are changed in place. */
export const up = async (db: Kysely<never>): Promise<void> => {
  for (const index of indexes) await sql`create index ${sql.raw(index)}`.execute(db)

  await db.schema
    .createTable('revision_log')
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('revision', 'bigint', (c) => c.notNull())
    .addColumn('entry', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('revision_log_key', ['subject', 'revision', 'entry'])
    .execute()
}
