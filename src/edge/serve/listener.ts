import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { readIntoInbox } from '../../wire/inbox_socket.ts'
import type { Handler } from './handler.ts'

/** Where a listener sends connections and requests. */
export interface Lanes {
  /** Returns false and ends the connection if there are too many. `plainHttp`: the client can read a refusal in plain HTTP. */
  readonly admit: (socket: Socket, plainHttp: boolean) => boolean
  /** An HTTP/1.1 connection. */
  readonly connection: (socket: Socket) => void
  /** Serves HTTP/2 requests in the usual form; undefined if all go through `request`. */
  readonly fast: Pick<Handler, 'serveFast' | 'broke'> | undefined
  /** The largest head that `fast` serves. */
  readonly maxHeadBytes: number
  /** An HTTP/2 request, translated to HTTP/1.1. */
  readonly request: (request: IncomingMessage, response: ServerResponse) => void
  /** A WebSocket over HTTP/2, translated to an upgrade; the stream is its connection. */
  readonly tunnel: (request: IncomingMessage, stream: Duplex) => void
}

/** Listens and accepts connections. */
export interface Listener {
  readonly server: Server
  /** Ends idle connections; requests in progress may finish. */
  drain(): void
  destroyAll(): void
}

export type OpenListener = (lanes: Lanes) => Listener

/** Milliseconds of silence after which TCP itself asks whether the other side of a tunnel still exists. */
export const keepAliveMs = 60_000

const nothing = () => {}

/** Plain TCP, which speaks only HTTP/1.1. `intoInbox`: connections read into the inbox. */
export const plainListener =
  (intoInbox: boolean): OpenListener =>
  ({ admit, connection }) => ({
    // A connection stays paused until it reads into the inbox.
    server: createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: intoInbox }, (accepted) => {
      const socket = intoInbox ? readIntoInbox(accepted) : accepted
      if (admit(socket, true)) connection(socket)
    }),
    drain: nothing,
    destroyAll: nothing,
  })
