import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { readIntoInbox } from '../../wire/inbox_socket.ts'
import type { Handler } from './handler.ts'

/** Where a front leads what comes in. */
export interface Lanes {
  /** False, and the connection is ended, when there is no room for it; `tells` it why, in plain HTTP. */
  readonly admit: (socket: Socket, tells: boolean) => boolean
  /** A connection of HTTP/1.1. */
  readonly connection: (socket: Socket) => void
  /** Serves requests of HTTP/2 in the usual form; undefined where all requests take the way below. */
  readonly fast: Pick<Handler, 'serveFast' | 'broke'> | undefined
  /** A request of HTTP/2, told as one of HTTP/1.1. */
  readonly request: (request: IncomingMessage, response: ServerResponse) => void
  /** A WebSocket of HTTP/2, told as an upgrade; the stream is its connection. */
  readonly tunnel: (request: IncomingMessage, stream: Duplex) => void
}

/** What listens and takes connections. */
export interface Front {
  readonly server: Server
  /** Ends what is idle; requests under way may finish. */
  drain(): void
  destroyAll(): void
}

export type OpenFront = (lanes: Lanes) => Front

const nothing = () => {}

/** Plain TCP, where HTTP/1.1 alone is spoken. `intoInbox`: connections read into the inbox. */
export const plainFront =
  (intoInbox: boolean): OpenFront =>
  ({ admit, connection }) => ({
    // Paused until it reads into the inbox.
    server: createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: intoInbox }, (accepted) => {
      const socket = intoInbox ? readIntoInbox(accepted) : accepted
      if (admit(socket, true)) connection(socket)
    }),
    drain: nothing,
    destroyAll: nothing,
  })
