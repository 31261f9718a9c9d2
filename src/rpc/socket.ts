import { createServer, type Server, type Socket } from 'node:net'
import type { Callers } from '../identity/callers.ts'
import { LocalCaller } from '../identity/local_caller.ts'
import type { Log } from '../log/log.ts'
import type { Services } from '../services/services.ts'
import { OpenList, type Listed } from '../wire/open_list.ts'
import type { Envelope } from './envelope.ts'
import { RpcHttp } from './http.ts'
import { serveLines } from './json_lines.ts'
import { loadPeerCredentials } from '../node/peer_credentials.ts'
import { bindSocketFile, type SocketFile } from './socket_file.ts'

const firstByteTimeoutMs = 10_000
const maxConnections = 1024

interface Parts {
  readonly envelope: Envelope
  readonly callers: Callers
  /** Returns the printed OpenRPC document. */
  readonly document: () => string
  readonly services: Services
  readonly socketTrust: () => Promise<'kernel' | 'file_mode'>
  readonly log: Log
}

interface Connection extends Listed {
  readonly socket: Socket
  /** Ends it after the calls in progress; undefined until the first byte shows whether it is HTTP or lines. */
  end: (() => void) | undefined
}

/** rpc.sock: HTTP/1.1 and lines of JSON-RPC on one Unix socket. The kernel identifies every caller. */
export class RpcSocket {
  readonly #parts: Parts
  readonly #server: Server
  readonly #http: RpcHttp
  readonly #open = new OpenList<Connection>()
  #peerOf: ReturnType<typeof loadPeerCredentials>
  #file: SocketFile | undefined
  #path = ''

  constructor(parts: Parts) {
    this.#parts = parts
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) =>
      this.#accept(socket),
    )
    this.#server.maxConnections = maxConnections
    this.#http = new RpcHttp({
      envelope: parts.envelope,
      document: parts.document,
      path: () => this.#path,
      headersTimeoutMs: firstByteTimeoutMs,
    })
  }

  /** Listens at `path`, or on an inherited socket that should be there. The file then belongs to the process that passed it. */
  async listen(path: string, inheritedFd?: number): Promise<void> {
    this.#path = path
    this.#peerOf = loadPeerCredentials()
    if (!this.#peerOf) {
      this.#parts.log.warn(
        'this platform does not report the peer of a socket: every process that can open rpc.sock is an operator',
      )
    }
    if (inheritedFd === undefined) this.#file = await bindSocketFile(this.#server, path)
    else await this.#listenOn(inheritedFd)
  }

  async #listenOn(fd: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ fd }, resolve)
    })
    // A TCP socket has an address. On one, every caller would be a stranger, or every caller an operator.
    if (this.#server.address() !== null) throw new Error('The socket passed for rpc is not a Unix socket')
  }

  /** Accepts no new connections. Open ones may finish their calls within `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#file?.remove()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#http.close()
    const timer = setTimeout(() => {
      for (const { socket } of this.#open) socket.destroy()
    }, graceMs)
    for (const { end } of this.#open) end?.()
    // Wait one more turn: what has arrived by then is read and counts as a call in progress.
    setImmediate(() => {
      for (const { socket, end } of this.#open) if (!end) socket.destroy()
    })
    await closed
    clearTimeout(timer)
  }

  #accept(socket: Socket): void {
    const connection: Connection = { socket, end: undefined, place: -1 }
    this.#open.add(connection)
    const gone = new AbortController()
    socket.on('close', () => {
      this.#open.delete(connection)
      gone.abort()
    })
    // Earlier than `close`: a process that is gone has ended its side, but the socket closes only after our response.
    socket.on('end', () => gone.abort())
    socket.on('error', () => socket.destroy())
    // Read the peer now: the process may be gone when its first call is read.
    const peer = this.#peerOf?.(socket)
    const caller = new LocalCaller(this.#parts, peer, this.#peerOf !== undefined, gone.signal)
    socket.setTimeout(firstByteTimeoutMs, () => socket.destroy())
    const peek = () => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      const first = chunk.find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== 0x0a)
      if (first === undefined) {
        if (chunk.length > 1024) socket.destroy()
        return
      }
      socket.off('readable', peek)
      socket.setTimeout(0)
      socket.removeAllListeners('timeout')
      socket.unshift(chunk)
      socket.off('end', leave)
      const { identify } = caller
      connection.end =
        first === 0x7b || first === 0x5b
          ? serveLines(socket, this.#parts.envelope, identify)
          : this.#http.take(socket, identify)
    }
    const leave = () => socket.end()
    socket.on('readable', peek)
    socket.on('end', leave)
  }
}
