import { subjectOfService } from '../identity/bearer_tokens.ts'
import type { Reactions } from '../contract/reactions.ts'
import { forgetLogoutsOf } from '../oidc/backchannel_logouts.ts'
import { recordTokenRevocation } from '../sessions/revocations.ts'
import type { Database } from '../storage/database.ts'
import type { Flows } from './flows.ts'
import type { Rooms } from './rooms.ts'
import { dropTokensOf } from '../federation/drop_tokens.ts'

/** All reactions. They are passed to the rooms before the flows exist, so each one looks up what it needs when it runs. */
export const createReactions = (
  database: Database,
  built: () => { readonly rooms: Rooms; readonly flows: Flows },
): Reactions => ({
  addressChanged: async (userId, { before, after }, by) => {
    const { links, notices } = built().flows
    // A link that was mailed to the old address would still open the account.
    await links.forget(userId)
    if (before !== undefined)
      await notices.send('address_changed', userId, by, { address: before, about: after ?? '' })
  },
  addressRestored: (userId, since) => built().flows.federation.linking.unlinkSince(userId, since),
  identityAdded: (userId, provider, by) =>
    built().flows.federation.linking.tell('identity_added', userId, provider, by),
  removingIdentity: (identity, caller) => built().flows.federation.linking.unlink(identity, caller),
  factorsChanged: async (userId, change, by) => {
    const { trusted, notices } = built().flows
    await trusted.forget(userId)
    await notices.send('factors_changed', userId, by, { change })
  },
  intrusionReported: async (userId, since) => {
    const { rooms, flows } = built()
    await flows.records.removeSince(userId, since)
    await rooms.consents.removeSince(userId, since)
    await rooms.personal.removeAllOfUser(userId, since)
    // These end all, because each is valid for minutes only and can be renewed where its grant remains.
    await rooms.access.revokeAllOf(userId)
    await flows.leftHosts.forgetConfirmed(userId, since)
    await flows.federation.forgetFlows(userId)
  },
  passkeyRemoved: (userId) => built().flows.federation.linking.refuseLastWayIn(userId),
  sessionsEnding: (ids) => built().flows.logouts.sessionsEnded(ids),
  allSessionsEnding: async (userId, reason) => {
    const { rooms, flows } = built()
    // An unfinished sign-in could open a session afterwards.
    await flows.links.forgetFirstSteps(userId)
    await flows.elsewhere.forget(userId)
    await flows.trusted.forget(userId)
    if (reason === 'revoked') return
    // Otherwise an old link would open the account once it is active again.
    if (reason === 'deactivated') await flows.links.forget(userId)
    // An intruder may have given applications lasting access.
    await flows.records.removeOf(userId)
    await rooms.personal.removeAllOfUser(userId)
    await rooms.access.revokeAllOf(userId)
  },
  consentRevoked: async (userId, client) => {
    const { rooms, flows } = built()
    await flows.records.removeOf(userId, client)
    // This ends the access tokens of all clients. Those with a consent can renew theirs.
    await rooms.access.revokeAllOf(userId)
  },
  clientLosesRecords: (client, kinds) => built().flows.records.removeOfClient(client, kinds),
  clientRemoved: async (client) => {
    await built().rooms.consents.forgetClient(client)
    await forgetLogoutsOf(database, client)
  },
  keepingTokensEnded: (provider) => dropTokensOf(database, provider),
  clientTokensEnded: (client) => recordTokenRevocation(database.query, { client }),
  serviceReplaced: (service) => built().rooms.access.revokeAllOf(subjectOfService(service)),
})
