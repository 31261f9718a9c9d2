import type { Log } from '../log/log.ts'
import { Probes, type Groups } from './health_probes.ts'
import type { Upstream, UpstreamGroup } from './upstream.ts'
import { boundedMap } from '../storage/bounded_map.ts'

/** How long an upstream that could not be reached is passed by: at first, and at most. In milliseconds. */
const firstRest = 1000
const longestRest = 30_000
/** Upstreams remembered as unreachable, at most: routes come and go. */
const keep = 10_000

interface Rest {
  until: number
  readonly length: number
  /** One request is out to see whether the upstream is back. */
  tried: boolean
}

interface Parts {
  readonly groups: () => Groups | Promise<Groups>
  readonly log: Log
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
  /** Milliseconds between two probes of an upstream. */
  readonly probeEvery?: number
}

const none: readonly Upstream[] = []

/**
 * Which of a route's upstreams gets the next request; what failed lately is passed by. Every process has its own view.
 * An upstream that answers is well, whatever it answers: a 500 comes from the service, and would from another one too.
 */
export class Upstreams {
  readonly #log: Log
  readonly #now: () => number
  readonly #probes: Probes
  readonly #turns = new WeakMap<UpstreamGroup, number>()
  readonly #resting = boundedMap<Rest>(keep)

  constructor({ groups, log, now = () => performance.now(), probeEvery }: Parts) {
    this.#log = log
    this.#now = now
    this.#probes = new Probes({
      groups,
      log,
      every: probeEvery,
      well: (upstream) => this.succeeded(upstream),
    })
  }

  /** They take turns. `not` names those that the same request has been to; one of the others is returned while there is one. */
  next(group: UpstreamGroup, not: readonly Upstream[] = none): Upstream {
    if (group.upstreams.length === 1) return group.upstreams[0]!
    // Processes that start together do not all begin with the same one.
    const turn = this.#turns.get(group) ?? Math.floor(Math.random() * group.upstreams.length)
    if (not.length === 0) this.#turns.set(group, turn + 1)
    const chosen = this.#choose(group, not, turn)
    const rest = this.#resting.get(chosen.name)
    const now = this.#now()
    if (rest && rest.until <= now) {
      rest.tried = true
      // Until this request knows more, no other one is risked.
      rest.until = now + Math.max(rest.length, group.connect_timeout * 1000)
    }
    return chosen
  }

  /** The one that `next` would return; nobody's turn is used up. */
  peek(group: UpstreamGroup): Upstream {
    return this.#choose(group, none, this.#turns.get(group) ?? 0)
  }

  /** No connection came about: nothing was sent. */
  failed({ name }: Upstream): void {
    const now = this.#now()
    const rest = this.#resting.get(name)
    // Requests that fail together are one failure.
    if (rest && !rest.tried && now < rest.until) return
    const length = rest ? Math.min(rest.length * 2, longestRest) : firstRest
    this.#resting.set(name, { until: now + length, length, tried: false })
    if (!rest)
      this.#log.warn(
        { upstream: name },
        'the upstream cannot be reached; where there are others, they take its requests',
      )
  }

  /** A connection came about. */
  succeeded({ name }: Upstream): void {
    if (this.#resting.size === 0 || !this.#resting.delete(name)) return
    this.#log.info({ upstream: name }, 'the upstream is back')
  }

  close(): void {
    this.#probes.close()
  }

  /** Of those that seem well the one whose turn it is; if none does, of all: nobody is refused without a try. */
  #choose(group: UpstreamGroup, not: readonly Upstream[], turn: number): Upstream {
    const left = (upstream: Upstream) => !not.includes(upstream)
    const now = this.#now()
    const well = group.upstreams.filter((upstream) => left(upstream) && this.#seemsWell(upstream, group, now))
    const choice = well.length > 0 ? well : group.upstreams.filter(left)
    return choice[turn % choice.length] ?? group.upstreams[0]!
  }

  #seemsWell(upstream: Upstream, group: UpstreamGroup, now: number): boolean {
    const rest = this.#resting.get(upstream.name)
    return !(rest && now < rest.until) && !this.#probes.isDown(upstream, group)
  }
}
