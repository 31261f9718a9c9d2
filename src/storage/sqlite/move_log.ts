import { patience } from './connect.ts'
import type { Task } from './thread_messages.ts'

/** Milliseconds that writers wait at most, each time. */
const shortly = 100

/** Moves into the database what the write-ahead log holds, in a thread, as far as nobody reads there. */
const moveLog: Task<null, void> = (database) => {
  const [moved] = database.pragma('wal_checkpoint(PASSIVE)') as { log: number; checkpointed: number }[]
  if (moved!.checkpointed === moved!.log) return
  // As long as pages are written meanwhile, the log never begins anew: writers wait for these last few.
  database.pragma(`busy_timeout = ${shortly}`)
  database.pragma('wal_checkpoint(FULL)')
  database.pragma(`busy_timeout = ${patience}`)
}
export default moveLog
