import type { Task } from './threads.ts'

/** Moves into the database what the write-ahead log holds, in a thread, as far as nobody reads or writes there. */
const moveLog: Task<null, void> = (database) => {
  database.pragma('wal_checkpoint(PASSIVE)')
}
export default moveLog
