import type { Database } from '../storage/database.ts'

/** Deletes all tokens that one provider issued. Call it inside a transaction. */
export const dropTokensOf = async (database: Database, provider: string): Promise<void> => {
  await database.query
    .deleteFrom('provider_tokens')
    .where('identity_id', 'in', (query) =>
      query.selectFrom('user_identities').select('id').where('provider', '=', provider),
    )
    .execute()
}
