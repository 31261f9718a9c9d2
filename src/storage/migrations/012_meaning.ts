import { sql, type Kysely } from 'kysely'

/** Values that meant two things become a column or a table of their own; every row is kept. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await spentChallenges(db)
}

/** Passkey challenges that were used were one-time tokens of a purpose that no token has. */
const spentChallenges = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('spent_challenges')
    .addColumn('challenge_hash', 'text', (c) => c.primaryKey())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('spent_challenges_expiry').on('spent_challenges').column('expires_at').execute()
  await sql`
    insert into spent_challenges (challenge_hash, expires_at)
    select token_hash, expires_at from one_time_tokens where purpose = 'spent_challenge'`.execute(db)
  await sql`delete from one_time_tokens where purpose = 'spent_challenge'`.execute(db)
}
