import type { Identification } from '../identity/identify.ts'
import { guest, operator, service, type Caller } from '../contract/caller.ts'
import type { Services } from '../services/services.ts'
import { whenReady } from '../storage/when_ready.ts'
import type { Identify } from './envelope.ts'
import type { Peer } from '../node/peer_credentials.ts'

interface Parts {
  readonly identification: Identification
  readonly services: Services
  readonly socketTrust: () => Promise<'kernel' | 'file_mode'>
}

/** Who calls over one connection of rpc.sock. */
export class SocketCaller {
  readonly #parts: Parts
  readonly #peer: Peer | undefined
  readonly #tellsPeers: boolean
  readonly #from: Pick<Caller, 'via' | 'gone' | 'uid' | 'pid'>
  /** Root and our own user: no setting and no service makes them anybody else. */
  readonly #operator: Caller | undefined

  /**
   * `peer` is the process that opened the connection, as the kernel tells it; `tellsPeers` is false where the platform cannot.
   * `gone` is aborted when nobody is left to be answered.
   */
  constructor(parts: Parts, peer: Peer | undefined, tellsPeers: boolean, gone: AbortSignal) {
    this.#parts = parts
    this.#peer = peer
    this.#tellsPeers = tellsPeers
    this.#from = { via: 'socket', gone, ...(peer && { uid: peer.uid, pid: peer.pid }) }
    const isOurs = peer !== undefined && (peer.uid === 0 || peer.uid === process.getuid?.())
    this.#operator = isOurs ? Object.freeze(operator(this.#from)) : undefined
  }

  /** A bearer token replaces the peer, so that a service can act with less than it could. */
  readonly identify: Identify = (authorization) =>
    authorization === undefined
      ? this.#ofPeer()
      : this.#parts.identification.bearer(authorization, this.#from)

  /** For each call anew: the peer stays, how far it is trusted can change. */
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
    // Where the platform can tell peers, one that it does not tell is a stranger.
    const trusted = !this.#tellsPeers || (await this.#parts.socketTrust()) === 'file_mode'
    return trusted ? { ...operator(this.#from), again: this.#again } : guest(this.#from)
  }

  readonly #again = async () => this.#ofPeer()
}
