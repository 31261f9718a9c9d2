import { homedir } from 'node:os'
import { join } from 'node:path'
import { HttpTransport } from './http_transport.ts'
import { methodNames, type HeroProxyMethods, type MethodName, type Methods } from './methods.ts'
import { follow, callTimeoutMs, type Revoked, type RevokedOptions } from './revocations.ts'
import { SocketTransport } from './socket_transport.ts'
import type { Transport } from './transport.ts'

export interface HeroProxyOptions {
  /** The path of rpc.sock. Default: `$HERO_SOCKET_DIR/hero_proxy/rpc.sock`, or below `~/hero/var/sockets`. */
  readonly socket?: string
  /** The origin of the edge, to use instead of the socket. For example `https://id.example.org`. */
  readonly url?: string
  /** The bearer token to send. On the socket it replaces the rights of the process. */
  readonly token?: string
  /** How long a call may take, in milliseconds. Default: 30,000. */
  readonly timeout?: number
  /** How long to wait for a daemon that is starting, in milliseconds. Default: 5,000. Nothing else is ever retried. */
  readonly startTimeout?: number
}

/** The default path of the socket. */
export const defaultSocket = (env: Readonly<Record<string, string | undefined>> = process.env): string => {
  const dir = env.HERO_SOCKET_DIR || env.PATH_SOCKET || join(homedir(), 'hero', 'var', 'sockets')
  return join(dir, 'hero_proxy', 'rpc.sock')
}

const connection = ({ url, socket, startTimeout = 5_000 }: HeroProxyOptions, timeout: number): Transport =>
  url === undefined
    ? new SocketTransport(socket ?? defaultSocket(), { timeout, startTimeout })
    : new HttpTransport(url, timeout)

// The methods of openrpc.json, each under its namespace: `hero.users.add({ … })`.
// eslint-disable-next-line typescript/no-unsafe-declaration-merging
export interface HeroProxy extends HeroProxyMethods {}

/** The client of hero_proxy. */
// eslint-disable-next-line typescript/no-unsafe-declaration-merging
export class HeroProxy {
  readonly #options: HeroProxyOptions
  readonly #transport: Transport
  readonly #authorization: string | undefined
  readonly #ending = new AbortController()

  constructor(options: HeroProxyOptions = {}, transport?: Transport) {
    const { token, timeout = 30_000 } = options
    this.#options = options
    this.#authorization = token === undefined ? undefined : `Bearer ${token}`
    this.#transport = transport ?? connection(options, timeout)
    for (const name of methodNames) {
      const path = name.split('.')
      const last = path.pop()!
      let place = this as unknown as Record<string, unknown>
      for (const part of path) place = (place[part] ??= {}) as Record<string, unknown>
      place[last] = (params?: never) => this.call(name, params)
    }
  }

  /** Calls a method by its name. */
  call<N extends MethodName>(name: N, params?: Methods[N]['params']): Promise<Methods[N]['result']>
  async call(name: string, params?: unknown): Promise<unknown> {
    return this.#transport.call(name, params, this.#authorization)
  }

  /** The same connection with the rights of another token, such as the one that a user gave to a service. */
  as(token: string): HeroProxy {
    return new HeroProxy({ ...this.#options, token }, this.#transport)
  }

  /**
   * Calls `listener` within a second for every session or token that is revoked, so that a service can end what it keeps open for
   * it. Resolves, once no revocation can be missed, with a function that ends the subscription. Revocations during a restart of the
   * daemon are reported afterwards. Needs the claim `proxy.users.read`. A subscription keeps the program running until it ends.
   */
  async onRevoked(listener: (revoked: Revoked) => void, options: RevokedOptions = {}): Promise<() => void> {
    const stop = new AbortController()
    const signals = [stop.signal, this.#ending.signal, ...(options.signal ? [options.signal] : [])]
    const own = connection(this.#options, callTimeoutMs)
    try {
      await follow(own, this.#authorization, listener, options, AbortSignal.any(signals))
    } catch (error) {
      own.close()
      throw error
    }
    return () => stop.abort()
  }

  close(): void {
    this.#ending.abort()
    this.#transport.close()
  }
}
