/** Has been read, and is served once everything that arrived with it has been read too. */
interface Waiting {
  serve(): void
}

/** Keeps bytes that are ready to be written. */
interface Writer {
  flush(): void
}

let waiting: Waiting[] = []
let writers: Writer[] = []
let scheduled = false

const endTurn = (): void => {
  scheduled = false
  const served = waiting
  waiting = []
  for (const one of served) one.serve()
  flushAll()
}

/** Flushes every writer now, before the turn of the event loop ends. */
export const flushAll = (): void => {
  const flushed = writers
  writers = []
  for (const writer of flushed) writer.flush()
}

const schedule = (): void => {
  if (scheduled) return
  scheduled = true
  setImmediate(endTurn)
}

/**
 * Serves `one` when the event loop has read everything that had arrived. One look at the database, behind the last byte of all of
 * these requests, then counts for all of them.
 */
export const serveAtTurnEnd = (one: Waiting): void => {
  waiting.push(one)
  schedule()
}

/**
 * Flushes `writer` at the end of this turn of the event loop. A write wakes the process at the other end, which costs more than the write
 * itself; many writes in a row wake it once.
 */
export const flushAtTurnEnd = (writer: Writer): void => {
  writers.push(writer)
  schedule()
}
