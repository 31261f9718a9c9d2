import { busyTimeoutMs } from './connect.ts'
import type { Task } from './thread_messages.ts'

/** Milliseconds that writers wait at most, each time. */
const writersWaitMs = 100

/** Moves the write-ahead log into the database, in a thread, as far as no reader still needs it. */
const moveLog: Task<null, void> = (database) => {
  const [moved] = database.pragma('wal_checkpoint(PASSIVE)') as { log: number; checkpointed: number }[]
  if (moved!.checkpointed === moved!.log) return
  // While others keep writing, the log never restarts from its beginning: make writers wait for these last few pages.
  database.pragma(`busy_timeout = ${writersWaitMs}`)
  database.pragma('wal_checkpoint(FULL)')
  database.pragma(`busy_timeout = ${busyTimeoutMs}`)
}
export default moveLog
