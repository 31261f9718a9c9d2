import { mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { App } from './app/app.ts'
import type { Config } from './config/config.ts'
import { testHashing } from './passwords/passwords.ts'
import { noWorkers } from './metrics/counters.ts'
import { openInstance, type Instance } from './app/instance.ts'
import { bindSocket, type PassedSockets } from './start/passed_sockets.ts'
import { createLog, type Log } from './log/log.ts'
import {
  writeInitialisedMarker,
  refuseEmptiedDatabase,
  refuseLostDatabase,
} from './start/initialised_marker.ts'
import type { Condition, Database } from './storage/database.ts'
import { instanceFact } from './storage/instance_facts.ts'
import { createSearchIndexes } from './storage/search_index.ts'
import { SqliteMaintenance } from './storage/sqlite/upkeep.ts'
import { refusePreviousAtHome } from './start/public_urls.ts'
import { refuseIncompleteTls } from './start/tls_settings.ts'
import { Workers } from './workers/pool.ts'
import { databaseFile } from './storage/open_database.ts'

/** Milliseconds in which requests in progress may finish when the daemon stops. */
const graceMs = 10_000
const sweepIntervalMs = 10 * 60_000
/** Milliseconds between two reports of the daemon's numbers to the workers. */
const reportIntervalMs = 1000

export interface Daemon {
  readonly socketPath: string
  readonly edge: { readonly host: string; readonly port: number }
  /** The address of plain HTTP beside TLS. */
  readonly plain: { readonly host: string; readonly port: number } | undefined
  /** The one-time link that creates the first administrator, as long as there is none. */
  readonly setupLink: string | undefined
  /** Replaces the workers, one after another, without a refused connection. */
  renew(): Promise<void>
  close(): Promise<void>
}

export const socketPathOf = ({ socket_dir }: Pick<Config, 'socket_dir'>): string =>
  join(socket_dir, 'hero_proxy', 'rpc.sock')

/** Starts the daemon: database, app, socket, edge. Rejects with a one-line message if something is wrong. */
export const startDaemon = async (
  config: Config,
  log: Log = createLog(config.log_level),
  passed: PassedSockets = {},
): Promise<Daemon> => {
  refuseIncompleteTls(config)
  refusePreviousAtHome(config)
  mkdirSync(config.data_dir, { recursive: true, mode: 0o700 })
  refuseLostDatabase(config)
  // Runs in a thread while the database opens. The daemon serves nothing before it is done.
  const hashing = testHashing()
  // The error is reported where the promise is awaited.
  hashing.catch(() => {})
  const workers =
    config.workers > 1
      ? new Workers(config, graceMs, log, () => instance.database.revisions.invalidate())
      : undefined
  const instance: Instance = await openInstance(config, log, {
    inspect: (database) => refuseEmptiedDatabase(config, database),
    announce: async () => workers?.forgetAll(),
    workers: () => workers?.numbers() ?? noWorkers(),
  })
  try {
    await hashing
    await instance.app.settle()
    return await serve(config, instance, workers, passed, log)
  } catch (error) {
    await instance.close()
    throw error
  }
}

// oxlint-disable-next-line max-lines-per-function -- the start is one sequence, and every failure undoes what came before it
const serve = async (
  config: Config,
  { app, database, close: closeInstance }: Instance,
  workers: Workers | undefined,
  passed: PassedSockets,
  log: Log,
): Promise<Daemon> => {
  const renewMarker = async () => {
    const initialised = await instanceFact(database, 'initialised_at')
    if (initialised !== undefined) writeInitialisedMarker(config, initialised)
  }
  // Set-up writes the marker too, but it may have run in another process or been interrupted.
  await renewMarker()
  const socketPath = socketPathOf(config)
  await app.socket.listen(socketPath, passed.rpc)
  let edge: Edge
  try {
    edge = workers
      ? await serveByWorkers(config, app, workers, passed)
      : await serveAlone(config, app, passed)
  } catch (error) {
    await app.socket.close(0)
    throw cannotListen(config, passed, error as NodeJS.ErrnoException)
  }
  const { address, port } = edge.address
  let plain: AddressInfo | undefined
  try {
    plain = await app.secure?.start(port)
  } catch (error) {
    await Promise.all([edge.close(), app.socket.close(0)])
    throw error
  }

  const setupToken = (await app.setup.isOpen()) ? await app.setup.issueToken() : undefined
  await app.warnAtStart()
  const stopping = new AbortController()
  const upkeep = startUpkeep(config, database, log, edge)
  const indexing = createSearchIndexes(database, log, stopping.signal).catch((error: Error) => {
    if (!stopping.signal.aborted) log.warn({ error: error.message }, 'cannot build the search index')
  })
  app.mails.start()
  app.logouts.start()
  app.lostAccess.start()
  app.accountEnds.start()
  const sweeper = setInterval(() => {
    app.sweep().catch((error: Error) => log.warn({ error: error.message }, 'sweeping failed'))
  }, sweepIntervalMs).unref()
  const checking = app.doctor.warn(log)
  log.info({ socket: socketPath, edge: `${address}:${port}`, workers: config.workers }, 'ready')

  return {
    socketPath,
    edge: { host: address, port },
    plain: plain && { host: plain.address, port: plain.port },
    setupLink: setupToken && `${config.public_url}/auth/setup?token=${setupToken}`,
    renew: () => edge.renew(),
    close: async () => {
      stopping.abort()
      clearInterval(sweeper)
      await upkeep?.close()
      await app.mails.close()
      await app.lostAccess.close()
      await app.accountEnds.close()
      await app.providerPictures.close()
      await app.logouts.close()
      app.revocations.close()
      await Promise.all([edge.close(), app.socket.close(graceMs)])
      await renewMarker().catch(() => {})
      await indexing
      await checking
      await closeInstance()
    },
  }
}

const startUpkeep = (
  { database_url }: Config,
  database: Database,
  log: Log,
  edge: Edge,
): SqliteMaintenance | undefined => {
  const file = databaseFile(database_url)
  if (file === undefined) return undefined
  const upkeep = new SqliteMaintenance(database, file, log, (condition) => edge.sendCondition(condition))
  upkeep.start()
  return upkeep
}

/** What serves the edge: this process, or its workers. */
interface Edge {
  readonly address: AddressInfo
  sendCondition(condition: Condition): void
  renew(): Promise<void>
  close(): Promise<void>
}

const serveAlone = async (config: Config, { edge }: App, passed: PassedSockets): Promise<Edge> => ({
  address: await edge.listen(passed.edge === undefined ? config.listen : { fd: passed.edge }),
  sendCondition: () => {},
  renew: async () => {
    throw new Error('there are no workers that could be replaced')
  },
  close: () => edge.close(graceMs),
})

const serveByWorkers = async (
  config: Config,
  app: App,
  workers: Workers,
  passed: PassedSockets,
): Promise<Edge> => {
  const bound = passed.edge === undefined ? await bindSocket(config.listen) : undefined
  let address
  try {
    address = await workers.start((bound?.fd ?? passed.edge)!)
  } catch (error) {
    bound?.close()
    throw error
  }
  const reporting = setInterval(() => workers.sendNumbers(app.counters.daemon()), reportIntervalMs).unref()
  return {
    address,
    sendCondition: (condition) => workers.sendCondition(condition),
    renew: () => workers.renew(),
    close: async () => {
      clearInterval(reporting)
      bound?.close()
      await Promise.all([workers.close(), app.edge.close(0)])
    },
  }
}

const cannotListen = ({ listen }: Config, { edge }: PassedSockets, cause: NodeJS.ErrnoException): Error => {
  if (cause.code === undefined) return cause
  const place = edge === undefined ? `${listen.host}:${listen.port}` : `the passed socket ${edge}`
  return new Error(`cannot listen on ${place} (${cause.code})`, { cause })
}
