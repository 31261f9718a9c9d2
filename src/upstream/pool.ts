import { UpstreamConnection } from './connection.ts'
import type { Upstream } from './upstream.ts'

/** The most idle connections per upstream. */
const maxIdleConnections = 256
/** Seconds that a connection may wait for its next request. */
const maxIdleSeconds = 15
/** A connection that has been idle for longer gets only requests that can be sent twice: the upstream may have closed it. */
const trustedSeconds = 2

interface Kept {
  readonly connection: UpstreamConnection
  since: number
}

/** Idle connections to upstreams. The one used last is taken first. */
export class UpstreamPool {
  readonly #kept = new Map<string, Kept[]>()
  /** Seconds since the pool was created. Reading it costs nothing. */
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
      if (repeatable || this.#clock - since <= trustedSeconds) return connection
      // All others have been idle for longer. They stay for requests that can be repeated.
      kept.push(last)
      break
    }
    return this.open(upstream)
  }

  /** Opens a new connection. */
  open(upstream: Upstream): UpstreamConnection {
    return new UpstreamConnection(upstream, this.#release, false)
  }

  /** Opens a connection to switch protocols on. It never returns to the pool. */
  openToSwitch(upstream: Upstream): UpstreamConnection {
    return new UpstreamConnection(upstream, (connection) => connection.destroy(), true)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    for (const kept of this.#kept.values()) for (const { connection } of kept) connection.destroy()
    this.#kept.clear()
  }

  readonly #release = (connection: UpstreamConnection): void => {
    const { name } = connection.upstream
    let kept = this.#kept.get(name)
    if (!kept) this.#kept.set(name, (kept = []))
    if (this.#closed || kept.length >= maxIdleConnections) connection.destroy()
    else kept.push({ connection, since: this.#clock })
  }

  #sweep(): void {
    this.#clock++
    for (const [name, kept] of this.#kept) {
      const fresh = kept.filter(({ connection, since }) => {
        if (connection.usable && this.#clock - since < maxIdleSeconds) return true
        connection.destroy()
        return false
      })
      if (fresh.length > 0) this.#kept.set(name, fresh)
      else this.#kept.delete(name)
    }
  }
}
