import { askGroupFaults } from './ask_group_faults.ts'
import { operator } from '../contract/caller.ts'
import { Audit } from '../audit/audit.ts'
import { Claims } from '../claims/claims.ts'
import { Attempts } from '../attempts/attempts.ts'
import { Passwords } from '../passwords/passwords.ts'
import { Challenges } from '../factors/challenges.ts'
import { Factors } from '../factors/factors.ts'
import { PasskeyCodes } from '../factors/passkey_codes.ts'
import { Passkeys } from '../factors/passkeys.ts'
import { GroupProofs } from '../groups/group_proofs.ts'
import { Admins } from '../groups/admins.ts'
import { Grants } from '../groups/grants.ts'
import { Groups } from '../groups/groups.ts'
import { LentMemberships } from '../groups/lent_memberships.ts'
import { Members } from '../groups/members.ts'
import { ClientLists } from '../clients/client_lists.ts'
import { Clients } from '../clients/clients.ts'
import { DynamicClients } from '../clients/registered_clients.ts'
import { RegistrationTokens } from '../clients/registration_tokens.ts'
import type { Config } from '../config/config.ts'
import type { Reactions } from '../contract/reactions.ts'
import { Assertions } from '../keys/assertions.ts'
import { Keys } from '../keys/keys.ts'
import { Invitations } from '../invitations/invitations.ts'
import { Registrations } from '../invitations/registrations.ts'
import { Mails } from '../mail/mails.ts'
import { Consents } from '../consents/consents.ts'
import { Providers } from '../providers/providers.ts'
import { RelyingParty } from '../providers/relying_party.ts'
import { Doctor } from '../health/doctor.ts'
import { Readiness } from '../health/readiness.ts'
import type { Log } from '../log/log.ts'
import { Attributes } from '../attributes/attributes.ts'
import { UserAttributes } from '../attributes/user_attributes.ts'
import { Icons } from '../pictures/icons.ts'
import { Pictures } from '../pictures/pictures.ts'
import { Roles } from '../roles/roles.ts'
import { Routes } from '../routes/routes.ts'
import { Services } from '../services/services.ts'
import { LiveSessions } from '../sessions/live_sessions.ts'
import { Revocations } from '../sessions/revocations.ts'
import { ownSignInMethods } from '../sessions/session.ts'
import { Sessions } from '../sessions/sessions.ts'
import { Settings } from '../settings/settings.ts'
import type { Database } from '../storage/database.ts'
import type { Seal } from '../secrets/seal.ts'
import { AccessTokens } from '../token/access_tokens.ts'
import { PersonalTokens } from '../token/personal_tokens.ts'
import { UserCredentials } from '../users/user_credentials.ts'
import { CachedPeople } from '../users/cached_people.ts'
import { Addresses } from '../users/addresses.ts'
import { Users } from '../users/users.ts'
import type { Home } from '../contract/home.ts'

/** What all parts depend on. */
export interface Ground {
  readonly config: Config
  readonly database: Database
  readonly seal: Seal
  readonly log: Log
  readonly home: Home
}

export type Rooms = ReturnType<typeof createRooms>

/** Builds each room once, with the settings that it uses. */
export const createRooms = ({ config, database, seal, log, home }: Ground, reactions: Reactions) => {
  const settings = new Settings(database, seal, home.all)
  const audit = new Audit(database, seal.derive('audit chain'))
  const users = new Users(database, () => settings.value('default_context'), reactions)
  const attributes = new Attributes(database)
  const userAttributes = new UserAttributes(database, attributes)
  const pictures = new Pictures(database, seal.derive('picture addresses'), config.public_url)
  const icons = new Icons(database)
  const groups = new Groups(database)
  const addresses = new Addresses(database)
  const members = new Members(database, groups)
  const lentMemberships = new LentMemberships(database)
  const grants = new Grants(database, groups)
  const admins = new Admins(database, groups)
  const groupProofs = new GroupProofs(database, groups)
  const belongings = new UserCredentials(database, users, reactions)
  const services = new Services(database, reactions)
  const keys = new Keys(database, seal)
  const assertions = new Assertions(keys, config.public_url)
  const roles = new Roles(database)
  const claims = new Claims(database, async () => ({
    factor: await settings.value('admin_factor'),
    age: await settings.value('admin_proof_age'),
  }))
  const credentials = new Passwords(database, () => settings.value('password_min_length'))
  const sessions = new Sessions(database, (name) => settings.value(name), reactions, home.host)
  const liveSessions = new LiveSessions(database, (remembered) => sessions.limits.idle(remembered))
  const revocations = new Revocations(database)
  const site = () => settings.value('site_name')
  const mailServer = async () => ({
    host: await settings.value('smtp_host'),
    port: await settings.value('smtp_port'),
    tls: await settings.value('smtp_tls'),
    user: await settings.value('smtp_user'),
    password: await settings.value('smtp_password'),
    ca: await settings.value('smtp_ca'),
    from: (await settings.value('mail_from')) || `no-reply@${home.host}`,
    site: await site(),
    language: await settings.value('default_language'),
  })
  const mails = new Mails(database, seal, mailServer, log, async (kind, address) => {
    const user = await addresses.holder(address)
    const target = `user=${user?.username ?? ''} kind=${kind}`
    await audit.append(operator({ via: 'socket' }), 'mail.notice', target, 'rate_limited')
  })
  const routes = new Routes(database, home)
  const attempts = new Attempts(database)
  const challenges = new Challenges(database, seal.derive('passkey challenges'))
  const passkeys = new Passkeys(database, challenges, {
    host: home.host,
    origin: home.origin,
    previous: home.previous,
    name: site,
    chosen: () => settings.value('passkey_rp_id'),
  })
  const passkeyCodes = new PasskeyCodes(database)
  const factors = new Factors({
    database,
    seal,
    passkeys,
    site,
    endOtherSessions: (userId, except) => sessions.revokeAll(userId, 'factors', except),
    markFactor: async (userId, has) => {
      await users.markFactor(userId, has)
      if (!has) await sessions.proofs.forgetFactors(userId)
    },
    forgetAttempts: (userId) => attempts.forget(`factor ${userId}`),
    reactions,
  })
  const registrationMode = () => settings.value('client_registration')
  const clients = new Clients(database, async () => (await registrationMode()) !== 'off', reactions)
  const clientLists = new ClientLists(database, clients)
  const dynamicClients = new DynamicClients(database, clients, log)
  const registrationTokens = new RegistrationTokens(database)
  const consents = new Consents(database, reactions)
  const mayBeLocal = () => settings.value('providers_may_be_local')
  const party = new RelyingParty(mayBeLocal)
  const providers = new Providers({
    database,
    seal,
    // The last two are sources of attributes, as providers are.
    reserved: [...ownSignInMethods, 'network', 'person', 'administrator'],
    mayBeLocal,
    publicUrl: config.public_url,
    log,
    reactions,
  })
  const personal = new PersonalTokens(database)
  const access = new AccessTokens({
    database,
    issuer: config.public_url,
    signing: () => keys.signing(),
    verifying: (kid) => keys.verifying(kid),
  })
  const people = new CachedPeople(database)
  const invitations = new Invitations(database)
  const registrations = new Registrations(database)

  const readiness = new Readiness(database, log)
  const doctor = new Doctor({
    config,
    readiness,
    routesAtHome: async () => (await routes.atHome()).map(({ domain, path_prefix }) => domain + path_prefix),
    openClients: () => clientLists.withoutRule(),
    vainAskGroups: () =>
      askGroupFaults({
        routes,
        clientLists,
        groups,
        claims,
        context: () => settings.value('default_context'),
      }),
    waitingRegistrations: () => registrations.count(),
    firstFactor: async () => {
      const takes = await settings.value('factor_enrolment')
      return takes === 'mail' && (await settings.value('smtp_host')) === '' ? 'no_mail_server' : takes
    },
    elsewhere: () => settings.value('elsewhere'),
    passkeysElsewhere: () => passkeys.rpIds.elsewhere(),
  })
  return {
    settings,
    audit,
    users,
    addresses,
    attributes,
    userAttributes,
    pictures,
    icons,
    groups,
    members,
    lentMemberships,
    grants,
    admins,
    groupProofs,
    belongings,
    services,
    keys,
    assertions,
    roles,
    claims,
    credentials,
    sessions,
    liveSessions,
    revocations,
    mails,
    challenges,
    passkeys,
    passkeyCodes,
    factors,
    routes,
    attempts,
    registrationMode,
    clients,
    clientLists,
    dynamicClients,
    registrationTokens,
    consents,
    mayBeLocal,
    party,
    providers,
    personal,
    access,
    people,
    invitations,
    registrations,
    readiness,
    doctor,
  }
}
