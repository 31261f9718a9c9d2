import { guest, operator, service, type Caller } from '../contract/caller.ts'
import type { Services } from '../services/services.ts'
import { whenReady } from '../storage/when_ready.ts'
import type { Peer } from '../node/peer_credentials.ts'
import type { Callers } from './callers.ts'

interface Parts {
  readonly callers: Callers
  readonly services: Services
  readonly socketTrust: () => Promise<'kernel' | 'file_mode'>
}

/** The caller of one connection on rpc.sock: known by the kernel, or by a token. */
export class LocalCaller {
  readonly #parts: Parts
  readonly #peer: Peer | undefined
  readonly #reportsPeers: boolean
  readonly #from: Pick<Caller, 'via' | 'gone' | 'uid' | 'pid'>
  /** Root and our own user: no setting and no service changes that they are operators. */
  readonly #operator: Caller | undefined

  /**
   * `peer` is the process that opened the connection, as the kernel reports it; `reportsPeers` is false if the platform cannot.
   * `gone` is aborted when the client is gone.
   */
  constructor(parts: Parts, peer: Peer | undefined, reportsPeers: boolean, gone: AbortSignal) {
    this.#parts = parts
    this.#peer = peer
    this.#reportsPeers = reportsPeers
    this.#from = { via: 'socket', gone, ...(peer && { uid: peer.uid, pid: peer.pid }) }
    const isOurs = peer !== undefined && (peer.uid === 0 || peer.uid === process.getuid?.())
    this.#operator = isOurs ? Object.freeze(operator(this.#from)) : undefined
  }

  /** A bearer token replaces the peer, so that a service can act with less than it could. */
  readonly identify = (authorization: string | undefined): Caller | Promise<Caller> =>
    authorization === undefined
      ? this.#ofPeer()
      : this.#parts.callers.ofAuthorization(authorization, this.#from)

  /** Evaluated for each call: the peer stays the same, but its rights can change. */
  #ofPeer(): Caller | Promise<Caller> {
    if (this.#operator) return this.#operator
    const known = this.#peer && this.#parts.services.find(this.#peer.uid)
    return whenReady(known, (found) =>
      found
        ? { ...service(found.service, found.claims, this.#from), again: this.#again }
        : this.#ofStranger(),
    )
  }

  async #ofStranger(): Promise<Caller> {
    // If the platform reports peers, an unreported peer is a stranger.
    const trusted = !this.#reportsPeers || (await this.#parts.socketTrust()) === 'file_mode'
    return trusted ? { ...operator(this.#from), again: this.#again } : guest(this.#from)
  }

  readonly #again = async () => this.#ofPeer()
}
