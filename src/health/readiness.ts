import type { Log } from '../log/log.ts'
import type { Database } from '../storage/database.ts'
import { schemaFault } from '../storage/migrate.ts'

/** Milliseconds in which the database must answer. */
const patienceMs = 2000

/** Whether this process can serve: its database answers and has exactly the migrations that this version knows. */
export class Readiness {
  readonly #database: Pick<Database, 'query'>
  readonly #log: Log
  #asking: Promise<string> | undefined
  #logged = ''

  constructor(database: Pick<Database, 'query'>, log: Log) {
    this.#database = database
    this.#log = log
  }

  /** Why it cannot, a sentence each; none if it can. Never rejects. A change is logged, because strangers read no causes. */
  async causes(): Promise<string[]> {
    // Anybody may ask, so there is one question at a time, however many wait for its answer.
    const asking = (this.#asking ??= this.#ask().finally(() => (this.#asking = undefined)))
    const cause = await Promise.race([asking, silence()])
    if (cause !== this.#logged) {
      this.#logged = cause
      if (cause === '') this.#log.info('ready again')
      else this.#log.error({ cause }, 'not ready: /readyz answers 503')
    }
    return cause === '' ? [] : [cause]
  }

  async #ask(): Promise<string> {
    try {
      return (await schemaFault(this.#database.query)) ?? ''
    } catch (error) {
      return `the database does not answer: ${(error as Error).message}`
    }
  }
}

const silence = (): Promise<string> =>
  new Promise((resolve) =>
    setTimeout(() => resolve(`the database did not answer within ${patienceMs} ms`), patienceMs).unref(),
  )
