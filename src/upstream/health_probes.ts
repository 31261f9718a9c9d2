import { http } from '../node/http.ts'
import type { Log } from '../log/log.ts'
import { hostOf, type Upstream, type UpstreamGroup } from './upstream.ts'

/** In milliseconds. */
const usually = 10_000
const soon = 1000
const patience = 2000
/** Failures in a row after which an upstream is down. */
const enough = 2
/** Probes under way at once: ten thousand routes must not open ten thousand connections. */
const atOnce = 50

export interface Groups {
  /** Those with a `health_path`. */
  readonly probed: readonly UpstreamGroup[]
}

interface Parts {
  readonly groups: () => Groups | Promise<Groups>
  readonly log: Log
  readonly every: number | undefined
  /** Called for each upstream that answered well. */
  readonly well: (upstream: Upstream) => void
}

interface Probed {
  readonly upstream: Upstream
  readonly path: string
}

const keyOf = (upstream: Upstream, path: string) => `${upstream.name} ${path}`

/**
 * Asks the upstreams of routes with a `health_path` every few seconds how they are. Every round begins with the present
 * routes: what was changed, disabled or removed is followed by the next one.
 */
export class Probes {
  readonly #parts: Parts
  /** Failures in a row of those that failed last. */
  readonly #failures = new Map<string, number>()
  readonly #stop = new AbortController()
  readonly #timers: readonly NodeJS.Timeout[]
  #asking = false

  constructor(parts: Parts) {
    this.#parts = parts
    const { every = usually } = parts
    const begin = () => void this.#round()
    this.#timers = [setTimeout(begin, Math.min(soon, every)).unref(), setInterval(begin, every).unref()]
  }

  isDown(upstream: Upstream, { health_path }: UpstreamGroup): boolean {
    if (this.#failures.size === 0 || health_path === null) return false
    return (this.#failures.get(keyOf(upstream, health_path)) ?? 0) >= enough
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#stop.abort()
  }

  async #round(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    try {
      const due = await this.#due()
      for (const key of this.#failures.keys()) if (!due.has(key)) this.#failures.delete(key)
      const left = due.entries()
      const work = async () => {
        for (const [key, probed] of left) this.#note(key, probed, await isWell(probed, this.#stop.signal))
      }
      await Promise.all(Array.from({ length: Math.min(atOnce, due.size) }, work))
    } catch (error) {
      this.#parts.log.warn({ error: (error as Error).message }, 'the upstreams could not be probed')
    } finally {
      this.#asking = false
    }
  }

  /** Each upstream once for each path, however many routes share it. */
  async #due(): Promise<Map<string, Probed>> {
    const due = new Map<string, Probed>()
    const { probed } = await this.#parts.groups()
    for (const { health_path, upstreams } of probed) {
      const path = health_path!
      for (const upstream of upstreams) due.set(keyOf(upstream, path), { upstream, path })
    }
    return due
  }

  #note(key: string, { upstream, path }: Probed, well: boolean): void {
    if (this.#stop.signal.aborted) return
    const { log } = this.#parts
    const before = this.#failures.get(key) ?? 0
    if (well) {
      this.#failures.delete(key)
      this.#parts.well(upstream)
      if (before >= enough) log.info({ upstream: upstream.name, path }, 'the upstream is well again')
    } else {
      this.#failures.set(key, before + 1)
      if (before + 1 === enough) log.warn({ upstream: upstream.name, path }, 'the upstream is not well')
    }
  }
}

/** A GET that names nobody. Well is what answers with 2xx or 3xx in time. */
const isWell = ({ upstream, path }: Probed, stop: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    const request = http.get({
      ...('path' in upstream ? { socketPath: upstream.path } : { host: upstream.host, port: upstream.port }),
      path,
      headers: { host: hostOf(upstream), 'user-agent': 'hero_proxy', connection: 'close' },
      agent: false,
      signal: AbortSignal.any([stop, AbortSignal.timeout(patience)]),
    })
    request.on('response', (answer) => {
      resolve(answer.statusCode! >= 200 && answer.statusCode! < 400)
      answer.on('error', () => {})
      answer.destroy()
    })
    request.on('error', () => resolve(false))
    // Also where it switched protocols, which nobody asked for.
    request.on('close', () => resolve(false))
  })
