/** The numbers of one process. */
export interface ProcessNumbers {
  readonly pid: number
  /** Resident set size. */
  readonly memory_bytes: number
  readonly rpc_calls: number
  readonly edge_requests: number
}

/** The numbers of the daemon with all its workers. */
export interface DaemonNumbers extends Omit<ProcessNumbers, 'pid'> {
  readonly uptime_seconds: number
  readonly workers: ProcessNumbers[]
}

/** The numbers of running workers, and the totals of those that have ended. */
export interface WorkerNumbers {
  readonly living: ProcessNumbers[]
  readonly gone: { readonly calls: number; readonly requests: number }
}

/** For a process without workers. */
export const noWorkers = (): WorkerNumbers => ({ living: [], gone: { calls: 0, requests: 0 } })

/** Counts what this process does, and reports the totals of the daemon. */
export class Counters {
  /** JSON-RPC calls answered since start. */
  calls = 0
  /** HTTP requests answered at the edge since start. */
  requests = 0
  /** In a worker: the last totals received from the daemon. */
  daemonNumbers: DaemonNumbers | undefined
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
    if (this.daemonNumbers) return this.daemonNumbers
    const { living, gone } = this.#workers()
    const processes = [this.own(), ...living]
    const sum = (of: (numbers: ProcessNumbers) => number) =>
      processes.reduce((total, numbers) => total + of(numbers), 0)
    return {
      uptime_seconds: Math.round(process.uptime()),
      memory_bytes: sum((numbers) => numbers.memory_bytes),
      rpc_calls: sum((numbers) => numbers.rpc_calls) + gone.calls,
      edge_requests: sum((numbers) => numbers.edge_requests) + gone.requests,
      workers: living,
    }
  }
}
