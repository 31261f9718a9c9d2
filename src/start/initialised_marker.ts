import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Database } from '../storage/database.ts'
import { instanceFact } from '../storage/instance_facts.ts'
import { databaseExists } from '../storage/open_database.ts'

const markerOf = (dataDir: string) => join(dataDir, 'initialised')

/**
 * Set-up leaves a marker file next to the database. A missing database is then a loss to report, not a fresh start,
 * where the first visitor could become administrator.
 */
export const refuseLostDatabase = ({ data_dir, database_url }: Config): void => {
  if (existsSync(markerOf(data_dir)) && !databaseExists(database_url)) {
    throw new Error(
      `the database ${database_url} is gone, and this instance was set up before; restore it from a backup, or remove ${markerOf(data_dir)} to start over`,
    )
  }
}

/**
 * Like refuseLostDatabase, for a database that exists but is empty: a truncated file, or the wrong PostgreSQL database.
 */
export const refuseEmptiedDatabase = async ({ data_dir }: Config, database: Database): Promise<void> => {
  if (existsSync(markerOf(data_dir)) && (await instanceFact(database, 'initialised_at')) === undefined) {
    throw new Error(
      `the database is empty, and this instance was set up before; restore it from a backup, or remove ${markerOf(data_dir)} to start over`,
    )
  }
}

/** Writes the marker with the time of the set-up, unless it exists. */
export const writeInitialisedMarker = ({ data_dir }: Config, initialisedAt: string): void => {
  if (!existsSync(markerOf(data_dir)))
    writeFileSync(markerOf(data_dir), `${initialisedAt}\n`, { mode: 0o600 })
}
