import { digest } from '../secrets/digest.ts'
import type { Database } from '../storage/database.ts'
import type { ProviderProof } from './one_time_token.ts'

// What providers asserted, kept beside the tokens of sign-ins that wait for their second step.

export const keepProviderProof = async (
  { query }: Database,
  token: string,
  { provider, identity_id, at_provider, proven_at }: ProviderProof,
): Promise<void> => {
  const { sid: provider_sid, id_token: provider_id_token } = at_provider
  const row = { provider, identity_id, provider_sid, provider_id_token, proven_at }
  await query
    .insertInto('provider_proofs')
    .values({ token_hash: digest(token), ...row })
    .execute()
}

export const readProviderProof = async (
  { query }: Database,
  token: string,
): Promise<ProviderProof | undefined> => {
  const row = await query
    .selectFrom('provider_proofs')
    .selectAll()
    .where('token_hash', '=', digest(token))
    .executeTakeFirst()
  if (!row) return undefined
  const { provider, identity_id, provider_sid, provider_id_token, proven_at } = row
  return { provider, identity_id, at_provider: { sid: provider_sid, id_token: provider_id_token }, proven_at }
}

/**
 * Deletes the half-completed sign-ins that a provider asserted: all of them, those of a user, or those of the provider's session
 * `sid`. With both, it includes a user's sign-ins without a `sid`, which may belong to that session. Returns how many.
 * Call it inside a transaction.
 */
export const forgetProviderProofs = async (
  { query }: Database,
  provider: string,
  { userId, sid }: { userId?: string; sid?: string },
): Promise<number> => {
  const { numDeletedRows } = await query
    .deleteFrom('one_time_tokens')
    .where('purpose', '=', 'after_provider')
    .$if(userId !== undefined, (tokens) => tokens.where('user_id', '=', userId!))
    .where('token_hash', 'in', (rows) =>
      rows
        .selectFrom('provider_proofs')
        .select('token_hash')
        .where('provider', '=', provider)
        .$if(sid !== undefined, (proofs) =>
          proofs.where('provider_sid', 'in', userId === undefined ? [sid!] : [sid!, '']),
        ),
    )
    .executeTakeFirst()
  return Number(numDeletedRows)
}
