import { statSync } from 'node:fs'
import { extname } from 'node:path'
import { sql } from 'kysely'
import type { Log } from '../log.ts'
import { asDamage } from './connect.ts'
import type { Condition, Database } from './database.ts'

/** Milliseconds between two looks at the write-ahead log. */
const every = 2000

const beside = (name: string) => new URL(`./${name}${extname(import.meta.url)}`, import.meta.url)
const checkTable = beside('check_table')
const moveLog = beside('move_log')

/**
 * What the daemon does for an SQLite file beside its work, in the thread for jobs: checks it whole once, right after the start, and
 * keeps the write-ahead log short. No commit on an event loop does the latter.
 */
export class Upkeep {
  readonly #database: Database
  readonly #file: string
  readonly #log: Log
  readonly #told: (condition: Condition) => void
  #timer: NodeJS.Timeout | undefined
  #written = 0
  #moving = false

  /** `told` hears how the file is, once that is known. */
  constructor(database: Database, file: string, log: Log, told: (condition: Condition) => void = () => {}) {
    this.#database = database
    this.#file = file
    this.#log = log
    this.#told = told
  }

  start(): void {
    void this.#check().catch((error: Error) => {
      if (this.#timer)
        this.#log.error({ file: this.#file, error: error.message }, 'the database could not be checked')
    })
    this.#timer = setInterval(() => void this.#moveLog(), every).unref()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #check(): Promise<void> {
    const bad = await this.#firstDamage()
    if (bad !== '') {
      // The log comes first: once `health` says damaged, an operator finds the cause there.
      this.#log.error(
        { file: this.#file, found: bad },
        `the database file ${this.#file} is damaged: nothing is written any more; restore it from a backup`,
      )
      this.close()
      await this.#database.refuseWrites()
    } else this.#database.condition = 'ok'
    this.#told(this.#database.condition)
  }

  /** A table at a time, so that no read is open for long. */
  async #firstDamage(): Promise<string> {
    try {
      const { rows } = await sql<{ name: string }>`
        select 'sqlite_schema' as name
        union all select name from sqlite_schema where type = 'table' and sql not like 'create virtual%'`.execute(
        this.#database.threads!.jobs.kysely,
      )
      for (const { name } of rows) {
        const bad = await this.#database.threads!.jobs.run<string, string>(checkTable, name)
        if (bad !== '') return bad.split('\n')[0]!
      }
      return ''
    } catch (error) {
      if (asDamage(this.#file, error) === error) throw error
      return (error as Error).message
    }
  }

  async #moveLog(): Promise<void> {
    // Its time tells more than its size, which stays when it begins anew.
    const written = statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.mtimeMs ?? 0
    if (this.#moving || written === this.#written) return
    this.#moving = true
    try {
      await this.#database.threads!.jobs.run(moveLog, null)
      this.#written = written
    } catch (error) {
      if (this.#timer)
        this.#log.warn({ error: (error as Error).message }, 'the write-ahead log could not be moved')
    } finally {
      this.#moving = false
    }
  }
}
