import type { FactorChange } from '../strings/catalogue.ts'
import type { Caller } from './caller.ts'

/** Why a session or a token was ended early. */
export const revocationReasons = [
  'logout',
  'revoked',
  'password',
  'factors',
  'idle',
  'reused',
  'deactivated',
  'removed',
] as const
export type RevocationReason = (typeof revocationReasons)[number]

/**
 * What other folders and flows must do when something happens. Each reaction runs inside the transaction of its cause:
 * an error rolls the cause back. A class takes the reactions that it causes in its constructor; `app/reactions.ts`
 * defines all of them.
 */
export interface Reactions {
  /** An administrator has changed or removed the address of a user. `before` is the one until now, if it was proved. */
  readonly addressChanged: (
    userId: string,
    change: { readonly before: string | undefined; readonly after: string | null },
    by: Caller,
  ) => Promise<void>
  /** A person has taken back a change of their address: what was proved by the other address since then must end. */
  readonly addressRestored: (userId: string, since: number) => Promise<void>
  /** An administrator has linked an identity to a user: tell them. */
  readonly identityAdded: (userId: string, provider: string, by: Caller) => Promise<void>
  /** An identity is about to be removed. Throws conflict when its owner removes their last way to sign in. */
  readonly removingIdentity: (
    identity: { readonly id: string; readonly user_id: string; readonly provider: string },
    caller: Caller,
  ) => Promise<void>
  /** The factors of a user have changed, or a recovery code was used: tell them. `name` is that of the passkey, if it was one. */
  readonly factorsChanged: (
    userId: string,
    change: { readonly what: FactorChange; readonly name: string },
    by: Caller,
  ) => Promise<void>
  /** A person has reported that somebody else was in their account since a time: what was made there since then must end. */
  readonly intrusionReported: (userId: string, since: number) => Promise<void>
  /** A user has removed a passkey of their own. Throws conflict when it was their last way to sign in. */
  readonly passkeyRemoved: (userId: string) => Promise<void>
  /** Sessions are about to be ended early; their rows still exist. */
  readonly sessionsEnding: (sessionIds: readonly string[]) => Promise<void>
  /** All sessions of a user have been ended, even if there were none. */
  readonly allSessionsEnding: (userId: string, reason: RevocationReason) => Promise<void>
  /** A user has revoked what a client has on their behalf: all its tokens for them must end. */
  readonly consentRevoked: (userId: string, client: string) => Promise<void>
  /** A client may no longer have some or all kinds of what users granted it: codes, tokens, grants. */
  readonly clientLosesRecords: (client: string, kinds: 'all' | readonly string[]) => Promise<void>
  /** A client was removed. */
  readonly clientRemoved: (client: string) => Promise<void>
  /** The tokens of a provider may no longer be stored: delete the stored ones. */
  readonly keepingTokensEnded: (provider: string) => Promise<void>
  /** All access tokens of a client have ended. */
  readonly clientTokensEnded: (client: string) => Promise<void>
  /** A service was removed or now runs as another local user, so its tokens must end. */
  readonly serviceReplaced: (service: string) => Promise<void>
}
