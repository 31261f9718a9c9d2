import { fork, type ChildProcess } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, extname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import type { DaemonNumbers, ProcessNumbers } from '../metrics/counters.ts'
import type { Condition } from '../storage/database.ts'
import { version } from '../version.ts'

/** The file descriptor of the socket that a worker listens on. */
export const inheritedSocketFd = 3

export type ToWorker =
  | { readonly start: { readonly config: Config; readonly version: string; readonly number: number } }
  | { readonly daemon: DaemonNumbers }
  /** Data has changed; acknowledged by `forgot`. */
  | { readonly forget: number }
  /** All processes have acknowledged the change that the worker announced. */
  | { readonly known: number }
  /** The condition of the database file. */
  | { readonly condition: Condition }
  /** Milliseconds in which requests in progress may finish. */
  | { readonly leave: number }

export type FromWorker =
  | { readonly listening: AddressInfo }
  | { readonly refused: string }
  | { readonly numbers: ProcessNumbers }
  | { readonly forgot: number }
  /** The worker has changed data; acknowledged by `known`. */
  | { readonly changed: number }

/** Milliseconds to wait for a worker to acknowledge a change. */
export const acknowledgeTimeoutMs = 500

/** Milliseconds in which a worker has to listen. */
const startTimeoutMs = 30_000
/** Milliseconds after the grace period at which a stopping worker is killed. */
const killAfterGraceMs = 2000

/** Shares our compile cache, if we have one: it halves the start time of a worker. */
const sharedCache = () => {
  const own = getCompileCacheDir()
  return own === undefined ? {} : { NODE_COMPILE_CACHE: dirname(own) }
}

/** Starts a worker, sends it messages, and knows its state. */
export class WorkerLink {
  readonly child: ChildProcess
  readonly began = performance.now()
  readonly listening: Promise<AddressInfo>
  /** Resolves with the reason when the worker has ended. */
  readonly ended: Promise<string>
  numbers: ProcessNumbers | undefined
  /** Whether the worker was asked to stop. */
  left = false

  readonly #acknowledgements = new Map<number, () => void>()
  #lastId = 0

  /** `changed` is called, and awaited, when the worker has changed data. */
  constructor(
    number: number,
    config: Config,
    socket: number,
    changed: (origin: WorkerLink) => Promise<void>,
  ) {
    const extension = extname(import.meta.url)
    const moduleHooks = new URL(`../node/module_hooks${extension}`, import.meta.url)
    this.child = fork(new URL(`./worker${extension}`, import.meta.url), [], {
      execArgv: [...process.execArgv, '--import', moduleHooks.href],
      stdio: ['ignore', 'inherit', 'inherit', socket, 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, ...sharedCache() },
    })
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(error.message))
      this.child.once('exit', (code, signal) => resolve(signal ?? `exit status ${code}`))
    })
    this.listening = new Promise((resolve, reject) => {
      this.child.on('message', (message: FromWorker) => {
        if ('listening' in message) resolve(message.listening)
        else if ('refused' in message) reject(new Error(message.refused))
        else if ('numbers' in message) this.numbers = message.numbers
        else if ('forgot' in message) this.#acknowledgements.get(message.forgot)?.()
        else void changed(this).then(() => this.send({ known: message.changed }))
      })
      void this.ended.then((how) => reject(new Error(`a worker ended while starting (${how})`)))
      setTimeout(() => reject(new Error('a worker took too long to start')), startTimeoutMs).unref()
    })
    this.listening.catch(() => {})
    this.send({ start: { config, version, number } })
  }

  /** Sends a message. Does nothing if the worker is gone, which `ended` reports. */
  send(message: ToWorker): void {
    if (this.child.connected) this.child.send(message, () => {})
  }

  /** Announces a change. Resolves when the worker has acknowledged it, has ended, or takes too long. */
  async forget(): Promise<void> {
    const id = ++this.#lastId
    const acknowledged = new Promise<void>((resolve) => this.#acknowledgements.set(id, resolve))
    this.send({ forget: id })
    await Promise.race([acknowledged, this.ended, delay(acknowledgeTimeoutMs, undefined, { ref: false })])
    this.#acknowledgements.delete(id)
  }

  /** Stops the worker gracefully, or kills it if that takes too long. */
  leave(graceMs: number): void {
    this.left = true
    this.send({ leave: graceMs })
    const timer = setTimeout(() => this.child.kill('SIGKILL'), graceMs + killAfterGraceMs)
    void this.ended.then(() => clearTimeout(timer))
  }
}
