import type { KnownProvider } from '../providers/provider.ts'
import type { ExchangedCode } from '../providers/relying_party.ts'
import { now } from '../storage/ids.ts'
import type { ReturnedSignIn } from './outgoing_sign_ins.ts'

/** How far a provider's clock may differ from ours. */
const clockSkewSeconds = 30

/**
 * When a returning person last authenticated, in Unix seconds: the provider's `auth_time` (OpenID Connect Core section 2), or 0 if it
 * reports none or one in the future. The return itself only proves that the person has a session there.
 * Returns undefined if we asked for a fresh authentication and the provider did not do one.
 */
export const provenAt = (
  { anew, begun_at }: Pick<ReturnedSignIn, 'anew' | 'begun_at'>,
  { auth_time }: Pick<ExchangedCode, 'auth_time'>,
): number | undefined => {
  const reportedAt =
    auth_time === null || auth_time > now() + clockSkewSeconds ? 0 : Math.min(Math.floor(auth_time), now())
  if (!anew) return reportedAt
  return reportedAt < begun_at - clockSkewSeconds ? undefined : Math.max(reportedAt, begun_at)
}

/** When a returning person last used a second factor there, if the administrator counts what the provider says for one; 0 for never. */
export const secondAt = (
  proven_at: number,
  { methods }: Pick<ExchangedCode, 'methods'>,
  { second_factor_values }: Pick<KnownProvider, 'second_factor_values'>,
): number => (methods.some((value) => second_factor_values.includes(value)) ? proven_at : 0)
