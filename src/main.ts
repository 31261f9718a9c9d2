import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import { createLog, type Log } from './log.ts'
import { openSeal, readMasterSecret } from './master_secret.ts'
import { databaseExists, openDatabase, type Database } from './storage/database.ts'
import { instanceFact } from './storage/instance.ts'

/** How long requests under way may take to finish when the daemon stops, in milliseconds. */
const grace = 10_000
const sweepEvery = 10 * 60_000

export interface Daemon {
  readonly socketPath: string
  readonly edge: { readonly host: string; readonly port: number }
  /** The one-time link for the first administrator, while there is none. */
  readonly setupLink: string | undefined
  close(): Promise<void>
}

export const socketPathOf = ({ socket_dir }: Pick<Config, 'socket_dir'>): string =>
  join(socket_dir, 'hero_proxy', 'rpc.sock')

/**
 * An instance that was set up leaves a mark beside the database. A database that is gone is then a loss to be told, not a
 * fresh start: whoever came first could make himself administrator.
 */
const refuseLostDatabase = ({ data_dir, database_url }: Config) => {
  if (existsSync(markOf(data_dir)) && !databaseExists(database_url)) {
    throw new Error(
      `the database ${database_url} is gone, and this instance was set up before; restore it from a backup, or remove ${markOf(data_dir)} to begin anew`,
    )
  }
}

/** The same for a database that is there and empty: a file cut to nothing, a wrong PostgreSQL database. */
const refuseEmptiedDatabase = async ({ data_dir }: Config, database: Database) => {
  if (existsSync(markOf(data_dir)) && (await instanceFact(database, 'initialised_at')) === undefined) {
    throw new Error(
      `the database is empty, and this instance was set up before; restore it from a backup, or remove ${markOf(data_dir)} to begin anew`,
    )
  }
}

const markOf = (dataDir: string) => join(dataDir, 'initialised')

/** Starts the daemon: database, rooms, socket, edge. Rejects with one line for people when something is wrong. */
export const startDaemon = async (
  config: Config,
  log: Log = createLog(config.log_level),
): Promise<Daemon> => {
  mkdirSync(config.data_dir, { recursive: true, mode: 0o700 })
  refuseLostDatabase(config)
  const secret = readMasterSecret(config)
  const database = await openDatabase(config.database_url, log)
  try {
    await refuseEmptiedDatabase(config, database)
    const seal = await openSeal(database, secret)
    const app = createApp(config, database, seal, log)
    await app.credentials.selfTest()
    await app.loops.open()
    const leaveMark = async () => {
      const initialised = await instanceFact(database, 'initialised_at')
      if (initialised !== undefined && !existsSync(markOf(config.data_dir))) {
        writeFileSync(markOf(config.data_dir), `${initialised}\n`, { mode: 0o600 })
      }
    }
    await leaveMark()

    const socketPath = socketPathOf(config)
    await app.socket.listen(socketPath)
    let address
    try {
      address = await app.edge.listen(config.listen)
    } catch (error) {
      await app.socket.close(0)
      const { host, port } = config.listen
      throw new Error(`cannot listen on ${host}:${port} (${(error as NodeJS.ErrnoException).code})`, {
        cause: error,
      })
    }

    const setupToken = (await app.setup.isOpen()) ? await app.setup.issueToken() : undefined
    const sweeper = setInterval(() => {
      app.sweep().catch((error: Error) => log.warn({ error: error.message }, 'sweeping failed'))
    }, sweepEvery).unref()
    // Until it is there: a daemon that is killed right after set-up must not offer it again either.
    const marker = setInterval(() => {
      if (existsSync(markOf(config.data_dir))) return clearInterval(marker)
      leaveMark().catch((error: Error) =>
        log.warn({ error: error.message }, 'the mark of set-up could not be written'),
      )
    }, 1000).unref()
    log.info({ socket: socketPath, edge: `${address.address}:${address.port}` }, 'ready')

    return {
      socketPath,
      edge: { host: address.address, port: address.port },
      setupLink: setupToken && `${config.public_url}/auth/setup?token=${setupToken}`,
      close: async () => {
        clearInterval(sweeper)
        clearInterval(marker)
        await Promise.all([app.edge.close(grace), app.socket.close(grace)])
        await leaveMark().catch(() => {})
        await app.credentials.close()
        await database.close()
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}
