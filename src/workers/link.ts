import { fork, type ChildProcess } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, extname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import type { DaemonNumbers, ProcessNumbers } from '../metrics/counters.ts'
import type { Condition } from '../storage/database.ts'
import { version } from '../version.ts'

/** Where a worker finds the socket on which it listens. */
export const inheritedSocket = 3

export type ToWorker =
  | { readonly start: { readonly config: Config; readonly version: string; readonly number: number } }
  | { readonly daemon: DaemonNumbers }
  /** Something has changed; answered with `forgot`. */
  | { readonly forget: number }
  /** Everybody has heard of the change that was told of. */
  | { readonly known: number }
  /** How the database file is. */
  | { readonly condition: Condition }
  /** Milliseconds that requests under way may take. */
  | { readonly leave: number }

export type FromWorker =
  | { readonly listening: AddressInfo }
  | { readonly refused: string }
  | { readonly numbers: ProcessNumbers }
  | { readonly forgot: number }
  /** Answered with `known`. */
  | { readonly changed: number }

/** In milliseconds: whoever does not say that he has heard of a change is not waited for any longer. */
export const hearing = 500

/** In milliseconds: until then a worker has to listen. */
const startLimit = 30_000
/** Milliseconds beyond the grace of requests after which a worker that was told to leave is ended. */
const overtime = 2000

/** Where we keep compiled code, if we do: a worker then starts in half the time. */
const sharedCache = () => {
  const own = getCompileCacheDir()
  return own === undefined ? {} : { NODE_COMPILE_CACHE: dirname(own) }
}

/** The daemon's end of a worker: starts it, tells it things, and knows how it is. */
export class WorkerLink {
  readonly child: ChildProcess
  readonly began = performance.now()
  readonly listening: Promise<AddressInfo>
  /** How it ended. */
  readonly ended: Promise<string>
  numbers: ProcessNumbers | undefined
  /** It was told to leave. */
  left = false

  readonly #hears = new Map<number, () => void>()
  #asked = 0

  /** `changed` is called when the worker has changed something, and waited for. */
  constructor(
    number: number,
    config: Config,
    socket: number,
    changed: (teller: WorkerLink) => Promise<void>,
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
        else if ('forgot' in message) this.#hears.get(message.forgot)?.()
        else void changed(this).then(() => this.tell({ known: message.changed }))
      })
      void this.ended.then((how) => reject(new Error(`a worker ended at its start (${how})`)))
      setTimeout(() => reject(new Error('a worker did not start in time')), startLimit).unref()
    })
    this.listening.catch(() => {})
    this.tell({ start: { config, version, number } })
  }

  /** One that is gone hears nothing, and its end is told elsewhere. */
  tell(message: ToWorker): void {
    if (this.child.connected) this.child.send(message, () => {})
  }

  /** Resolves once the worker has heard that something has changed. */
  async forget(): Promise<void> {
    const id = ++this.#asked
    const heard = new Promise<void>((resolve) => this.#hears.set(id, resolve))
    this.tell({ forget: id })
    await Promise.race([heard, this.ended, delay(hearing, undefined, { ref: false })])
    this.#hears.delete(id)
  }

  /** Ends it in good order, or by force when it takes too long. */
  leave(grace: number): void {
    this.left = true
    this.tell({ leave: grace })
    const timer = setTimeout(() => this.child.kill('SIGKILL'), grace + overtime)
    void this.ended.then(() => clearTimeout(timer))
  }
}
