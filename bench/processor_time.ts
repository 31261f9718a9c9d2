import { readdirSync, readFileSync } from 'node:fs'

/** The fields of /proc/PID/stat from the state on: 1 is the parent, 13 and 14 are ticks of 10 ms of ended children. */
export const statOf = (pid: number | string): number[] => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
}

/** A process and all its descendants. */
export const family = (pid: number): number[] => {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue
    try {
      const parent = statOf(name)[1]!
      children.set(parent, [...(children.get(parent) ?? []), Number(name)])
    } catch {
      // The process has ended since the folder was read.
    }
  }
  const found = [pid]
  for (const one of found) found.push(...(children.get(one) ?? []))
  return found
}

interface Spent {
  /** Microseconds on a core. */
  readonly ran: number
  /** Microseconds that the thread was runnable but had no core. */
  readonly waited: number
}

/** Processor time of one process, summed over its threads in nanosecond steps (/proc/PID/task/TID/schedstat). */
class ProcessTime {
  readonly #tasks: string
  /** The last reading of every thread. The kernel forgets a thread that ends, but its work still counts here. */
  readonly #threads = new Map<string, Spent>()

  constructor(pid: number) {
    this.#tasks = `/proc/${pid}/task`
  }

  read(): Spent {
    try {
      for (const thread of readdirSync(this.#tasks)) this.#readThread(thread)
    } catch {
      // The process has ended.
    }
    const sum = { ran: 0, waited: 0 }
    for (const { ran, waited } of this.#threads.values()) {
      sum.ran += ran
      sum.waited += waited
    }
    return sum
  }

  #readThread(thread: string): void {
    try {
      const [ran, waited] = readFileSync(`${this.#tasks}/${thread}/schedstat`, 'utf8').split(' ')
      this.#threads.set(thread, { ran: Number(ran) / 1000, waited: Number(waited) / 1000 })
    } catch {
      // The thread has ended.
    }
  }
}

/** Processor time of a process and of all its descendants, also of those that have ended. */
export class FamilyTime {
  readonly #pid: number
  readonly #processes = new Map<number, ProcessTime>()

  constructor(pid: number) {
    this.#pid = pid
  }

  /** What each process has spent so far, by pid. */
  read(): ReadonlyMap<number, Spent> {
    for (const pid of family(this.#pid))
      if (!this.#processes.has(pid)) this.#processes.set(pid, new ProcessTime(pid))
    return new Map([...this.#processes].map(([pid, time]) => [pid, time.read()]))
  }

  /** Microseconds of all of them together. */
  total(what: keyof Spent): number {
    return this.read()
      .values()
      .reduce((sum, spent) => sum + spent[what], 0)
  }
}
