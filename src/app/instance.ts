import { createApp, type App } from './app.ts'
import type { Config } from '../config/config.ts'
import { Counters, type WorkerNumbers } from '../metrics/counters.ts'
import type { Log } from '../log/log.ts'
import { openSeal, readMasterSecret } from '../start/master_secret.ts'
import { asDamageError } from '../storage/sqlite/connect.ts'
import type { Database } from '../storage/database.ts'
import { speaksTls } from '../start/tls_settings.ts'
import { databaseFile, openDatabase } from '../storage/open_database.ts'

/** An open database and the app on it. The daemon and each worker have one. */
export interface Instance {
  readonly app: App
  readonly database: Database
  /** Call it when nothing is served any more. */
  close(): Promise<void>
}

interface Process {
  /** Throws if this database must not be served. */
  readonly inspect: (database: Database) => Promise<void>
  /** Resolves when the other processes of this daemon have acknowledged a commit of this one. For PostgreSQL. */
  readonly announce: () => Promise<void>
  readonly workers: () => WorkerNumbers
}

/** Opens the database, inspects it, and builds the app. */
export const openInstance = async (
  config: Config,
  log: Log,
  { inspect, announce, workers }: Process,
): Promise<Instance> => {
  const secret = readMasterSecret(config)
  const database = await openDatabase(config.database_url, log, announce)
  try {
    await database.disableAutoCheckpoint()
    await inspect(database)
    const secure = speaksTls(config) ? await import('./tls_edge.ts') : undefined
    const seal = await openSeal(database, secret)
    const app = createApp(config, database, seal, log, new Counters(workers), secure?.SecureEdge)
    await app.loops.open()
    const close = async () => {
      await app.secure?.close()
      await app.liveSessions.close()
      await app.personal.close()
      await database.close()
    }
    return { app, database, close }
  } catch (error) {
    await database.close()
    throw asDamageError(databaseFile(config.database_url) ?? '', error)
  }
}
