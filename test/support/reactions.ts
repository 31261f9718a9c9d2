import type { Reactions } from '../../src/contract/reactions.ts'

const nothing = async () => {}

/** For a room that a test builds alone, where nobody else reacts to what it does. */
export const noReactions: Reactions = {
  addressChanged: nothing,
  removingIdentity: nothing,
  passkeyRemoved: nothing,
  sessionsEnding: nothing,
  allSessionsEnding: nothing,
  consentRevoked: nothing,
  clientLosesRecords: nothing,
  clientRemoved: nothing,
  keepingTokensEnded: nothing,
  clientTokensEnded: nothing,
  serviceReplaced: nothing,
}
