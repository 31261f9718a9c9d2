import { NetworkSet } from '../../contract/networks.ts'
import type { Log } from '../../log/log.ts'
import { FirstTimes } from '../../log/first_times.ts'
import { ClientAddresses, peerOf } from '../../wire/client_address.ts'
import type { ReceivedRequest } from '../../wire/client_response.ts'

interface Settings {
  readonly forward_auth_from: readonly string[]
  readonly trusted_proxies: readonly string[]
}

/** The peers in the setting forward_auth_from: the proxies that may ask by forward auth. */
export class Askers {
  /** What a proxy says about the client of the request in question counts if it may ask at all. */
  readonly addresses: ClientAddresses
  readonly #list: NetworkSet
  readonly #log: Log
  readonly #warned = new FirstTimes()

  constructor({ forward_auth_from, trusted_proxies }: Settings, log: Log) {
    this.#list = new NetworkSet(forward_auth_from)
    this.addresses = new ClientAddresses([...forward_auth_from, ...trusted_proxies], () => {})
    this.#log = log
  }

  /** Whether the peer itself may ask, whatever it says about where it comes from. The first refusal of each peer is logged. */
  mayAsk(sent: ReceivedRequest): boolean {
    const peer = peerOf(sent)
    if (this.#list.has(peer)) return true
    if (this.#warned.is(peer))
      this.#log.warn(
        { peer, setting: 'forward_auth_from' },
        'a peer that is not in forward_auth_from asked /auth/forward and got 403; list it if it is your proxy',
      )
    return false
  }
}
