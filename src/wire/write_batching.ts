/** A request that is served once everything that arrived with it has been read too. */
interface Waiting {
  serve(): void
}

/** Holds bytes that are ready to be written. */
interface Writer {
  flush(): void
}

let waiting: Waiting[] = []
let writers: Writer[] = []
let scheduled = false

const endTurn = (): void => {
  scheduled = false
  const requests = waiting
  waiting = []
  for (const request of requests) request.serve()
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
 * Serves `request` when the event loop has read everything that had arrived. One check of the database after the last byte of these
 * requests is then valid for all of them.
 */
export const serveAtTurnEnd = (request: Waiting): void => {
  waiting.push(request)
  schedule()
}

/**
 * Flushes `writer` at the end of this turn of the event loop. A write wakes the process at the other end, which costs more than the
 * write itself. Many writes in a row wake it only once.
 */
export const flushAtTurnEnd = (writer: Writer): void => {
  writers.push(writer)
  schedule()
}
