import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import type { DaemonNumbers } from '../metrics/counters.ts'
import type { Log } from '../log/log.ts'
import type { Condition } from '../storage/database.ts'
import { WorkerLink } from './link.ts'

/** A worker that ends younger than this is not well, in milliseconds. */
const youth = 10_000
/** In milliseconds: the longest pause before one that keeps ending is started again. */
const longestPause = 10_000

/**
 * The processes that serve the edge. All inherit one listening socket and accept from it, so the kernel spreads the
 * connections; whoever dies is replaced, and while nobody accepts, connections wait in the socket's queue.
 */
export class Workers {
  readonly #config: Config
  readonly #changed: () => void
  /** The descriptor of the listening socket, from `start` on. */
  #socket!: number
  readonly #grace: number
  readonly #log: Log
  readonly #all = new Set<WorkerLink>()
  /** Who serves, by number from 1. */
  readonly #places = new Map<number, WorkerLink>()
  /** How many in a row have ended young at a place. */
  readonly #young = new Map<number, number>()
  readonly #gone = { calls: 0, requests: 0 }
  /** How the database file is; all workers hear of it. */
  #condition: Condition | undefined
  #closing = false
  #renewing = false
  readonly #killAll = () => {
    for (const { child } of this.#all) child.kill('SIGKILL')
  }

  /** `grace` is what requests get that are under way, in milliseconds. `changed` is called when a worker has changed something. */
  constructor(config: Config, grace: number, log: Log, changed: () => void) {
    this.#config = config
    this.#changed = changed
    this.#grace = grace
    this.#log = log
  }

  /** Starts them all on the listening socket of this descriptor; rejects, with none left, when one cannot. */
  async start(socket: number): Promise<AddressInfo> {
    this.#socket = socket
    process.once('exit', this.#killAll)
    try {
      const numbers = Array.from({ length: this.#config.workers }, (_, i) => i + 1)
      const [address] = await Promise.all(numbers.map((number) => this.#place(number)))
      return address!
    } catch (error) {
      await this.close()
      throw error
    }
  }

  numbers() {
    const living = [...this.#all].flatMap(({ numbers }) => (numbers ? [numbers] : []))
    return { living, gone: this.#gone }
  }

  /** Tells everyone what the daemon does as a whole. */
  tellAll(daemon: DaemonNumbers): void {
    for (const worker of this.#all) worker.tell({ daemon })
  }

  /** How the database file is, as those know that come later too. */
  tellCondition(condition: Condition): void {
    this.#condition = condition
    for (const worker of this.#all) worker.tell({ condition })
  }

  /** Lets everybody hear of a change; `teller` knows of it already. */
  async forgetAll(teller?: WorkerLink): Promise<void> {
    if (teller) this.#changed()
    const others = [...this.#all].filter((worker) => worker !== teller)
    await Promise.all(others.map((worker) => worker.forget()))
  }

  /** Replaces one after another; each accepts before the one before it stops to. */
  async renew(): Promise<void> {
    if (this.#renewing || this.#closing) return
    this.#renewing = true
    try {
      for (const number of this.#places.keys()) if (!this.#closing) await this.#place(number)
      this.#log.info({ workers: this.#config.workers }, 'the workers were replaced')
    } catch (error) {
      this.#log.error({ error: (error as Error).message }, 'a worker could not be replaced and stays')
    } finally {
      this.#renewing = false
    }
  }

  async close(): Promise<void> {
    this.#closing = true
    for (const worker of this.#places.values()) worker.leave(this.#grace)
    for (const { left, child } of this.#all) if (!left) child.kill('SIGKILL')
    await Promise.all([...this.#all].map(({ ended }) => ended))
    process.off('exit', this.#killAll)
  }

  /** Starts a worker, waits until it listens, and only then lets the one leave that had its place. */
  async #place(number: number): Promise<AddressInfo> {
    const worker = new WorkerLink(number, this.#config, this.#socket, (teller) => this.forgetAll(teller))
    this.#all.add(worker)
    if (this.#condition) worker.tell({ condition: this.#condition })
    void worker.ended.then((how) => this.#ended(number, worker, how))
    let address
    try {
      address = await worker.listening
    } catch (error) {
      worker.child.kill('SIGKILL')
      throw error
    }
    this.#places.get(number)?.leave(this.#grace)
    this.#places.set(number, worker)
    if (this.#closing) worker.leave(this.#grace)
    return address
  }

  #ended(number: number, worker: WorkerLink, how: string): void {
    this.#all.delete(worker)
    this.#gone.calls += worker.numbers?.rpc_calls ?? 0
    this.#gone.requests += worker.numbers?.edge_requests ?? 0
    if (this.#closing || this.#places.get(number) !== worker) return
    const { pid } = worker.child
    this.#log.error({ worker: number, pid, how }, 'a worker ended; another one is started')
    const young = performance.now() - worker.began < youth
    this.#young.set(number, young ? (this.#young.get(number) ?? 0) + 1 : 0)
    void this.#replace(number, worker)
  }

  /** At once; with growing pauses when that does not help. */
  async #replace(number: number, ended: WorkerLink): Promise<void> {
    while (this.#places.get(number) === ended) {
      const young = this.#young.get(number)!
      if (young > 1) await delay(Math.min(longestPause, 100 * 2 ** young), undefined, { ref: false })
      if (this.#closing) return
      await this.#place(number).catch((error: Error) => {
        this.#young.set(number, young + 1)
        this.#log.error({ worker: number, error: error.message }, 'a worker could not be started')
      })
    }
  }
}
