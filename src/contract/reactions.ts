import type { Caller } from './caller.ts'

/** Why a session or a token ended before its time. */
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
 * What other rooms and flows must do when something happens. Each reaction runs inside the transaction of its cause: what it throws
 * rolls the cause back. A room takes the reactions that it causes in its constructor; `app/reactions.ts` holds them all.
 */
export interface Reactions {
  /** An administrator has changed or removed the address of a user. */
  readonly addressChanged: (userId: string) => Promise<void>
  /** An identity is about to be removed. Throws conflict when its owner removes their last way to sign in. */
  readonly removingIdentity: (
    identity: { readonly id: string; readonly user_id: string; readonly provider: string },
    caller: Caller,
  ) => Promise<void>
  /** A user has removed a passkey of their own. Throws conflict when it was their last way to sign in. */
  readonly passkeyRemoved: (userId: string) => Promise<void>
  /** Sessions are about to end, for any reason but their time; their rows are still there. */
  readonly sessionsEnding: (sessionIds: readonly string[]) => Promise<void>
  /** The same where all sessions of a user end, whether there are any or not. */
  readonly allSessionsEnding: (userId: string, reason: RevocationReason) => Promise<void>
  /** A user has taken back what they allowed a client: every token that came of it must end. */
  readonly consentRevoked: (userId: string, client: string) => Promise<void>
  /** A client may not have some kinds of what people gave it, or all of them: codes, tokens, grants. */
  readonly clientLosesRecords: (client: string, kinds: 'all' | readonly string[]) => Promise<void>
  /** A client was removed. */
  readonly clientRemoved: (client: string) => Promise<void>
  /** The tokens of a provider may not be kept any more: those that are kept must go. */
  readonly keepingTokensEnded: (provider: string) => Promise<void>
  /** Every access token that a client holds has ended. */
  readonly clientTokensEnded: (client: string) => Promise<void>
  /** A service was removed or runs as another local user, so the tokens that it holds must end. */
  readonly serviceReplaced: (service: string) => Promise<void>
}
