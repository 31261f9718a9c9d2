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
