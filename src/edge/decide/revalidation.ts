import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import type { ChangeWatch } from '../../storage/change_watch.ts'
import type { Subject } from '../../storage/schema.ts'
import type { Forwarder } from '../forward/forwarder.ts'
import type { Forwarded, Timed } from '../forward/forwarded.ts'

/** In milliseconds: how often is looked for connections that have become old enough to be asked about. */
const tick = 250
/** Ticks after which an answer counts as open: one that ends somebody's own session has at least half a second to arrive. */
const youth = 3
/** In milliseconds: the longest that other work waits for us. */
const slice = 4
/** In milliseconds: what ends by time, such as a membership, is found after so long; later if asking takes long. */
const patience = 900
/** Asking about what ends by time takes this part of all time at most. */
const share = 1 / 50

/** Connections that are decided about together: what is to be known of them is read at once. */
const batch = 200

/** What decides about a request. */
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
  /** Reads what is to be known of these sessions. */
  readonly warmUp: (sessionIds: readonly string[]) => Promise<void>
  /** Whether a decision would come out as it did. */
  readonly holds: (out: Forwarded) => Promise<boolean>
}

/**
 * Connections whose request was let in once and that live on: WebSockets, event streams, long downloads. Each is decided
 * about again when something has changed that could matter, and now and then for what ends by time; the small answers
 * between cost nothing.
 */
export class Revalidation {
  readonly #parts: Parts
  readonly #stopWatching: () => void
  readonly #timer = setInterval(() => this.#tick(), tick).unref()
  #ticks = 0
  /** Those that were there at a tick: since when, and in which round they were last decided about again. */
  readonly #seen = new WeakMap<Timed, { readonly since: number; round: number }>()
  #round = 1
  /** The last round in which all were asked about. */
  #done = 0
  #roundAt = 0
  /** In milliseconds: how long that round was. */
  #took = 0
  #asking = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#stopWatching = parts.changes.watch(causes, () => {
      this.#round++
      void this.#ask()
    })
  }

  close(): void {
    clearInterval(this.#timer)
    this.#stopWatching()
  }

  #tick(): void {
    this.#ticks++
    if (performance.now() - this.#roundAt > Math.max(patience, this.#took / share)) {
      this.#round++
      this.#roundAt = performance.now()
    }
    void this.#ask()
  }

  async #ask(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    for (let round = 0; round !== this.#round;) {
      // Whoever changes something all the time cannot have us ask all the time.
      if (round > 0) await delay(Math.max(50, this.#took), undefined, { ref: false })
      round = this.#round
      await this.#askAll(round)
    }
    this.#asking = false
  }

  async #askAll(round: number): Promise<void> {
    const began = performance.now()
    let some: Timed[] = []
    // What is added meanwhile is too young for this round.
    for (const open of this.#parts.forwarder.open) {
      const seen = this.#seen.get(open)
      if (!seen) this.#seen.set(open, { since: this.#ticks, round: 0 })
      if (!seen || seen.round === round || this.#ticks - seen.since < youth) continue
      seen.round = round
      if (some.push(open) < batch) continue
      await this.#askSome(some)
      some = []
    }
    await this.#askSome(some)
    if (round !== this.#done) this.#took = performance.now() - began
    this.#done = round
  }

  async #askSome(some: readonly Timed[]): Promise<void> {
    const { warmUp, holds } = this.#parts
    const ids = some.flatMap(({ out: { pass } }) =>
      pass.identity?.proof.by === 'session' ? pass.identity.proof.id : [],
    )
    // It only makes the questions cheaper; if it fails, so will they.
    if (ids.length > 1) await warmUp(ids).catch(() => {})
    let until = performance.now() + slice
    for (const open of some) {
      // Whoever cannot be asked about cannot stay.
      if (!(await holds(open.out).catch(() => false))) open.breakOff()
      if (performance.now() < until) continue
      await turn()
      until = performance.now() + slice
    }
    if (some.length === batch) await turn()
  }
}
