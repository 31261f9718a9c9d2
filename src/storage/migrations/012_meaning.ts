import { sql, type Kysely } from 'kysely'
import { hash } from 'node:crypto'

/** Values that meant two things become a column, a kind or a table of their own. Every row is kept. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await spentChallenges(db)
  await providerProofs(db)
  await mailStates(db)
  await revokedSubjects(db)
  await clientGuesses(db)
}

/** Challenges of passkeys that were used stood among the one-time tokens, under a purpose that no token has. */
const spentChallenges = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('spent_challenges')
    .addColumn('challenge_hash', 'text', (c) => c.primaryKey())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()
  await sql`create index spent_challenges_expiry on spent_challenges (expires_at)`.execute(db)
  await sql`
    insert into spent_challenges (challenge_hash, expires_at)
    select token_hash, expires_at from one_time_tokens where purpose = 'spent_challenge'`.execute(db)
  await sql`delete from one_time_tokens where purpose = 'spent_challenge'`.execute(db)
}

/** What a provider vouched for was JSON in the column of the address that a link was sent to. */
const providerProofs = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('provider_proofs')
    .addColumn('token_hash', 'text', (c) =>
      c.primaryKey().references('one_time_tokens.token_hash').onDelete('cascade'),
    )
    .addColumn('provider', 'text', (c) => c.notNull())
    .addColumn('identity_id', 'text', (c) => c.notNull())
    .addColumn('provider_sid', 'text', (c) => c.notNull())
    .addColumn('provider_id_token', 'text', (c) => c.notNull())
    .addColumn('only_at', 'text', (c) => c.notNull())
    .addColumn('proven_at', 'bigint', (c) => c.notNull())
    .execute()
  const { rows } = await sql<{ token_hash: string; address: string }>`
    select token_hash, address from one_time_tokens
    where purpose = 'after_provider' and address <> ''`.execute(db)
  for (const { token_hash, address } of rows) {
    const { provider, identity_id, at_provider, only_at, proven_at } = JSON.parse(address) as {
      provider: string
      identity_id: string
      at_provider: { sid: string; id_token: string }
      only_at?: string
      proven_at?: number
    }
    await sql`
      insert into provider_proofs
        (token_hash, provider, identity_id, provider_sid, provider_id_token, only_at, proven_at)
      values (${token_hash}, ${provider}, ${identity_id}, ${at_provider.sid}, ${at_provider.id_token},
        ${only_at ?? ''}, ${proven_at ?? 0})`.execute(db)
  }
  await sql`update one_time_tokens set address = '' where purpose = 'after_provider'`.execute(db)
}

/** A mail was given up at 0 if it had left or was never meant to: what was sent has lost its values, what was not has them still. */
const mailStates = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .alterTable('mails')
    .addColumn('state', 'text', (c) => c.notNull().defaultTo('waiting'))
    .execute()
  await sql`
    update mails set state = case when gave_up_at > 0 then 'given_up' when values_sealed = '' then 'sent' else 'decoy' end
    where gave_up_at is not null`.execute(db)
  await sql`update mails set gave_up_at = null where gave_up_at = 0`.execute(db)
  for (const index of ['mails_due', 'mails_age']) await sql`drop index ${sql.table(index)}`.execute(db)
  await sql`create index mails_due on mails (state, due_at)`.execute(db)
  await sql`create index mails_age on mails (state, created_at)`.execute(db)
}

/** Where all access tokens of a subject were taken back, `all of` and the subject stood in place of a token's jti. */
const revokedSubjects = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('revoked_subjects')
    .addColumn('subject', 'text', (c) => c.primaryKey())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute()
  await sql`create index revoked_subjects_expiry on revoked_subjects (expires_at)`.execute(db)
  await sql`
    insert into revoked_subjects (subject, expires_at)
    select substr(jti, 8), expires_at from revoked_tokens where jti like 'all of %'`.execute(db)
  await sql`delete from revoked_tokens where jti like 'all of %'`.execute(db)
}

/** Pairs of a client and a network that are tried; what fits none of them is forgotten within a day anyway. */
const mostPairs = 1_000_000

/** Guesses at the secret of a client were counted as those at a name that nobody can type, of which only the hash is kept. */
const clientGuesses = async (db: Kysely<never>): Promise<void> => {
  const keysOf = async (prefix: string) => {
    const { rows } = await sql<{ key: string }>`
      select key from attempts where substr(key, 1, ${prefix.length}) = ${prefix}`.execute(db)
    return rows.map(({ key }) => key)
  }
  const names = new Set(await keysOf('name '))
  if (names.size === 0) return
  const networks = [...(await keysOf('network ')).map((key) => key.slice('network '.length)), 'undefined']
  const { rows: clients } = await sql<{ client: string }>`select client from clients`.execute(db)
  let pairs = 0
  for (const { client } of clients)
    for (const network of networks) {
      if (++pairs > mostPairs) return
      const key = `name ${hash('sha256', `\u0001client ${client} ${network}`.toLowerCase(), 'hex')}`
      if (names.has(key))
        await sql`update attempts set key = ${`client ${client} ${network}`} where key = ${key}`.execute(db)
    }
}
