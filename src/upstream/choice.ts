import type { Log } from '../log/log.ts'
import { HealthProbes, type Groups } from './health_probes.ts'
import type { Upstream, UpstreamGroup } from './upstream.ts'
import { boundedMap } from '../storage/bounded_map.ts'

/** An unreachable upstream is skipped for a time that doubles with each further failure. */
const firstSkipMs = 1000
const maxSkipMs = 30_000
/** The most upstreams remembered as unreachable: routes come and go. */
const maxRemembered = 10_000

/** How long to skip an unreachable upstream. */
interface Skip {
  until: number
  readonly durationMs: number
  /** Whether one request has been sent to see if the upstream is back. */
  retried: boolean
}

interface Parts {
  readonly groups: () => Groups | Promise<Groups>
  readonly log: Log
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number
  /** Milliseconds between two probes of an upstream. */
  readonly probeIntervalMs?: number
}

const none: readonly Upstream[] = []

/**
 * Chooses the upstream for each request of a route, and skips those that failed lately. Every process has its own view.
 * An upstream that answers is healthy, even with a 500: that comes from the service, and another upstream would send it too.
 */
export class UpstreamChoice {
  readonly #log: Log
  readonly #now: () => number
  readonly #probes: HealthProbes
  readonly #turns = new WeakMap<UpstreamGroup, number>()
  readonly #skipped = boundedMap<Skip>(maxRemembered)

  constructor({ groups, log, now = () => performance.now(), probeIntervalMs }: Parts) {
    this.#log = log
    this.#now = now
    this.#probes = new HealthProbes({
      groups,
      log,
      intervalMs: probeIntervalMs,
      onHealthy: (upstream) => this.succeeded(upstream),
    })
  }

  /** Chooses by round robin, and avoids the upstreams that this request has already tried as long as others are left. */
  next(group: UpstreamGroup, tried: readonly Upstream[] = none): Upstream {
    if (group.upstreams.length === 1) return group.upstreams[0]!
    // Random, so that processes that start together do not all begin with the same upstream.
    const turn = this.#turns.get(group) ?? Math.floor(Math.random() * group.upstreams.length)
    if (tried.length === 0) this.#turns.set(group, turn + 1)
    const chosen = this.#choose(group, tried, turn)
    const skip = this.#skipped.get(chosen.name)
    const now = this.#now()
    if (skip && skip.until <= now) {
      skip.retried = true
      // No other request risks this upstream until the result is known.
      skip.until = now + Math.max(skip.durationMs, group.connect_timeout * 1000)
    }
    return chosen
  }

  /** The upstream that `next` would return. Does not advance the round robin. */
  peek(group: UpstreamGroup): Upstream {
    return this.#choose(group, none, this.#turns.get(group) ?? 0)
  }

  /** The connection failed, so nothing was sent. */
  failed({ name }: Upstream): void {
    const now = this.#now()
    const skip = this.#skipped.get(name)
    // Requests that fail together count as one failure.
    if (skip && !skip.retried && now < skip.until) return
    const durationMs = skip ? Math.min(skip.durationMs * 2, maxSkipMs) : firstSkipMs
    this.#skipped.set(name, { until: now + durationMs, durationMs, retried: false })
    if (!skip)
      this.#log.warn(
        { upstream: name },
        'the upstream is unreachable; its requests go to the other upstreams, if there are any',
      )
  }

  /** The connection was established. */
  succeeded({ name }: Upstream): void {
    if (this.#skipped.size === 0 || !this.#skipped.delete(name)) return
    this.#log.info({ upstream: name }, 'the upstream is back')
  }

  close(): void {
    this.#probes.close()
  }

  /** Chooses among the healthy upstreams. If there are none, it chooses among all: no request is refused without an attempt. */
  #choose(group: UpstreamGroup, tried: readonly Upstream[], turn: number): Upstream {
    const untried = (upstream: Upstream) => !tried.includes(upstream)
    const now = this.#now()
    const healthy = group.upstreams.filter(
      (upstream) => untried(upstream) && this.#seemsHealthy(upstream, group, now),
    )
    const choice = healthy.length > 0 ? healthy : group.upstreams.filter(untried)
    return choice[turn % choice.length] ?? group.upstreams[0]!
  }

  #seemsHealthy(upstream: Upstream, group: UpstreamGroup, now: number): boolean {
    const skip = this.#skipped.get(upstream.name)
    return !(skip && now < skip.until) && !this.#probes.isDown(upstream, group)
  }
}
