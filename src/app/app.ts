import type { Counters } from '../metrics/counters.ts'
import type { Config } from '../config/config.ts'
import type { Reactions } from '../contract/reactions.ts'
import type { SecureEdge } from './tls_edge.ts'
import type { Log } from '../log/log.ts'
import { Dispatcher } from '../rpc/dispatcher.ts'
import { discoverMethod } from '../rpc/discover.ts'
import type { Database } from '../storage/database.ts'
import type { Seal } from '../secrets/seal.ts'
import { Home } from '../contract/home.ts'
import { createAccountEnds } from './account_ends.ts'
import { createDoors } from './doors.ts'
import { createFlows } from './flows.ts'
import { allMethods } from './methods.ts'
import { createReactions } from './reactions.ts'
import { LostAccess } from '../oidc/lost_access.ts'
import { createRooms } from './rooms.ts'
import { warnAtStart } from './start_warnings.ts'

export type App = ReturnType<typeof createApp>

/** Builds every part once and gives it its dependencies. Rooms meet nowhere else. */
export const createApp = (
  config: Config,
  database: Database,
  seal: Seal,
  log: Log,
  counters: Counters,
  /** Set if the edge speaks TLS. */
  Secure?: typeof SecureEdge,
) => {
  const ground = {
    config,
    database,
    seal,
    log,
    home: new Home(config.public_url, config.previous_public_urls),
  }
  const reactions: Reactions = createReactions(database, () => ({ rooms, flows }))
  const rooms = createRooms(ground, reactions)
  const flows = createFlows(ground, rooms, reactions)
  const isOwnPath = (domain: string, pathPrefix: string) => doors.ownPaths.coverAll(domain, pathPrefix)
  const { methods, document } = discoverMethod(
    allMethods(ground, rooms, flows, counters, (params) => trials.run(params), isOwnPath),
  )
  const dispatcher = new Dispatcher(methods, database, rooms.audit, log, counters)
  const doors = createDoors({ ...ground, rooms, flows, dispatcher, document, counters, Secure })
  const { trials, knownKeys, ...served } = doors

  /** Deletes expired data and rotates the signing keys when due. Called on a timer. */
  const sweep = () =>
    database.inBackground(async () => {
      const { settings, audit, challenges } = rooms
      const { sessions, attempts, users, mails, revocations, personal, access, dynamicClients, invitations } =
        rooms
      const { links, devices, records, federation, arrivalCodes } = flows
      for (const room of [sessions, attempts, links, users, mails, revocations, records, personal, access])
        await room.sweep()
      for (const room of [
        challenges,
        invitations,
        rooms.passkeyCodes,
        dynamicClients,
        rooms.registrationTokens,
        federation,
        knownKeys,
        arrivalCodes,
        devices,
        flows.trusted,
        flows.elsewhere,
      ])
        await room.sweep()
      await flows.closedAccounts.sweep()
      await flows.requests.sweep()
      await rooms.keys.rotateWhenDue(await settings.value('key_rotation_days'))
      await audit.sweep(await settings.value('audit_retention_days'))
    })

  /** What must be true before anything is served. Throws with one readable line if this configuration does not fit the database. */
  const settle = async () => {
    await rooms.routes.refuseAtPreviousUrls()
    await rooms.passkeys.rpIds.adopt()
    await rooms.sessions.endAtOtherHosts()
  }

  const { mails, settings, liveSessions, personal, revocations, doctor } = rooms
  const { logouts, setup } = flows
  const lostAccess = new LostAccess({ ...rooms, ...flows, database, log, clients: rooms.clientLists })
  const accountEnds = createAccountEnds({ database, log }, rooms, flows)
  const shared = {
    mails,
    settings,
    liveSessions,
    personal,
    revocations,
    logouts,
    lostAccess,
    accountEnds,
    providerPictures: flows.federation.pictures,
    setup,
    doctor,
  }
  return {
    ...shared,
    ...served,
    counters,
    sweep,
    settle,
    warnAtStart: () => warnAtStart(rooms, isOwnPath, log),
    dispatcher,
    document,
  }
}
