import type { Log } from '../../log/log.ts'
import { OpenList } from '../../wire/open_list.ts'
import { Exchange } from './exchange.ts'
import type { ClientResponse } from '../../wire/client_response.ts'
import { UpstreamPool } from '../../upstream/pool.ts'
import type { UpstreamChoice } from '../../upstream/choice.ts'
import type { Carrier, Failure, Forwarded, Timed } from './forwarded.ts'

/** Milliseconds between two checks of the time limits of routes. */
const tickMs = 250

/** Forwards requests to upstreams and their responses to clients. It streams and passes on aborts in both directions, and reuses connections. */
export class Forwarder implements Carrier {
  readonly pool = new UpstreamPool()
  readonly log: Log
  readonly upstreams: UpstreamChoice
  /** Seconds since the start, in steps of one tick. Reading it costs nothing. */
  clock = 0
  readonly open = new OpenList<Timed>()
  readonly #timer = setInterval(() => {
    this.clock += tickMs / 1000
    for (const exchange of this.open) exchange.watchTime(this.clock)
  }, tickMs).unref()

  constructor(log: Log, upstreams: UpstreamChoice) {
    this.log = log
    this.upstreams = upstreams
  }

  close(): void {
    clearInterval(this.#timer)
    this.upstreams.close()
    this.pool.close()
  }

  /** Forwards a request. `fail` is called if no response can be passed on. */
  forward(out: Forwarded, to: ClientResponse, fail: (failure: Failure) => void): void {
    const { max_body } = out.plan.route
    if (max_body !== null && out.asked.length > max_body) return fail('large body')
    const exchange = new Exchange(this, out, to, fail)
    this.open.add(exchange)
    exchange.begin()
  }

  began(timed: Timed): void {
    this.open.add(timed)
  }

  ended(timed: Timed): void {
    this.open.delete(timed)
  }
}
