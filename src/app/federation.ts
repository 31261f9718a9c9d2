import type { UserAttributes } from '../attributes/user_attributes.ts'
import type { Audit } from '../audit/audit.ts'
import type { Enrolment } from '../auth/enrolment.ts'
import type { OneTimeTokens } from '../auth/one_time_tokens.ts'
import type { SecurityNotices } from '../auth/security_notices.ts'
import type { SignIn } from '../auth/sign_in.ts'
import type { Members } from '../groups/members.ts'
import type { Log } from '../log/log.ts'
import type { Providers } from '../providers/providers.ts'
import type { Pictures } from '../pictures/pictures.ts'
import type { RelyingParty } from '../providers/relying_party.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Database } from '../storage/database.ts'
import type { Seal } from '../secrets/seal.ts'
import { Identities } from '../users/identities.ts'
import type { Addresses } from '../users/addresses.ts'
import type { Users } from '../users/users.ts'
import { Callbacks } from '../federation/callback.ts'
import { OutgoingSignIns } from '../federation/outgoing_sign_ins.ts'
import { ProviderTokens } from '../federation/provider_tokens.ts'
import { Linking } from '../federation/linking.ts'
import { ProviderLogouts } from '../federation/provider_logouts.ts'
import { ReceivedClaimsLog } from '../federation/received_claims.ts'
import { ReplacedAddress } from '../federation/replaced_address.ts'
import { PendingLinks } from '../federation/pending_links.ts'
import { ProviderPictures } from '../federation/provider_pictures.ts'
import { AccountMatching } from '../federation/account_matching.ts'

interface Parts {
  readonly database: Database
  readonly seal: Seal
  readonly audit: Audit
  readonly log: Log
  readonly providers: Providers
  readonly party: RelyingParty
  readonly users: Users
  readonly attributes: UserAttributes
  readonly addresses: Addresses
  readonly members: Members
  readonly giveGroups: (userId: string, slugs: readonly string[]) => Promise<void>
  readonly sessions: Sessions
  readonly signIn: SignIn
  readonly enrolment: Enrolment
  readonly links: OneTimeTokens
  readonly notices: SecurityNotices
  readonly magicLinks: () => Promise<boolean>
  readonly publicUrl: string
  readonly pictures: Pictures
  /** Whether addresses that strangers choose may be in our own network and on this machine. */
  readonly anywhere: () => Promise<boolean>
}

/** Builds the sign-in with identity providers. */
export const federate = (parts: Parts) => {
  const { database, seal, publicUrl } = parts
  const identities = new Identities(database)
  const flows = new OutgoingSignIns(database, seal)
  const pending = new PendingLinks(database, seal)
  const tokens = new ProviderTokens(parts)
  const replaced = new ReplacedAddress(parts)
  const recognition = new AccountMatching({ ...parts, identities, pending, tokens, replaced })
  const received = new ReceivedClaimsLog(database, seal)
  const pictures = new ProviderPictures(parts)
  const logouts = new ProviderLogouts({ ...parts, identities })
  return {
    arrivals: new Callbacks({ ...parts, flows, recognition, received, pictures }),
    received,
    pictures,
    linking: new Linking({ ...parts, identities, pending, tokens }),
    tokens,
    logouts,
    publicUrl,
    forgetFlows: (userId: string) => flows.forget(userId),
    sweep: async () => {
      await flows.sweep()
      await pending.sweep()
      await logouts.sweep()
      await received.sweep()
    },
  }
}
