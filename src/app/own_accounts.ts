import { ClosedAccounts } from '../auth/closing.ts'
import type { LinkMails } from '../auth/link_mails.ts'
import type { OneTimeTokens } from '../auth/one_time_tokens.ts'
import { PersonalData } from '../auth/personal_data.ts'
import type { ReceivedClaimsLog } from '../federation/received_claims.ts'
import type { Ground, Rooms } from './rooms.ts'

interface Parts {
  readonly links: OneTimeTokens
  readonly mailed: LinkMails
  readonly received: ReceivedClaimsLog
}

/** What people may do with their own account as a whole: read all of it, and end it. */
export const ownAccounts = (
  { database, log }: Pick<Ground, 'database' | 'log'>,
  rooms: Rooms,
  { links, mailed, received }: Parts,
) => ({
  closedAccounts: new ClosedAccounts({
    database,
    log,
    links,
    mailed,
    audit: rooms.audit,
    users: rooms.users,
    sessions: rooms.sessions,
    setting: (key) => rooms.settings.value(key),
  }),
  personalData: new PersonalData({
    database,
    attributesOf: (userId) => rooms.userAttributes.of(userId),
    pictureOf: (userId) => rooms.pictures.of(userId),
    receivedFor: (userId) => received.allOf(userId),
  }),
})
