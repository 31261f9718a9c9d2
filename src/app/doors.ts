import { OversizeReports } from '../audit/oversize_reports.ts'
import { HeroAuth } from '../rest/hero_auth.ts'
import type { Counters } from '../metrics/counters.ts'
import { ConnectionLimit, maxConnectionsFor } from '../edge/serve/connection_limit.ts'
import { refusalPages } from '../html/show_refusal.ts'
import { largeHeadPages } from '../html/large_head.ts'
import { selfContainedPages } from '../html/self_contained.ts'
import { FormGuard } from '../pages/form_tokens.ts'
import { Askers } from '../edge/forward_auth/askers.ts'
import { Decisions } from '../edge/decide/decision.ts'
import { Door } from '../edge/door.ts'
import { LastingDecisions } from '../edge/decide/lasting.ts'
import { LoopDetection } from '../edge/forward/loop_detection.ts'
import { createHandover } from './handover.ts'
import type { OwnPaths } from '../edge/own_paths.ts'
import { myServices, profiles } from './profiles.ts'
import { createOwnPaths } from './own_paths.ts'
import { ClientAddresses, isLocated } from '../wire/client_address.ts'
import type { EdgeRequest } from '../wire/request.ts'
import { PostRpc } from '../rpc/post_rpc.ts'
import type { ReceivedRequest } from '../wire/client_response.ts'
import { UnbelievedProxies } from '../edge/serve/unbelieved_proxies.ts'
import type { SecureEdge } from './tls_edge.ts'
import { EdgeServer } from '../edge/serve/server.ts'
import { switchesOf } from '../routes/route_table.ts'
import { RouteTests } from '../edge/route_test/route_test.ts'
import { UpstreamChoice } from '../upstream/choice.ts'
import { SessionMarks } from '../identity/session_marks.ts'
import { openFileLimit } from '../start/passed_sockets.ts'
import type { Dispatcher } from '../rpc/dispatcher.ts'
import { Envelope } from '../rpc/envelope.ts'
import { RpcSocket } from '../rpc/socket.ts'
import { maySignIn } from '../storage/schema.ts'
import { Hs256Tokens } from '../token/hs256.ts'
import { offersOf } from './offers.ts'
import type { Flows } from './flows.ts'
import type { Ground, Rooms } from './rooms.ts'

interface Parts extends Ground {
  readonly rooms: Rooms
  readonly flows: Flows
  readonly dispatcher: Dispatcher
  /** openrpc.json. */
  readonly document: () => string
  readonly counters: Counters
  /** Set if the edge speaks TLS. */
  readonly Secure: typeof SecureEdge | undefined
}

/** Builds the doors: the socket, and the edge with its pages. */
export const createDoors = (parts: Parts) => {
  const { config, database, seal, log, home, rooms, flows, dispatcher, document, counters, Secure } = parts
  const {
    settings,
    audit,
    users,
    services,
    keys,
    assertions,
    claims,
    sessions,
    liveSessions,
    routes,
    clients,
    providers,
    access,
  } = rooms
  const {
    federation,
    openId,
    registrations,
    cookies,
    networks,
    knownKeys,
    identification,
    callers,
    wordsFor,
    seenPeople,
    judge,
    askTokens,
  } = flows
  const tell = refusalPages(wordsFor)
  const tellUnrouted = selfContainedPages(wordsFor, config.public_url)
  const envelope = new Envelope(dispatcher, log)

  const socket = new RpcSocket({
    envelope,
    callers,
    document,
    services,
    socketTrust: () => settings.value('socket_trust'),
    log,
  })
  const oversize = new OversizeReports(database, audit, log)
  const forms = new FormGuard(seal.derive('form tokens'))
  const marks = new SessionMarks(seal.derive('session marks'))
  const decisionParts = {
    home,
    identification,
    people: seenPeople,
    judge,
    askTokens,
    lasting: new LastingDecisions(claims, networks),
    assertions,
    providers: () => providers.names(),
    providerToken: (userId: string, provider: string) => federation.tokens.forRoute(userId, provider),
    reportOversize: (username: string, domain: string) => oversize.report(username, domain),
  }
  const offers = offersOf(rooms)
  const theme = async () => ({
    site: await settings.value('site_name'),
    accent: await settings.value('theme_accent'),
    accentDark: await settings.value('theme_accent_dark'),
    logo: await settings.value('logo'),
  })
  const unbelieved = new UnbelievedProxies(config, log)
  const peers = new ClientAddresses(config.trusted_proxies, unbelieved.note)
  const pageParts = {
    call: dispatcher.call,
    callers,
    cookies,
    forms,
    offers,
    identification,
    switching: flows.switching,
    marks,
    behindUntrusted: (sent: ReceivedRequest) => unbelieved.explain(sent, peers),
    isLocated: (sent: ReceivedRequest, asked: EdgeRequest) => isLocated(sent, asked, peers),
    links: flows.links,
    landing: () =>
      switchesOf(routes.lastTable().at(home.host)?.match('/'))?.serves === true ? '/auth/services' : '/',
    wordsFor,
    tell,
    ...profiles(rooms, flows),
  }
  const rpc = new PostRpc({
    receive: (body, identify) => envelope.receive(body, identify),
    identification,
    callers,
    operatorToken: config.operator_token,
    home,
    marks,
    tell,
  })
  const heroAuth = new HeroAuth({
    call: dispatcher.call,
    old: () => settings.value('hs256_tokens'),
    tokens: new Hs256Tokens((text) => seal.legacyHmac(text)),
    endSession: async (token) => {
      const session = await liveSessions.find(token)
      if (session) await sessions.revoke(session.id, 'logout')
    },
    client: (id) => clients.find(id),
    person: async (username) => {
      const found = await users.find(username)
      return found && { ...found, may_sign_in: maySignIn(found), claims: (await claims.of(found.id)) ?? [] }
    },
    wasEnded: (userId, issuedAt) => access.wasEnded(userId, issuedAt),
  })
  const decisions = new Decisions(decisionParts)
  const handover = createHandover({ ...parts, decisions, judge, ownPaths: () => ownPaths })
  const ownPaths: OwnPaths = createOwnPaths({
    pages: {
      handover,
      previous: { home, proofs: flows.previousHosts, forms, wordsFor, tell },
      services: myServices(parts),
      pageParts,
      intrusions: flows.intrusions,
      theme,
      images: rooms,
      jwks: () => keys.jwks(),
      openId,
      registrations,
      federation,
      webfinger: {
        issuer: config.public_url,
        domains: () => settings.value('webfinger_domains'),
      },
      tell,
    },
    rpc: { rpc, document },
    heroAuth,
    readiness: rooms.readiness,
    home,
    tell,
    tellUnrouted,
  })
  const edgeParts = {
    peers,
    askers: new Askers(config, log),
    home,
    routes: () => routes.table(),
    knownRoutes: () => routes.currentTable(),
    lastRoutes: () => routes.lastTable(),
    ownPaths,
    upstreams: new UpstreamChoice({ groups: () => routes.table(), log }),
  }
  const loops = new LoopDetection(database)
  const door = new Door({
    ...edgeParts,
    decisions,
    changes: database.changes,
    revisions: database.revisions,
    sessions: liveSessions,
    warmUp: async (sessionIds) => {
      const live = await liveSessions.warmUp(sessionIds)
      await claims.warmUp(live.flatMap(({ user_id, overlay }) => [user_id, overlay?.user_id ?? user_id]))
    },
    loops,
    log,
    counters,
    maxHeadBytes: config.max_head_bytes,
    tell,
    tellLargeHead: largeHeadPages(wordsFor),
    tellUnrouted,
  })
  const dryRunDecisions = new Decisions({
    ...decisionParts,
    providerToken: () => ({ access_token: 'thought-of' }),
    reportOversize: () => {},
  })
  const trials = new RouteTests({ ...edgeParts, decisions: dryRunDecisions, cookies, users, claims })
  const maxConnections = Math.min(config.max_connections, maxConnectionsFor(openFileLimit()))
  const secure = Secure && new Secure({ config, database, seal, routes: () => routes.table(), home, log })
  const edge = new EdgeServer(door, new ConnectionLimit(maxConnections, log), log, {
    fastLane: config.fast_lane === 'on',
    maxHeadBytes: config.max_head_bytes,
    openListener: secure?.openListener,
  })

  return { socket, edge, secure, loops, trials, knownKeys, ownPaths }
}
