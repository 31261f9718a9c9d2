import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Database } from '../storage/database.ts'
import { instanceFact } from '../storage/instance_facts.ts'
import { databaseExists } from '../storage/open_database.ts'

const markOf = (dataDir: string) => join(dataDir, 'initialised')

/**
 * An instance that was set up leaves a mark beside the database. A database that is gone is then a loss to be told, not a
 * fresh start: whoever came first could make himself administrator.
 */
export const refuseLostDatabase = ({ data_dir, database_url }: Config): void => {
  if (existsSync(markOf(data_dir)) && !databaseExists(database_url)) {
    throw new Error(
      `the database ${database_url} is gone, and this instance was set up before; restore it from a backup, or remove ${markOf(data_dir)} to begin anew`,
    )
  }
}

/** The same for a database that is there and empty: a file cut to nothing, a wrong PostgreSQL database. */
export const refuseEmptiedDatabase = async ({ data_dir }: Config, database: Database): Promise<void> => {
  if (existsSync(markOf(data_dir)) && (await instanceFact(database, 'initialised_at')) === undefined) {
    throw new Error(
      `the database is empty, and this instance was set up before; restore it from a backup, or remove ${markOf(data_dir)} to begin anew`,
    )
  }
}

/** Leaves the mark, with the time of set-up in it, unless it is there. */
export const leaveMark = ({ data_dir }: Config, initialisedAt: string): void => {
  if (!existsSync(markOf(data_dir))) writeFileSync(markOf(data_dir), `${initialisedAt}\n`, { mode: 0o600 })
}
