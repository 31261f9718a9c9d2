import { connect, type Socket } from 'node:net'
import { ConnectionError, toHeroError } from './errors.ts'
import type { Transport } from './transport.ts'

interface Options {
  /** In milliseconds: how long a call may take. */
  readonly timeout: number
  /** In milliseconds: how long to wait for a daemon that is starting. */
  readonly startTimeout: number
}

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

const startingCodes = new Set(['ENOENT', 'ECONNREFUSED'])
const retryIntervalMs = 50
/** Half a surrogate pair, as JSON.stringify writes it. The daemon cannot parse such a message, so it could not answer with its id. */
const halfPair = /(?<!\\)(?:\\\\)*\\ud[89a-f]/
const parseError = { code: -32700, message: 'Parse error', data: { code: 'parse_error' } }

const open = (path: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })

/** One connection to rpc.sock with any number of calls in progress: one line each, with responses matched by id. */
export class SocketTransport implements Transport {
  readonly #path: string
  readonly #options: Options
  readonly #pending = new Map<number, Pending>()
  #socket: Promise<Socket> | undefined
  #next = 1
  #outgoing = ''
  #closed = false

  constructor(path: string, options: Options) {
    this.#path = path
    this.#options = options
  }

  async call(method: string, params: unknown, authorization: string | undefined): Promise<unknown> {
    const socket = await (this.#socket ??= this.#connect())
    const id = this.#next++
    const line = `${JSON.stringify({ jsonrpc: '2.0', id, method, params, authorization })}\n`
    if (halfPair.test(line)) throw toHeroError(parseError)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(id)?.reject(
          new ConnectionError(`${method}: no answer within ${this.#options.timeout} ms`),
        )
        if (this.#pending.size === 0) socket.unref()
      }, this.#options.timeout)
      this.#pending.set(id, { resolve, reject, timer })
      // The connection keeps the program running only while a call is pending.
      if (this.#pending.size === 1) socket.ref()
      // Calls made in the same turn go out in one write.
      if (this.#outgoing === '') queueMicrotask(() => this.#flush(socket))
      this.#outgoing += line
    })
  }

  close(): void {
    this.#closed = true
    void this.#socket?.then((socket) => socket.destroy()).catch(() => {})
  }

  #flush(socket: Socket): void {
    const text = this.#outgoing
    this.#outgoing = ''
    socket.write(text)
  }

  async #connect(): Promise<Socket> {
    const deadline = Date.now() + this.#options.startTimeout
    for (;;) {
      try {
        if (this.#closed) throw new ConnectionError('this client is closed')
        return this.#adopt(await open(this.#path))
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? ''
        if (!startingCodes.has(code) || Date.now() >= deadline) {
          this.#socket = undefined
          if (error instanceof ConnectionError) throw error
          throw new ConnectionError(`no daemon answers at ${this.#path} (${code})`, { cause: error })
        }
        await new Promise((resolve) => setTimeout(resolve, retryIntervalMs))
      }
    }
  }

  #adopt(socket: Socket): Socket {
    let rest = ''
    socket.setEncoding('utf8')
    socket.unref()
    socket.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()!
      try {
        for (const line of lines) this.#receive(line)
      } catch {
        // The other side is not hero_proxy. Pending calls are rejected when the connection closes.
        socket.destroy()
      }
      if (this.#pending.size === 0) socket.unref()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#socket = undefined
      for (const id of this.#pending.keys()) {
        this.#settle(id)?.reject(new ConnectionError('the daemon closed the connection before it answered'))
      }
    })
    return socket
  }

  #receive(line: string): void {
    const { id, result, error } = JSON.parse(line) as {
      id: number
      result?: unknown
      error?: Parameters<typeof toHeroError>[0]
    }
    const pending = this.#settle(id)
    if (error) pending?.reject(toHeroError(error))
    else pending?.resolve(result)
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    clearTimeout(pending?.timer)
    return pending
  }
}
