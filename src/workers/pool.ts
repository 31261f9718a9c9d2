import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import type { DaemonNumbers } from '../metrics/counters.ts'
import type { Log } from '../log/log.ts'
import type { Condition } from '../storage/database.ts'
import { WorkerLink } from './link.ts'

/** A worker that ends within this time counts as failing. */
const earlyEndMs = 10_000
/** The longest pause before a failing worker is started again. */
const maxPauseMs = 10_000

/**
 * The processes that serve the edge. All inherit one listening socket, so the kernel distributes the connections. A worker that
 * dies is replaced. While no worker accepts, connections wait in the queue of the socket.
 */
export class Workers {
  readonly #config: Config
  readonly #changed: () => void
  /** The descriptor of the listening socket, from `start` on. */
  #socket!: number
  readonly #graceMs: number
  readonly #log: Log
  readonly #all = new Set<WorkerLink>()
  /** The serving workers, by number from 1. */
  readonly #serving = new Map<number, WorkerLink>()
  /** Consecutive early ends, by number. */
  readonly #earlyEnds = new Map<number, number>()
  readonly #gone = { calls: 0, requests: 0 }
  /** The condition of the database file, which all workers get. */
  #condition: Condition | undefined
  #closing = false
  #renewing = false
  readonly #killAll = () => {
    for (const { child } of this.#all) child.kill('SIGKILL')
  }

  /** Requests in progress may finish within `graceMs`. `changed` is called when a worker has changed data. */
  constructor(config: Config, graceMs: number, log: Log, changed: () => void) {
    this.#config = config
    this.#changed = changed
    this.#graceMs = graceMs
    this.#log = log
  }

  /** Starts all workers on this listening socket. If one fails, stops all of them and rejects. */
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

  /** Sends the numbers of the whole daemon to all workers. */
  sendNumbers(daemon: DaemonNumbers): void {
    for (const worker of this.#all) worker.send({ daemon })
  }

  /** Sends the condition of the database file to all workers, including later ones. */
  sendCondition(condition: Condition): void {
    this.#condition = condition
    for (const worker of this.#all) worker.send({ condition })
  }

  /** Announces a change to all workers except its `origin`. */
  async forgetAll(origin?: WorkerLink): Promise<void> {
    if (origin) this.#changed()
    const others = [...this.#all].filter((worker) => worker !== origin)
    await Promise.all(others.map((worker) => worker.forget()))
  }

  /** Replaces the workers one after another. Each new one accepts before the old one stops. */
  async renew(): Promise<void> {
    if (this.#renewing || this.#closing) return
    this.#renewing = true
    try {
      for (const number of this.#serving.keys()) if (!this.#closing) await this.#place(number)
      this.#log.info({ workers: this.#config.workers }, 'the workers were replaced')
    } catch (error) {
      this.#log.error({ error: (error as Error).message }, 'cannot replace a worker, so it stays')
    } finally {
      this.#renewing = false
    }
  }

  async close(): Promise<void> {
    this.#closing = true
    for (const worker of this.#serving.values()) worker.leave(this.#graceMs)
    for (const { left, child } of this.#all) if (!left) child.kill('SIGKILL')
    await Promise.all([...this.#all].map(({ ended }) => ended))
    process.off('exit', this.#killAll)
  }

  /** Starts a worker, waits until it listens, and only then stops the one with the same number. */
  async #place(number: number): Promise<AddressInfo> {
    const worker = new WorkerLink(number, this.#config, this.#socket, (origin) => this.forgetAll(origin))
    this.#all.add(worker)
    if (this.#condition) worker.send({ condition: this.#condition })
    void worker.ended.then((how) => this.#ended(number, worker, how))
    let address
    try {
      address = await worker.listening
    } catch (error) {
      worker.child.kill('SIGKILL')
      throw error
    }
    this.#serving.get(number)?.leave(this.#graceMs)
    this.#serving.set(number, worker)
    if (this.#closing) worker.leave(this.#graceMs)
    return address
  }

  #ended(number: number, worker: WorkerLink, how: string): void {
    this.#all.delete(worker)
    this.#gone.calls += worker.numbers?.rpc_calls ?? 0
    this.#gone.requests += worker.numbers?.edge_requests ?? 0
    if (this.#closing || this.#serving.get(number) !== worker) return
    const { pid } = worker.child
    this.#log.error({ worker: number, pid, how }, 'a worker ended; starting another one')
    const early = performance.now() - worker.began < earlyEndMs
    this.#earlyEnds.set(number, early ? (this.#earlyEnds.get(number) ?? 0) + 1 : 0)
    void this.#replace(number, worker)
  }

  /** Starts a replacement at once, then with growing pauses. */
  async #replace(number: number, ended: WorkerLink): Promise<void> {
    while (this.#serving.get(number) === ended) {
      const early = this.#earlyEnds.get(number)!
      if (early > 1) await delay(Math.min(maxPauseMs, 100 * 2 ** early), undefined, { ref: false })
      if (this.#closing) return
      await this.#place(number).catch((error: Error) => {
        this.#earlyEnds.set(number, early + 1)
        this.#log.error({ worker: number, error: error.message }, 'cannot start a worker')
      })
    }
  }
}
