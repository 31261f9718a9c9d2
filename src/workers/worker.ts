// A worker of the daemon: serves the edge on the socket it inherits, on the same database, until it is told to stop.
import { noWorkers } from '../metrics/counters.ts'
import { openInstance, type Instance } from '../app/instance.ts'
import { createLog } from '../log/log.ts'
import type { Condition } from '../storage/database.ts'
import { version } from '../version.ts'
import { hearing, inheritedSocket, type FromWorker, type ToWorker } from './link.ts'

type Start = Extract<ToWorker, { start: unknown }>['start']

/** How long requests under way may take when nobody says so any more, in milliseconds. */
const grace = 10_000

/** Whoever waits until everybody has heard of a change of ours. */
const waiting = new Map<number, () => void>()
let changes = 0

let instance: Instance | undefined
let leaving = false
let condition: Condition | undefined

const tell = (message: FromWorker) => void (process.connected && process.send!(message))

const tellNumbers = () => instance && tell({ numbers: instance.app.counters.own() })

const announce = () =>
  new Promise<void>((resolve) => {
    const id = ++changes
    const timer = setTimeout(() => waiting.get(id)?.(), hearing * 2)
    waiting.set(id, () => {
      clearTimeout(timer)
      waiting.delete(id)
      resolve()
    })
    tell({ changed: id })
  })

const start = async ({ config, version: wanted, number }: Start) => {
  // The files were replaced under a running daemon: its database is not necessarily this version's.
  if (version !== wanted) {
    throw new Error(`this is version ${version} and the daemon is ${wanted}; restart the daemon`)
  }
  const log = createLog(config.log_level).child({ worker: number })
  // The daemon has inspected the database.
  instance = await openInstance(config, log, { inspect: async () => {}, announce, workers: noWorkers })
  learn(condition)
  const address = await instance.app.edge.listen({ fd: inheritedSocket })
  tell({ listening: address })
  setInterval(tellNumbers, 1000).unref()
}

/** May be heard before the database is open. */
const learn = (heard: Condition | undefined) => {
  condition = heard
  if (!instance || heard === undefined) return
  instance.database.condition = heard
  if (heard === 'damaged') void instance.database.refuseWrites()
}

const leave = async (limit: number) => {
  // A second word does not wait.
  if (leaving || !instance) process.exit(leaving ? 1 : 0)
  leaving = true
  instance.app.revocations.close()
  await instance.app.edge.close(limit)
  tellNumbers()
  await instance.close()
  process.exit(0)
}

process.on('message', (message: ToWorker) => {
  if ('start' in message) {
    start(message.start).catch((error: Error) => {
      tell({ refused: error.message.split('\n')[0]! })
      process.exitCode = 1
      process.disconnect()
    })
  } else if ('leave' in message) {
    if (!leaving) void leave(message.leave)
  } else if ('forget' in message) {
    instance?.database.revisions.forget()
    tell({ forgot: message.forget })
  } else if ('known' in message) {
    waiting.get(message.known)?.()
  } else if ('condition' in message) {
    learn(message.condition)
  } else if (instance) {
    instance.app.counters.whole = message.daemon
  }
})
// Without the daemon there is nobody who would ever stop us, and its successor wants the address.
process.on('disconnect', () => {
  if (!leaving) void leave(grace)
})
process.on('SIGINT', () => void leave(grace))
process.on('SIGTERM', () => void leave(grace))
// Meant for the daemon, when it comes to all of a terminal.
process.on('SIGHUP', () => {})
