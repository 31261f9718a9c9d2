import { http } from '../node/http.ts'
import type { Log } from '../log/log.ts'
import { hostOf, type Upstream, type UpstreamGroup } from './upstream.ts'

const defaultIntervalMs = 10_000
const firstProbeMs = 1000
const probeTimeoutMs = 2000
/** Consecutive failures after which an upstream counts as down. */
const maxFailures = 2
/** Probes at a time: ten thousand routes must not open ten thousand connections. */
const maxConcurrentProbes = 50

export interface Groups {
  /** The groups with a `health_path`. */
  readonly probed: readonly UpstreamGroup[]
}

interface Parts {
  readonly groups: () => Groups | Promise<Groups>
  readonly log: Log
  readonly intervalMs: number | undefined
  /** Called for each upstream that passed a probe. */
  readonly onHealthy: (upstream: Upstream) => void
}

interface Probed {
  readonly upstream: Upstream
  readonly path: string
}

const keyOf = (upstream: Upstream, path: string) => `${upstream.name} ${path}`

/**
 * Probes the upstreams of routes with a `health_path` at regular intervals. Every round starts from the current routes, so a
 * changed, disabled or removed route counts from the next round on.
 */
export class HealthProbes {
  readonly #parts: Parts
  /** Consecutive failures, for upstreams whose last probe failed. */
  readonly #failures = new Map<string, number>()
  readonly #stop = new AbortController()
  readonly #timers: readonly NodeJS.Timeout[]
  #probing = false

  constructor(parts: Parts) {
    this.#parts = parts
    const { intervalMs = defaultIntervalMs } = parts
    const begin = () => void this.#round()
    this.#timers = [
      setTimeout(begin, Math.min(firstProbeMs, intervalMs)).unref(),
      setInterval(begin, intervalMs).unref(),
    ]
  }

  isDown(upstream: Upstream, { health_path }: UpstreamGroup): boolean {
    if (this.#failures.size === 0 || health_path === null) return false
    return (this.#failures.get(keyOf(upstream, health_path)) ?? 0) >= maxFailures
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#stop.abort()
  }

  async #round(): Promise<void> {
    if (this.#probing) return
    this.#probing = true
    try {
      const due = await this.#due()
      for (const key of this.#failures.keys()) if (!due.has(key)) this.#failures.delete(key)
      const left = due.entries()
      const work = async () => {
        for (const [key, probed] of left)
          this.#record(key, probed, await isHealthy(probed, this.#stop.signal))
      }
      await Promise.all(Array.from({ length: Math.min(maxConcurrentProbes, due.size) }, work))
    } catch (error) {
      this.#parts.log.warn({ error: (error as Error).message }, 'cannot probe the upstreams')
    } finally {
      this.#probing = false
    }
  }

  /** The probes of one round. Routes that share an upstream and a path share a probe. */
  async #due(): Promise<Map<string, Probed>> {
    const due = new Map<string, Probed>()
    const { probed } = await this.#parts.groups()
    for (const { health_path, upstreams } of probed) {
      const path = health_path!
      for (const upstream of upstreams) due.set(keyOf(upstream, path), { upstream, path })
    }
    return due
  }

  #record(key: string, { upstream, path }: Probed, healthy: boolean): void {
    if (this.#stop.signal.aborted) return
    const { log } = this.#parts
    const before = this.#failures.get(key) ?? 0
    if (healthy) {
      this.#failures.delete(key)
      this.#parts.onHealthy(upstream)
      if (before >= maxFailures) log.info({ upstream: upstream.name, path }, 'the upstream is healthy again')
    } else {
      this.#failures.set(key, before + 1)
      if (before + 1 === maxFailures) log.warn({ upstream: upstream.name, path }, 'the upstream is unhealthy')
    }
  }
}

/** Sends a GET without identity headers. An upstream is healthy if it answers 2xx or 3xx in time. */
const isHealthy = ({ upstream, path }: Probed, stop: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    const request = http.get({
      ...('path' in upstream ? { socketPath: upstream.path } : { host: upstream.host, port: upstream.port }),
      path,
      headers: { host: hostOf(upstream), 'user-agent': 'hero_proxy', connection: 'close' },
      agent: false,
      signal: AbortSignal.any([stop, AbortSignal.timeout(probeTimeoutMs)]),
    })
    request.on('response', (answer) => {
      resolve(answer.statusCode! >= 200 && answer.statusCode! < 400)
      answer.on('error', () => {})
      answer.destroy()
    })
    request.on('error', () => resolve(false))
    // Also reached if the upstream switched protocols without being asked.
    request.on('close', () => resolve(false))
  })
