/** Numbers about one process. */
export interface ProcessNumbers {
  readonly pid: number
  /** Resident set. */
  readonly memory_bytes: number
  readonly rpc_calls: number
  readonly edge_requests: number
}

/** Numbers about the daemon with all its workers. */
export interface DaemonNumbers extends Omit<ProcessNumbers, 'pid'> {
  readonly uptime_seconds: number
  readonly workers: ProcessNumbers[]
}

/** Of the workers of a daemon, and what those that are gone have counted. */
export interface WorkerNumbers {
  readonly living: ProcessNumbers[]
  readonly gone: { readonly calls: number; readonly requests: number }
}

/** Of a process without workers. */
export const noWorkers = (): WorkerNumbers => ({ living: [], gone: { calls: 0, requests: 0 } })

/** Counts what this process does, and knows what the daemon does as a whole. */
export class Counters {
  /** JSON-RPC calls answered since start. */
  calls = 0
  /** HTTP requests answered at the edge since start. */
  requests = 0
  /** In a worker: what the daemon last told about all of itself. */
  whole: DaemonNumbers | undefined
  readonly #workers: () => WorkerNumbers

  constructor(workers: () => WorkerNumbers) {
    this.#workers = workers
  }

  own(): ProcessNumbers {
    return {
      pid: process.pid,
      memory_bytes: process.memoryUsage.rss(),
      rpc_calls: this.calls,
      edge_requests: this.requests,
    }
  }

  daemon(): DaemonNumbers {
    if (this.whole) return this.whole
    const { living, gone } = this.#workers()
    const all = [this.own(), ...living]
    const sum = (of: (one: ProcessNumbers) => number) => all.reduce((total, one) => total + of(one), 0)
    return {
      uptime_seconds: Math.round(process.uptime()),
      memory_bytes: sum((one) => one.memory_bytes),
      rpc_calls: sum((one) => one.rpc_calls) + gone.calls,
      edge_requests: sum((one) => one.edge_requests) + gone.requests,
      workers: living,
    }
  }
}
