import { FirstTimes } from '../../log/first_times.ts'
import type { Log } from '../../log/log.ts'
import { peerOf, type ClientAddresses } from '../../wire/client_address.ts'
import type { ReceivedRequest } from '../../wire/client_response.ts'
import { valuesOf } from '../../wire/header_list.ts'

/**
 * Proxies that bring plain HTTP and an X-Forwarded-Proto that does not count, although public_url is https: most likely they
 * speak TLS, and trusted_proxies does not list them. Nobody can sign in behind them, and only the log may say which address it is.
 */
export class UnbelievedProxies {
  readonly #https: boolean
  readonly #log: Log
  readonly #warned = new FirstTimes()

  constructor({ public_url }: { readonly public_url: string }, log: Log) {
    this.#https = public_url.startsWith('https:')
    this.#log = log
  }

  /** Logs the cause once for each peer. */
  readonly note = (peer: string): void => {
    if (!this.#https || !this.#warned.is(peer)) return
    this.#log.warn(
      { peer, setting: 'trusted_proxies', code: 'proxy_not_trusted' },
      `public_url is https, the request came in plain, and X-Forwarded-Proto from ${peer} was not believed: list it in trusted_proxies`,
    )
  }

  /** Whether this is why a request over plain HTTP does not count as secure. */
  explain(sent: ReceivedRequest, peers: Pick<ClientAddresses, 'trusts'>): boolean {
    return (
      this.#https && valuesOf(sent.rawHeaders, 'x-forwarded-proto').length > 0 && !peers.trusts(peerOf(sent))
    )
  }
}
