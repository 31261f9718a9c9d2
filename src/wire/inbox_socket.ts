import { Socket } from 'node:net'
import { doneWith, inbox, inboxSize } from './parser.ts'

/** Reads what arrives on a connection. */
export interface Receiver {
  /** So many bytes have arrived at the beginning of the inbox. They are gone when this returns. */
  received(length: number): void
  /** These bytes have arrived in the receiver's own buffer. */
  receivedOwn(bytes: Buffer): void
  /** A buffer of the receiver's own for what arrives next, or undefined for the inbox. */
  ownBuffer(): Buffer | undefined
}

interface Route {
  receiver: Receiver | undefined
}

/** Where the bytes of such a socket go; without a receiver they go the usual way of streams. */
const routes = new WeakMap<Socket, Route>()
/** What copies into the inbox what other sockets receive. */
const copying = new WeakMap<Socket, (bytes: Buffer) => void>()

/** Of an accepted socket; private to Node. */
interface Accepted {
  _handle: unknown
  _server: unknown
}

/** Whether this Node lets a connection move from one socket object to another. */
export const canMoveConnections = '_handle' in new Socket() && '_server' in new Socket()

/**
 * The connection of an accepted socket in a socket that reads into the inbox: no memory is allocated for what comes, and no stream stands
 * between. Node offers `onread` for sockets that it opens, not for those that it accepts, so the connection moves from one to another.
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
  // The server counts its connections by this.
  Object.assign(socket, { _server: server, server })
  from._handle = null
  from._server = null
  return socket
}

/**
 * Sends the bytes of the socket to `receiver` from now on. A socket that does not read into the inbox, as over TLS, has them copied there,
 * unless the receiver has a buffer of its own: then it gets them as they are.
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

/** From now on the socket is a stream like any other. */
export const stopReceiving = (socket: Socket): void => {
  const route = routes.get(socket)
  if (route) route.receiver = undefined
  else socket.off('data', copying.get(socket)!)
}
