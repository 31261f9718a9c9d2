import { UpstreamConnection } from './connection.ts'
import type { Upstream } from './upstream.ts'

/** Connections kept per upstream, at most. */
const maxKept = 256
/** Seconds that a kept connection may wait for its next request. */
const maxIdle = 15
/** Seconds after which a kept connection is no longer trusted with a request that cannot be sent twice. */
const trusted = 2

interface Kept {
  readonly connection: UpstreamConnection
  since: number
}

/** Connections to upstreams that wait for their next request, the last one used first. */
export class UpstreamPool {
  readonly #kept = new Map<string, Kept[]>()
  /** Seconds since the pool was made: a clock that costs nothing to ask. */
  #clock = 0
  readonly #timer = setInterval(() => this.#sweep(), 1000).unref()
  #closed = false

  /** `repeatable`: the request may be sent again if the connection turns out to be closed. */
  take(upstream: Upstream, repeatable: boolean): UpstreamConnection {
    const kept = this.#kept.get(upstream.name)
    if (kept === undefined) return this.open(upstream)
    for (let last = kept.pop(); last !== undefined; last = kept.pop()) {
      const { connection, since } = last
      if (!connection.usable) continue
      if (repeatable || this.#clock - since <= trusted) return connection
      // All others have waited longer still; they stay for requests that can be repeated.
      kept.push(last)
      break
    }
    return this.open(upstream)
  }

  /** A connection of its own: nobody used it before. */
  open(upstream: Upstream): UpstreamConnection {
    return new UpstreamConnection(upstream, this.#keep, false)
  }

  /** One that shall become another protocol's: it never comes back. */
  openToSwitch(upstream: Upstream): UpstreamConnection {
    return new UpstreamConnection(upstream, this.#keep, true)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    for (const kept of this.#kept.values()) for (const { connection } of kept) connection.destroy()
    this.#kept.clear()
  }

  readonly #keep = (connection: UpstreamConnection): void => {
    const { name } = connection.upstream
    let kept = this.#kept.get(name)
    if (!kept) this.#kept.set(name, (kept = []))
    if (this.#closed || kept.length >= maxKept) connection.destroy()
    else kept.push({ connection, since: this.#clock })
  }

  #sweep(): void {
    this.#clock++
    for (const [name, kept] of this.#kept) {
      const fresh = kept.filter(({ connection, since }) => {
        if (connection.usable && this.#clock - since < maxIdle) return true
        connection.destroy()
        return false
      })
      if (fresh.length > 0) this.#kept.set(name, fresh)
      else this.#kept.delete(name)
    }
  }
}
