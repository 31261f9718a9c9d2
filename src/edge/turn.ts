import type { Socket } from 'node:net'

/** What has come, but waits until everything that has come is known. */
interface Served {
  serve(): void
}

let waiting: Served[] = []
let held: Socket[] = []
let ending = false

/** Serves what waits and lets go what is held. Happens by itself when the turn ends. */
const endTurn = (): void => {
  ending = false
  const all = waiting
  waiting = []
  for (const one of all) one.serve()
  release()
}

/** Lets go what is held, before the turn ends. */
export const release = (): void => {
  const all = held
  held = []
  for (const socket of all) socket.uncork()
}

const willEnd = (): void => {
  if (ending) return
  ending = true
  setImmediate(endTurn)
}

/**
 * Serves when the event loop has read everything that had arrived: then one question whether anything was changed, asked behind
 * the last byte of all of them, does for all.
 */
export const serveWhenTurnEnds = (one: Served): void => {
  waiting.push(one)
  willEnd()
}

/**
 * What is written to the socket from now on leaves when the turn ends. A write wakes whoever waits at the other end, which
 * costs more than the write itself: many in a row wake it once.
 */
export const holdUntilTurnEnds = (socket: Socket): void => {
  socket.cork()
  held.push(socket)
  willEnd()
}
