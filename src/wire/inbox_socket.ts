import { Socket } from 'node:net'
import { doneWith, inbox, inboxSize } from './parser.ts'

/** Reads what arrives on a connection. */
export interface Receiver {
  /** `length` bytes have arrived at the start of the inbox. They are valid only until this returns. */
  received(length: number): void
  /** These bytes have arrived in the buffer of the receiver. */
  receivedOwn(bytes: Buffer): void
  /** The buffer for the next bytes, or undefined for the inbox. */
  ownBuffer(): Buffer | undefined
}

interface Route {
  receiver: Receiver | undefined
}

/** The receiver of each socket that reads into the inbox. Without one, the socket is an ordinary stream. */
const routes = new WeakMap<Socket, Route>()
/** The listeners that copy the bytes of other sockets into the inbox. */
const copying = new WeakMap<Socket, (bytes: Buffer) => void>()

/** Properties of an accepted socket that are private to Node. */
interface Accepted {
  _handle: unknown
  _server: unknown
}

/** Whether this version of Node lets a connection move from one socket object to another. */
export const canMoveConnections = '_handle' in new Socket() && '_server' in new Socket()

/**
 * Moves the connection of an accepted socket to a socket that reads into the inbox, without a stream and without allocating memory.
 * Node offers `onread` only for sockets that it opens, not for those that it accepts. Hence the move.
 */
export const readIntoInbox = (accepted: Socket): Socket => {
  const from = accepted as unknown as Accepted
  const { _handle: handle, _server: server } = from
  const route: Route = { receiver: undefined }
  const callback = (length: number, buffer: Uint8Array): boolean => {
    const { receiver } = route
    if (!receiver) return socket.push(Buffer.from(buffer.subarray(0, length)))
    if (buffer !== inbox) receiver.receivedOwn((buffer as Buffer).subarray(0, length))
    else {
      receiver.received(length)
      doneWith(length)
    }
    return true
  }
  const options = {
    handle,
    allowHalfOpen: true,
    onread: { buffer: () => route.receiver?.ownBuffer() ?? inbox, callback },
    manualStart: true,
  }
  const socket: Socket = new Socket(options as never)
  routes.set(socket, route)
  // The server uses these properties to count its connections.
  Object.assign(socket, { _server: server, server })
  from._handle = null
  from._server = null
  return socket
}

/**
 * Passes the bytes of the socket to `receiver` from now on. The bytes of a socket that does not read into the inbox, such as a TLS
 * socket, are copied there, unless the receiver has a buffer of its own: then it gets them directly.
 */
export const receiveFrom = (socket: Socket, receiver: Receiver): void => {
  const route = routes.get(socket)
  if (route) route.receiver = receiver
  else {
    const copy = (bytes: Buffer): void => {
      if (bytes.length > inboxSize || receiver.ownBuffer()) return receiver.receivedOwn(bytes)
      bytes.copy(inbox)
      receiver.received(bytes.length)
      doneWith(bytes.length)
    }
    copying.set(socket, copy)
    socket.on('data', copy)
  }
  socket.resume()
}

/** Turns the socket back into an ordinary stream. */
export const stopReceiving = (socket: Socket): void => {
  const route = routes.get(socket)
  if (route) route.receiver = undefined
  else socket.off('data', copying.get(socket)!)
}
