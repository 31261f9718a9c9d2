import { homedir } from 'node:os'
import { join } from 'node:path'
import { HttpTransport } from './http_transport.ts'
import { methodNames, type HeroProxyMethods, type MethodName, type Methods } from './methods.ts'
import { follow, patience, type Revoked, type RevokedOptions } from './revocations.ts'
import { SocketTransport } from './socket_transport.ts'
import type { Transport } from './transport.ts'

export interface HeroProxyOptions {
  /** Path of rpc.sock. Unless told: `$HERO_SOCKET_DIR/hero_proxy/rpc.sock`, or below `~/hero/var/sockets`. */
  readonly socket?: string
  /** Origin of the edge instead of the socket, such as `https://id.example.org`. */
  readonly url?: string
  /** Bearer token to call as; on the socket it replaces the rights of the process. */
  readonly token?: string
  /** Milliseconds that a call may take; 30,000 unless told. */
  readonly timeout?: number
  /** Milliseconds to wait for a daemon that is just starting; 5,000 unless told. The only thing that is ever retried. */
  readonly startTimeout?: number
}

/** Where the socket is for programs on this machine. */
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

  /** The same connection with the rights of somebody else: the person whose token a service was handed. */
  as(token: string): HeroProxy {
    return new HeroProxy({ ...this.#options, token }, this.#transport)
  }

  /**
   * Calls `listener` for every session or token that ends before its time, within a second, so that a service can end what it
   * keeps open for it. Resolves with a function that ends the subscription, once nothing can be missed any more; what
   * happens while the daemon restarts is told afterwards. Takes the claim `proxy.users.read`. Until it is ended, a
   * program with a subscription goes on running.
   */
  async onRevoked(listener: (revoked: Revoked) => void, options: RevokedOptions = {}): Promise<() => void> {
    const stop = new AbortController()
    const signals = [stop.signal, this.#ending.signal, ...(options.signal ? [options.signal] : [])]
    const own = connection(this.#options, patience)
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
