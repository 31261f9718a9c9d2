import { Audit } from './audit/audit.ts'
import { OversizeReports } from './audit/oversize.ts'
import { auditMethods } from './audit/methods.ts'
import { Bearers, subjectOfService } from './auth/bearers.ts'
import { ClientProof } from './auth/client_proof.ts'
import { HeroAuth } from './auth/hero_auth.ts'
import { Identification } from './auth/identify.ts'
import { EmailFlows } from './auth/email_flows.ts'
import { emailMethods } from './auth/email_methods.ts'
import { Links } from './auth/links.ts'
import { authMethods } from './auth/methods.ts'
import { proofMethods } from './auth/proof_methods.ts'
import { Setup } from './auth/setup.ts'
import { SignIn } from './auth/sign_in.ts'
import { Impersonation } from './auth/impersonation.ts'
import { tokenTeller, toProgram } from './auth/token_words.ts'
import { Claims } from './claims/claims.ts'
import { claimMethods } from './claims/methods.ts'
import { Attempts } from './credentials/attempts.ts'
import { Credentials } from './credentials/credentials.ts'
import { Challenges } from './factors/challenges.ts'
import { Factors } from './factors/factors.ts'
import { factorMethods } from './factors/methods.ts'
import { Passkeys } from './factors/passkeys.ts'
import { Admins } from './groups/admins.ts'
import { Grants } from './groups/grants.ts'
import { Groups } from './groups/groups.ts'
import { Members } from './groups/members.ts'
import { groupMethods } from './groups/methods.ts'
import { Clients } from './clients/clients.ts'
import { DynamicClients } from './clients/dynamic_clients.ts'
import { clientMethods } from './clients/methods.ts'
import { registrationMethods } from './clients/registration_methods.ts'
import { RegistrationTokens } from './clients/registration_tokens.ts'
import { Counters } from './health/counters.ts'
import { healthMethods } from './health/methods.ts'
import { federationMethods } from './federation/methods.ts'
import { federate } from './federation/federate.ts'
import type { Config } from './config.ts'
import { Admission, connectionsFor } from './edge/admission.ts'
import { CookiePolicy } from './edge/cookie_policy.ts'
import { FormGuard } from './edge/csrf.ts'
import { Decisions } from './edge/decision.ts'
import { Door } from './edge/door.ts'
import { LoopGuard } from './edge/loop_guard.ts'
import { OwnPaths } from './edge/own_paths.ts'
import { Peers } from './edge/peers.ts'
import { RpcPath } from './edge/rpc_path.ts'
import type { SecureEdge } from './edge/secure_edge.ts'
import { EdgeServer } from './edge/server.ts'
import { Signatures } from './edge/signature.ts'
import { Trials } from './edge/trial.ts'
import { Upstreams } from './edge/upstreams.ts'
import { Visitors } from './edge/visitor.ts'
import { Accounts } from './oidc/accounts.ts'
import { Consents } from './oidc/consents.ts'
import { Logouts } from './oidc/logouts.ts'
import { consentMethods } from './oidc/methods.ts'
import { OpenId } from './oidc/open_id.ts'
import { Records } from './oidc/records.ts'
import { Registrations } from './oidc/registrations.ts'
import { enginePages } from './edge/engine_pages.ts'
import { Assertions } from './keys/assertions.ts'
import { Keys } from './keys/keys.ts'
import { keyMethods } from './keys/methods.ts'
import { Mails } from './mail/mails.ts'
import { mailMethods } from './mail/methods.ts'
import { providerMethods } from './providers/methods.ts'
import { Providers } from './providers/providers.ts'
import { RelyingParty } from './providers/relying_party.ts'
import { openFileLimit } from './listening.ts'
import type { Log } from './log.ts'
import { leaveMark } from './mark.ts'
import { Dispatcher } from './rpc/dispatcher.ts'
import { discoverMethod } from './rpc/discover.ts'
import { Envelope } from './rpc/envelope.ts'
import { RpcSocket } from './rpc/socket.ts'
import { Roles } from './roles/roles.ts'
import { roleMethods } from './roles/methods.ts'
import { Routes } from './routes/routes.ts'
import { routeMethods } from './routes/methods.ts'
import { serviceMethods } from './services/methods.ts'
import { Services } from './services/services.ts'
import { sessionMethods } from './sessions/methods.ts'
import { recordTokens, Revocations } from './sessions/revocations.ts'
import { ownWays } from './sessions/session.ts'
import { Sessions } from './sessions/sessions.ts'
import { settingMethods } from './settings/methods.ts'
import { Settings } from './settings/settings.ts'
import type { Database } from './storage/database.ts'
import type { Seal } from './storage/seal.ts'
import { AccessTokens } from './token/access_tokens.ts'
import { OldTokens } from './token/hs256.ts'
import { tokenMethods } from './token/methods.ts'
import { PersonalTokens } from './token/personal_tokens.ts'
import { belongingMethods } from './users/belonging_methods.ts'
import { Belongings } from './users/belongings.ts'
import { KnownKeys } from './users/known_keys.ts'
import { KnownPeople } from './users/known_people.ts'
import { KnownNetworks } from './users/known_networks.ts'
import { userMethods } from './users/methods.ts'
import { Users } from './users/users.ts'

export type App = ReturnType<typeof createApp>

/** The only place where rooms meet: builds each once and hands it what it uses. */
export const createApp = (
  config: Config,
  database: Database,
  seal: Seal,
  log: Log,
  /** Where the edge speaks TLS. */
  Secure?: typeof SecureEdge,
) => {
  const publicHost = new URL(config.public_url).hostname
  const counters = new Counters()
  const settings = new Settings(database, seal)
  const audit = new Audit(database, seal.derive('audit chain'))
  const users = new Users(database, () => settings.value('default_context'))
  const groups = new Groups(database)
  const members = new Members(database, groups)
  const grants = new Grants(database, groups)
  const admins = new Admins(database, groups)
  const belongings = new Belongings(database, users)
  const services = new Services(database)
  const keys = new Keys(database, seal)
  const assertions = new Assertions(keys, config.public_url)
  const roles = new Roles(database)
  const claims = new Claims(database, () => settings.value('admin_factor'))
  const credentials = new Credentials(database, () => settings.value('password_min_length'))
  const sessions = new Sessions(database, (name) => settings.value(name))
  const revocations = new Revocations(database)
  const mailServer = async () => ({
    host: await settings.value('smtp_host'),
    port: await settings.value('smtp_port'),
    tls: await settings.value('smtp_tls'),
    user: await settings.value('smtp_user'),
    password: await settings.value('smtp_password'),
    ca: await settings.value('smtp_ca'),
    from: (await settings.value('mail_from')) || `no-reply@${publicHost}`,
    site: await settings.value('site_name'),
  })
  const mails = new Mails(database, seal, mailServer, log)
  const routes = new Routes(database)
  const attempts = new Attempts(database)
  const links = new Links(database)
  const site = () => settings.value('site_name')
  const webauthn = { id: publicHost, origin: new URL(config.public_url).origin, name: site }
  const passkeys = new Passkeys(
    database,
    new Challenges(database, seal.derive('passkey challenges')),
    webauthn,
  )
  const factors = new Factors({ database, seal, passkeys, sessions, attempts, mails, site })
  const signIn = new SignIn({ database, credentials, sessions, attempts, factors, links })
  const flows = new EmailFlows({
    database,
    users,
    credentials,
    attempts,
    sessions,
    links,
    mails,
    signIn,
    setting: (key) => settings.value(key),
    publicUrl: config.public_url,
  })
  const mayBeLocal = () => settings.value('providers_may_be_local')
  const party = new RelyingParty(mayBeLocal)
  const providers = new Providers({
    database,
    seal,
    reserved: [...ownWays, 'network'],
    mayBeLocal,
    publicUrl: config.public_url,
    log,
  })
  const federation = federate({
    database,
    seal,
    audit,
    log,
    providers,
    party,
    users,
    members,
    sessions,
    signIn,
    magicLinks: () => settings.value('magic_links'),
    publicUrl: config.public_url,
  })
  belongings.beforeUnlinking = (identity, caller) => federation.linking.unlink(identity, caller)
  const setup = new Setup(database, (at) => leaveMark(config, at), log)
  const impersonation = new Impersonation(users, sessions)
  const registrationMode = () => settings.value('client_registration')
  const clients = new Clients(database, async () => (await registrationMode()) !== 'off')
  clients.whenTokensEnd = (client) => recordTokens(database.query, { client })
  const clientProof = new ClientProof(clients, attempts)
  const personal = new PersonalTokens(database)
  const access = new AccessTokens({
    database,
    issuer: config.public_url,
    signing: () => keys.signing(),
    verifying: (kid) => keys.verifying(kid),
  })
  services.whenTokensEnd = (name) => access.revokeAllOf(subjectOfService(name))
  const people = new KnownPeople(database)
  const bearers = new Bearers({ personal, access, people, clients, services, issuer: config.public_url })
  const dynamicClients = new DynamicClients(database, clients)
  const registrationTokens = new RegistrationTokens(database)
  const records = new Records(database, seal)
  const consents = new Consents(database, records)
  // Of all applications: what still counts is renewed by those that may.
  consents.whenRevoked = (userId) => access.revokeAllOf(userId)
  const openId = new OpenId({
    issuer: config.public_url,
    database,
    audit,
    keys,
    log,
    records,
    clients,
    accounts: new Accounts(database, claims),
    consents,
    pages: enginePages(publicHost),
    provesItself: (client, secret, address) => clientProof.check(client, secret, address),
    access,
    isRightAway: (client, secret, address) => clientProof.isRightAway(client, secret, address),
    isResource: async (resource) => (await routes.table()).at(new URL(resource).hostname) !== undefined,
    noteUse: (client) => {
      if (client?.dynamic)
        dynamicClients
          .noteUse(client)
          .catch((error: Error) => log.error({ error: error.message }, 'the use of a client was not noted'))
    },
    setting: (name) => settings.value(name),
    signOut: (id) => sessions.revoke(id, 'logout'),
  })
  const registrations = new Registrations({
    database,
    audit,
    dynamicClients,
    tokens: registrationTokens,
    mode: registrationMode,
  })
  const logouts = new Logouts({
    database,
    records,
    clients,
    send: (client, subject, sid) => openId.sendLogout(client, subject, sid),
    log,
  })
  sessions.whenEnded = (ids) => logouts.sessionsEnded(ids)
  // Whoever held the account may have let applications in for good.
  sessions.whenAllEnded = async (userId, reason) => {
    if (reason === 'revoked') return
    await records.removeOf(userId)
    await personal.removeAllOf(userId)
    await access.revokeAllOf(userId)
  }
  const tellToken = tokenTeller({ sessions, bearers, claims })
  const identification = new Identification(database, sessions, claims, bearers, config.public_url)

  const { methods, document } = discoverMethod([
    ...healthMethods(counters, database.kind),
    ...authMethods({ users, credentials, attempts, sessions, claims, signIn, flows, setup, impersonation }),
    ...emailMethods({ flows, credentials, attempts, signIn }),
    ...proofMethods({ users, credentials, attempts, sessions, factors, passkeys, signIn }),
    ...factorMethods({ factors, passkeys, users, attempts }),
    ...userMethods(users, credentials, sessions),
    ...belongingMethods(belongings),
    ...groupMethods(groups, members, grants, admins),
    ...roleMethods(roles),
    ...claimMethods(claims),
    ...sessionMethods(sessions, users, revocations),
    ...routeMethods(routes, (params) => trials.run(params)),
    ...settingMethods(settings),
    ...serviceMethods(services),
    ...mailMethods(mails),
    ...clientMethods(clients),
    ...registrationMethods(registrationTokens),
    ...consentMethods(consents, users),
    ...providerMethods({
      providers,
      party,
      mayBeLocal,
      forgetPeople: (provider) => federation.linking.forgetProvider(provider),
    }),
    ...federationMethods(federation),
    ...keyMethods(keys),
    ...tokenMethods({
      personal,
      access,
      program: async (id, secret, { address }) => toProgram(await clientProof.verify(id, secret, address)),
      person: (username) => users.get({ username }),
      service: (name) => services.get(name),
      subjectOfService,
      tell: (token, audience = config.public_url) => tellToken(token, audience, config.public_url),
      longest: () => settings.value('token_lifetime'),
      told: (token_id) => recordTokens(database.query, { token_id }),
    }),
    ...auditMethods(audit),
  ])
  const dispatcher = new Dispatcher(methods, database, audit, log, counters)
  const envelope = new Envelope(dispatcher, log)

  const socket = new RpcSocket({
    envelope,
    identification,
    document,
    services,
    socketTrust: () => settings.value('socket_trust'),
    log,
  })

  const oversize = new OversizeReports(database, audit, log)
  const cookies = new CookiePolicy(() => settings.value('insecure_cookies'))
  const networks = new KnownNetworks(database, () => settings.value('network_login'))
  const knownKeys = new KnownKeys(database)
  const visitors = new Visitors({
    sessions,
    claims,
    cookies,
    networks,
    bearers,
    bearerToken: config.bearer_token,
    issuer: config.public_url,
    programContext: () => settings.value('default_context'),
  })
  const forms = new FormGuard(seal.derive('form tokens'))
  const deciding = {
    visitors,
    signatures: new Signatures(knownKeys),
    assertions,
    providers: () => providers.names(),
    providerToken: (userId: string, provider: string) => federation.tokens.forRoute(userId, provider),
    reportOversize: (username: string, domain: string) => oversize.report(username, domain),
  }
  const offers = async () => ({
    registration: await settings.value('registration_mode'),
    magicLinks: await settings.value('magic_links'),
    providers: (await providers.enabled()).map(({ provider, title }) => ({ provider, title })),
  })
  const theme = async () => ({
    site: await settings.value('site_name'),
    accent: await settings.value('theme_accent'),
    accentDark: await settings.value('theme_accent_dark'),
    logo: await settings.value('logo'),
  })
  const visits = {
    call: dispatcher.call,
    identification,
    cookies,
    forms,
    visitors,
    offers,
    publicUrl: config.public_url,
  }
  const rpc = new RpcPath({
    receive: (body, identify) => envelope.receive(body, identify),
    identification,
    cookies,
    visitors,
    operatorToken: config.operator_token,
    publicHost,
  })
  const heroAuth = new HeroAuth({
    call: dispatcher.call,
    old: () => settings.value('hs256_tokens'),
    tokens: new OldTokens((text) => seal.shared(text)),
    endSession: async (token) => {
      const session = await sessions.find(token, 'token')
      if (session) await sessions.revoke(session.id, 'logout')
    },
    client: (id) => clients.find(id),
    person: async (username) => {
      const found = await users.find(username)
      return found && { ...found, claims: (await claims.of(found.id)) ?? [] }
    },
  })
  const leading = {
    peers: new Peers(config.trusted_proxies),
    publicHost,
    routes: () => routes.table(),
    ownPaths: new OwnPaths({
      visits,
      rpc,
      document,
      jwks: () => keys.jwks(),
      theme,
      openId,
      heroAuth,
      registrations,
      federation,
      publicHost,
    }),
    upstreams: new Upstreams({ routes: () => routes.table(), log }),
  }
  const loops = new LoopGuard(database)
  const door = new Door({
    ...leading,
    decisions: new Decisions(deciding),
    changes: database.changes,
    warmUp: async (sessionIds) => {
      const live = await sessions.warmUp(sessionIds)
      await claims.warmUp(live.flatMap(({ user_id, overlay }) => [user_id, overlay?.user_id ?? user_id]))
    },
    loops,
    log,
    counters,
  })
  const thought = new Decisions({
    ...deciding,
    providerToken: () => ({ access_token: 'thought-of' }),
    reportOversize: () => {},
  })
  const trials = new Trials({ ...leading, decisions: thought, cookies, users, claims })
  const mostConnections = Math.min(config.max_connections, connectionsFor(openFileLimit()))
  const secure =
    Secure && new Secure({ config, database, seal, routes: () => routes.table(), publicHost, log })
  const edge = new EdgeServer(door, new Admission(mostConnections, log), log, secure?.openFront)

  const sweep = async () => {
    await sessions.sweep()
    await attempts.sweep()
    await links.sweep()
    await users.sweep()
    await mails.sweep()
    await revocations.sweep()
    await records.sweep()
    await personal.sweep()
    await access.sweep()
    await dynamicClients.sweep()
    await registrationTokens.sweep()
    await federation.sweep()
    await keys.rotateWhenDue(await settings.value('key_rotation_days'))
    await knownKeys.sweep()
    await audit.sweep(await settings.value('audit_retention_days'))
  }

  return {
    counters,
    sweep,
    mails,
    logouts,
    settings,
    sessions,
    personal,
    revocations,
    credentials,
    setup,
    dispatcher,
    loops,
    socket,
    edge,
    secure,
    document,
  }
}
