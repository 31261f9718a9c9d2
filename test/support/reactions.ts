import type { Reactions } from '../../src/contract/reactions.ts'

const nothing = async () => {}

/** For a room that a test builds alone, without others that react to its changes. */
export const noReactions: Reactions = {
  addressChanged: nothing,
  addressRestored: nothing,
  identityAdded: nothing,
  factorsChanged: nothing,
  intrusionReported: nothing,
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
