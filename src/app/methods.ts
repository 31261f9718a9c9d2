import { isIdentifying } from '../attributes/attribute.ts'
import { requestMethods } from '../asking/methods.ts'
import { attributeMethods } from '../attributes/methods.ts'
import { auditMethods } from '../audit/methods.ts'
import { subjectOfService } from '../identity/bearer_tokens.ts'
import { codeMethods } from '../auth/code_methods.ts'
import { emailMethods } from '../auth/email_methods.ts'
import { elsewhereMethods } from '../auth/elsewhere/elsewhere_methods.ts'
import { recoveryMethods } from '../auth/recovery/recovery_methods.ts'
import { invitationMethods } from '../auth/sign_up/invitation_methods.ts'
import { impersonationMethods } from '../auth/impersonation_methods.ts'
import { authMethods } from '../auth/methods.ts'
import { accountMethods } from '../auth/account_methods.ts'
import { noticeMethods } from '../auth/not_me/notice_methods.ts'
import { trustedMethods } from '../auth/trust/trusted_methods.ts'
import { refreshMethod } from '../auth/refresh_method.ts'
import { proofMethods } from '../auth/proof_methods.ts'
import { toProgram } from '../identity/token_status.ts'
import { claimMethods } from '../claims/methods.ts'
import { factorMethods } from '../factors/methods.ts'
import { groupMethods } from '../groups/methods.ts'
import { clientMethods } from '../clients/methods.ts'
import { registrationMethods } from '../clients/registration_methods.ts'
import type { Counters } from '../metrics/counters.ts'
import { doctorMethods } from '../health/doctor_methods.ts'
import { healthMethods } from '../health/methods.ts'
import { federationMethods } from '../federation/methods.ts'
import type { RouteTests } from '../edge/route_test/route_test.ts'
import { consentMethods } from '../consents/methods.ts'
import { keyMethods } from '../keys/methods.ts'
import { mailMethods } from '../mail/methods.ts'
import { iconMethods, pictureMethods } from '../pictures/methods.ts'
import { providerMethods } from '../providers/methods.ts'
import { roleMethods } from '../roles/methods.ts'
import { routeMethods } from '../routes/methods.ts'
import type { IsOwnPath } from '../routes/route_checks.ts'
import { serviceMethods } from '../services/methods.ts'
import { sessionMethods } from '../sessions/methods.ts'
import { recordTokenRevocation } from '../sessions/revocations.ts'
import { settingMethods } from '../settings/methods.ts'
import { tokenMethods } from '../token/methods.ts'
import { credentialMethods } from '../users/credential_methods.ts'
import { userMethods } from '../users/methods.ts'
import type { Method } from '../contract/method.ts'
import type { Flows } from './flows.ts'
import type { Ground, Rooms } from './rooms.ts'

/** Every method of every room and flow. All doors, the document and the tests use this list. */
export const allMethods = (
  { config, database }: Ground,
  rooms: Rooms,
  flows: Flows,
  counters: Counters,
  /** Explains what would happen to a request. */
  trial: RouteTests['run'],
  isOwnPath: IsOwnPath,
): Method[] => {
  const {
    settings,
    audit,
    users,
    groups,
    members,
    grants,
    admins,
    belongings,
    services,
    keys,
    roles,
    claims,
    credentials,
    sessions,
    revocations,
    mails,
    passkeys,
    factors,
    routes,
    attempts,
    clients,
    registrationTokens,
    consents,
    mayBeLocal,
    party,
    providers,
    personal,
    access,
  } = rooms
  const { signIn, emailFlows, registration, federation, setup, impersonation, clientProof, tellToken } = flows
  return [
    ...healthMethods(counters, database, rooms.readiness),
    ...doctorMethods(rooms.doctor),
    ...authMethods({
      users,
      credentials,
      attempts,
      sessions,
      claims,
      signIn,
      flows: emailFlows,
      setup,
    }),
    ...impersonationMethods(impersonation),
    ...emailMethods({ flows: emailFlows, registration, credentials, attempts, signIn }),
    ...codeMethods({ flows: emailFlows, attempts, enrolment: flows.enrolment }),
    ...recoveryMethods(flows.recovery, flows.enrolmentLinks),
    ...invitationMethods(
      flows.invitationLinks,
      rooms.invitations,
      flows.registrationRequests,
      flows.admission,
    ),
    ...noticeMethods(flows.intrusions),
    ...requestMethods(flows.requests, flows.deciding),
    ...accountMethods(flows.personalData, flows.closedAccounts),
    ...proofMethods({
      users,
      credentials,
      attempts,
      sessions,
      factors,
      passkeys,
      previousHosts: flows.previousHosts,
      signIn,
      links: flows.links,
      flows: emailFlows,
    }),
    refreshMethod(sessions, signIn),
    ...trustedMethods(flows.trusted),
    ...elsewhereMethods(flows.elsewhere),
    ...factorMethods({
      factors,
      passkeys,
      userOf: async (lookup) => users.get(lookup),
      guardFirst: (caller) => flows.enrolment.guard(caller),
      guard: (username, caller) => users.guard(username, caller),
      count: async (userId, address) => {
        const counted = await attempts.count({ factorOf: userId }, address)
        return () => attempts.succeeded(counted)
      },
    }),
    ...userMethods(users, credentials, sessions, rooms.userAttributes),
    ...attributeMethods(rooms.attributes),
    ...pictureMethods(rooms.pictures, (username, caller) => users.guard(username, caller)),
    ...iconMethods(rooms.icons),
    ...credentialMethods(belongings),
    ...groupMethods(groups, members, grants, admins, rooms.groupProofs),
    ...roleMethods(roles),
    ...claimMethods(claims, (user, wanted) => flows.placeChecks.check(user, wanted)),
    ...sessionMethods(sessions, users, revocations),
    ...routeMethods(routes, trial, isOwnPath),
    ...settingMethods(settings),
    ...serviceMethods(services),
    ...mailMethods(mails),
    ...clientMethods(clients, async (name) => {
      const attribute = (await rooms.attributes.all()).get(name)
      return attribute && isIdentifying(attribute)
    }),
    ...registrationMethods(registrationTokens),
    ...consentMethods(consents, async (lookup) => users.get(lookup)),
    ...providerMethods({
      providers,
      party,
      mayBeLocal,
      receivedFor: async (provider, username) =>
        federation.received.of(provider, (await users.get({ username })).id),
      forgetPeople: (provider) => federation.linking.forgetProvider(provider),
      keepMembers: (provider, groups) => members.removeProviderMemberships(provider, { except: groups }),
    }),
    ...federationMethods(federation),
    ...keyMethods(keys),
    ...tokenMethods({
      personal,
      access,
      proveProgram: (id, secret, { address }) => clientProof.verify(id, secret, address),
      program: async (id, secret) => toProgram(await clientProof.again(id, secret)),
      person: async (username) => users.get({ username }),
      service: (name) => services.get(name),
      subjectOfService,
      tell: (token, audience = config.public_url) => tellToken(token, audience),
      longest: () => settings.value('token_lifetime'),
      told: (token_id) => recordTokenRevocation(database.query, { token_id }),
    }),
    ...auditMethods(audit),
  ]
}
