import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import type { ChangeWatch } from '../../storage/change_watch.ts'
import type { Subject } from '../../storage/schema.ts'
import type { Forwarder } from '../forward/forwarder.ts'
import type { Forwarded, Timed } from '../forward/forwarded.ts'

/** How often we look for connections that are old enough for a new decision. */
const tickMs = 250
/** A connection is old enough after so many ticks: the answer to a call that ends the caller's own session has at least half a second to arrive. */
const minAgeTicks = 3
/** Maximum time in milliseconds that other work waits for us. */
const sliceMs = 4
/** How often we decide again because of time alone, such as the end of a membership. Less often if a round takes long. */
const roundIntervalMs = 900
/** Maximum share of all time for the rounds that time alone causes. */
const maxShare = 1 / 50

/** Number of connections whose data is read at once. */
const batchSize = 200

/** Decisions depend on these. */
const causes: readonly Subject[] = [
  'users',
  'groups',
  'sessions',
  'routes',
  'settings',
  'tokens',
  'clients',
  'services',
  'keys',
]

interface Parts {
  readonly forwarder: Forwarder
  readonly changes: ChangeWatch
  /** Reads into memory what decisions about these sessions need. */
  readonly warmUp: (sessionIds: readonly string[]) => Promise<void>
  /** Whether a new decision would be the same. */
  readonly holds: (out: Forwarded) => Promise<boolean>
}

/**
 * Decides again about connections that stay open after their request has passed: WebSockets, event streams, long downloads. It
 * does so after every change that could matter, and regularly for rights that end by time. Short answers cost nothing.
 */
export class Revalidation {
  readonly #parts: Parts
  readonly #stopWatching: () => void
  readonly #timer = setInterval(() => this.#tick(), tickMs).unref()
  #ticks = 0
  /** The connections that a round has seen: since which tick, and the last round that decided about them. */
  readonly #seen = new WeakMap<Timed, { readonly since: number; round: number }>()
  #round = 1
  /** The last complete round. */
  #done = 0
  #roundAt = 0
  /** Duration of that round in milliseconds. */
  #tookMs = 0
  #running = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#stopWatching = parts.changes.watch(causes, () => {
      this.#round++
      void this.#run()
    })
  }

  close(): void {
    clearInterval(this.#timer)
    this.#stopWatching()
  }

  #tick(): void {
    this.#ticks++
    if (performance.now() - this.#roundAt > Math.max(roundIntervalMs, this.#tookMs / maxShare)) {
      this.#round++
      this.#roundAt = performance.now()
    }
    void this.#run()
  }

  async #run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    for (let round = 0; round !== this.#round;) {
      // Wait, so that constant changes cannot keep us busy all the time.
      if (round > 0) await delay(Math.max(50, this.#tookMs), undefined, { ref: false })
      round = this.#round
      await this.#runRound(round)
    }
    this.#running = false
  }

  async #runRound(round: number): Promise<void> {
    const began = performance.now()
    let batch: Timed[] = []
    // A connection that opens during the round is too young for it.
    for (const open of this.#parts.forwarder.open) {
      const seen = this.#seen.get(open)
      if (!seen) this.#seen.set(open, { since: this.#ticks, round: 0 })
      if (!seen || seen.round === round || this.#ticks - seen.since < minAgeTicks) continue
      seen.round = round
      if (batch.push(open) < batchSize) continue
      await this.#decide(batch)
      batch = []
    }
    await this.#decide(batch)
    if (round !== this.#done) this.#tookMs = performance.now() - began
    this.#done = round
  }

  async #decide(batch: readonly Timed[]): Promise<void> {
    const { warmUp, holds } = this.#parts
    const ids = batch.flatMap(({ out: { pass } }) =>
      pass.identity?.proof.by === 'session' ? pass.identity.proof.id : [],
    )
    // This only makes the decisions cheaper; if it fails, they fail too.
    if (ids.length > 1) await warmUp(ids).catch(() => {})
    let until = performance.now() + sliceMs
    for (const open of batch) {
      // Without a decision, the connection cannot stay open.
      if (!(await holds(open.out).catch(() => false))) open.breakOff()
      if (performance.now() < until) continue
      await turn()
      until = performance.now() + sliceMs
    }
    if (batch.length === batchSize) await turn()
  }
}
