import { ArrivalCodes } from '../handover/codes.ts'
import { LeftHosts } from '../handover/left_hosts.ts'
import type { Reactions } from '../contract/reactions.ts'
import { createAsking } from './asking.ts'
import { createElsewhere } from './elsewhere.ts'
import { createIdentifying } from './identifying.ts'
import { createMakerRights, createSignUp } from './admitting.ts'
import { createJudging } from './judging.ts'
import { BearerTokens } from '../identity/bearer_tokens.ts'
import { ClientProof } from '../identity/client_secrets.ts'
import { Confirmation } from '../auth/confirmation.ts'
import { Enrolment } from '../auth/enrolment.ts'
import { EmailFlows } from '../auth/email_flows.ts'
import { Intrusions } from '../auth/not_me/intrusions.ts'
import { KnownDevices } from '../auth/known_devices.ts'
import { NoticeLinks } from '../auth/not_me/notice_links.ts'
import { LinkMails } from '../auth/link_mails.ts'
import { EnrolmentLinks } from '../auth/recovery/enrolment_links.ts'
import { RecoveryLinks } from '../auth/recovery/recovery_links.ts'
import { OneTimeTokens } from '../auth/one_time_tokens.ts'
import { PersonSwitch } from '../auth/person_switch.ts'
import { PreviousHostProofs } from '../auth/previous_host_proofs.ts'
import { SecurityNotices } from '../auth/security_notices.ts'
import { TrustedBrowsers } from '../auth/trust/trusted_browsers.ts'
import { Setup } from '../auth/setup.ts'
import { SignIn } from '../auth/sign_in.ts'
import { Impersonation } from '../auth/impersonation.ts'
import { tokenTeller } from '../identity/token_status.ts'
import { ownAccounts } from './own_accounts.ts'
import { federate } from './federation.ts'
import { Accounts } from '../oidc/accounts.ts'
import { BackchannelLogouts } from '../oidc/backchannel_logouts.ts'
import { OpenId } from '../oidc/openid_provider.ts'
import { Records } from '../oidc/engine/records.ts'
import { Registrations } from '../oidc/registration.ts'
import { enginePages } from '../pages/openid/engine_pages.ts'
import { serviceAtOf } from '../routes/service_at.ts'
import { wordsFor as chooseWords } from '../html/words_for.ts'
import { writeInitialisedMarker } from '../start/initialised_marker.ts'
import type { Ground, Rooms } from './rooms.ts'

export type Flows = ReturnType<typeof createFlows>

/** Builds the flows, which span several rooms: sign-in, our OpenID provider, sign-in with other providers, tokens. */
export const createFlows = (
  { config, database, seal, log, home }: Ground,
  rooms: Rooms,
  reactions: Reactions,
) => {
  const {
    settings,
    audit,
    users,
    addresses,
    members,
    services,
    keys,
    claims,
    credentials,
    sessions,
    liveSessions,
    mails,
    factors,
    routes,
    attempts,
    registrationMode,
    clients,
    dynamicClients,
    registrationTokens,
    consents,
    party,
    providers,
    personal,
    access,
    people,
  } = rooms
  const wordsFor = chooseWords(() => settings.current('default_language'))
  const links = new OneTimeTokens(database)
  const devices = new KnownDevices(database)
  const noticeLinks = new NoticeLinks(database)
  const notices = new SecurityNotices({ database, mails, devices, noticeLinks, publicUrl: config.public_url })
  const intrusions = new Intrusions({
    database,
    addresses,
    credentials,
    sessions,
    devices,
    links,
    noticeLinks,
    reactions,
  })
  const previousHosts = new PreviousHostProofs(home, seal, rooms.passkeys, rooms.passkeyCodes)
  const magicLinks = () => settings.value('magic_links')
  const trusted = new TrustedBrowsers({ database, audit, notices, days: () => settings.value('trust_days') })
  const signIn = new SignIn({
    trusted,
    database,
    credentials,
    sessions,
    attempts,
    factors,
    links,
    notices,
    magicLinks,
  })
  const confirmation = new Confirmation({ addresses, credentials, factors, sessions, links })
  const setting: typeof settings.value = (key) => settings.value(key)
  const mailed = new LinkMails({ links, mails, setting, publicUrl: config.public_url })
  const forMail = { database, addresses, confirmation, credentials, attempts, links, mailed, setting }
  const signUp = createSignUp(rooms, forMail, config.public_url)
  const { registration } = signUp
  const userOf = async (id: string) => users.get({ id })
  const forEnrolment = { addresses, mailed, passwords: rooms.credentials, setting }
  const enrolment = new Enrolment({ ...forEnrolment, proofs: sessions.proofs, userOf })
  const handing = { users, notices, claimsOf: createMakerRights(rooms), publicUrl: config.public_url }
  const recovery = new RecoveryLinks({ ...forMail, ...handing })
  const enrolmentLinks = new EnrolmentLinks({ database, links, proofs: sessions.proofs, ...handing })
  const emailFlows = new EmailFlows({ ...forMail, recovery, registration, sessions, mails, notices, signIn })
  const federation = federate({
    database,
    seal,
    audit,
    log,
    providers,
    party,
    users,
    attributes: rooms.userAttributes,
    addresses,
    members,
    giveGroups: (userId, slugs) => signUp.admission.giveGroups(userId, slugs),
    sessions,
    signIn,
    enrolment,
    links,
    notices,
    magicLinks,
    publicUrl: config.public_url,
    pictures: rooms.pictures,
    anywhere: async () => (await settings.value('client_metadata_documents')) === 'anywhere',
  })
  const setup = new Setup(database, (at) => writeInitialisedMarker(config, at), log)
  const impersonation = new Impersonation(users, sessions)
  const clientProof = new ClientProof(clients, attempts)
  const judging = createJudging(rooms, seal)
  const tokens = new BearerTokens({
    rules: judging.rules,
    sessions: liveSessions,
    personal,
    access,
    people,
    clients,
    services,
    programContext: () => settings.current('default_context'),
    issuer: config.public_url,
  })
  const serviceAt = serviceAtOf(routes)
  const tellToken = tokenTeller({
    tokens,
    claims,
    serviceFor: async (audience, client) =>
      (audience === config.public_url
        ? client && (await clients.find(client))?.service
        : await serviceAt(audience)) ?? '',
  })
  const records = new Records(database, seal)
  const openId = new OpenId({
    issuer: config.public_url,
    database,
    audit,
    keys,
    log,
    records,
    clients,
    accounts: new Accounts(database, claims, rooms.attributes, rooms.userAttributes, rooms.pictures),
    consents,
    ...judging,
    liveSessions,
    pages: enginePages(home.host, wordsFor),
    provesItself: (client, secret, address) => clientProof.check(client, secret, address),
    findByUserCode: async (find, user, address) => {
      const counted = await attempts.count({ deviceOf: user }, address)
      const found = await find()
      // Only this attempt is taken back: a user with a valid code must not reset the count with it.
      if (found !== undefined) await attempts.uncount(counted)
      return found
    },
    access,
    isRightAway: (client, secret, address) => clientProof.isRightAway(client, secret, address),
    serviceAt,
    tell: (token, audience) => tellToken(token, audience),
    grantLost: (...lost) => logouts.grantLost(...lost),
    noteUse: (client) => {
      if (client?.dynamic)
        dynamicClients
          .noteUse(client)
          .catch((error: Error) => log.error({ error: error.message }, 'cannot record the use of a client'))
    },
    setting: (name) => settings.value(name),
    idle: (remembered) => sessions.limits.idle(remembered),
    signOut: (id) => sessions.revoke(id, 'logout'),
  })
  const registrations = new Registrations({
    database,
    audit,
    dynamicClients,
    tokens: registrationTokens,
    mode: registrationMode,
  })
  const logouts = new BackchannelLogouts({
    database,
    records,
    clients,
    send: (client, subject, sid) => openId.sendLogout(client, subject, sid),
    log,
  })
  return {
    ...ownAccounts({ database, log }, rooms, { links, mailed, received: federation.received }),
    ...judging,
    ...createAsking({ database, home, log }, rooms, judging, devices),
    ...createIdentifying({ config, database }, rooms, tokens),
    links,
    devices,
    trusted,
    elsewhere: createElsewhere({ config, database }, rooms, signIn),
    notices,
    noticeLinks,
    intrusions,
    previousHosts,
    signIn,
    emailFlows,
    ...signUp,
    enrolment,
    recovery,
    enrolmentLinks,
    federation,
    setup,
    impersonation,
    clientProof,
    records,
    openId,
    registrations,
    logouts,
    tellToken,
    wordsFor,
    arrivalCodes: new ArrivalCodes(database, sessions.children),
    leftHosts: new LeftHosts(database, seal, sessions),
    switching: new PersonSwitch(database, seal, sessions),
  }
}
