import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { keepAliveMs } from '../serve/listener.ts'

/** Milliseconds that one side has to finish once the other has ended. */
const finishMs = 60_000

/** Closes the connection after its last bytes have been written. */
const leave = (connection: Duplex): void => {
  if (connection.writableEnded && !connection.writableFinished)
    connection.once('finish', () => connection.destroy())
  else connection.destroy()
}

/**
 * Passes bytes unchanged in both directions, for as long as both sides like: silence ends nothing. When one side ends, the other may
 * still finish what it sends. A side that breaks breaks the other.
 */
export const joinConnections = (client: Duplex, upstream: Socket): void => {
  let timer: NodeJS.Timeout | undefined
  const pairs = [
    [client, upstream],
    [upstream, client],
  ] as const
  const destroyBoth = () => pairs.forEach(([side]) => side.destroy())
  for (const [side, other] of pairs) {
    // An HTTP/2 connection has it from the start.
    if (side instanceof Socket) side.setKeepAlive(true, keepAliveMs)
    side.allowHalfOpen = true
    side.once('end', () => (timer ??= setTimeout(destroyBoth, finishMs).unref()))
    side.on('error', () => other.destroy())
    side.once('close', () => {
      if (other.destroyed) clearTimeout(timer)
      else leave(other)
    })
    side.pipe(other)
  }
}
