// A worker of the daemon: serves the edge on an inherited socket, with the same database, until the daemon stops it.
import { noWorkers } from '../metrics/counters.ts'
import { openInstance, type Instance } from '../app/instance.ts'
import { createLog } from '../log/log.ts'
import type { Condition } from '../storage/database.ts'
import { version } from '../version.ts'
import { acknowledgeTimeoutMs, inheritedSocketFd, type FromWorker, type ToWorker } from './link.ts'

type Start = Extract<ToWorker, { start: unknown }>['start']

/** Milliseconds in which requests in progress may finish when the daemon has not said how many. */
const defaultGraceMs = 10_000

/** Callbacks for changes of ours that all other processes have to acknowledge. */
const pending = new Map<number, () => void>()
let changes = 0

let instance: Instance | undefined
let leaving = false
let condition: Condition | undefined

const send = (message: FromWorker) => void (process.connected && process.send!(message))

const sendNumbers = () => instance && send({ numbers: instance.app.counters.own() })

const announce = () =>
  new Promise<void>((resolve) => {
    const id = ++changes
    const timer = setTimeout(() => pending.get(id)?.(), acknowledgeTimeoutMs * 2)
    pending.set(id, () => {
      clearTimeout(timer)
      pending.delete(id)
      resolve()
    })
    send({ changed: id })
  })

const start = async ({ config, version: wanted, number }: Start) => {
  // The files of a running daemon were replaced: its database may not fit this version.
  if (version !== wanted) {
    throw new Error(`this is version ${version} and the daemon is ${wanted}; restart the daemon`)
  }
  const log = createLog(config.log_level).child({ worker: number })
  // The daemon has already inspected the database.
  instance = await openInstance(config, log, { inspect: async () => {}, announce, workers: noWorkers })
  setCondition(condition)
  const address = await instance.app.edge.listen({ fd: inheritedSocketFd })
  send({ listening: address })
  setInterval(sendNumbers, 1000).unref()
}

/** The daemon may send this before the database is open. */
const setCondition = (received: Condition | undefined) => {
  condition = received
  if (!instance || received === undefined) return
  instance.database.condition = received
  if (received === 'damaged') void instance.database.refuseWrites()
}

const leave = async (graceMs: number) => {
  // A second signal stops at once.
  if (leaving || !instance) process.exit(leaving ? 1 : 0)
  leaving = true
  instance.app.revocations.close()
  await instance.app.edge.close(graceMs)
  sendNumbers()
  await instance.close()
  process.exit(0)
}

process.on('message', (message: ToWorker) => {
  if ('start' in message) {
    start(message.start).catch((error: Error) => {
      send({ refused: error.message.split('\n')[0]! })
      process.exitCode = 1
      process.disconnect()
    })
  } else if ('leave' in message) {
    if (!leaving) void leave(message.leave)
  } else if ('forget' in message) {
    instance?.database.revisions.invalidate()
    send({ forgot: message.forget })
  } else if ('known' in message) {
    pending.get(message.known)?.()
  } else if ('condition' in message) {
    setCondition(message.condition)
  } else if (instance) {
    instance.app.counters.daemonNumbers = message.daemon
  }
})
// Without the daemon nothing would ever stop us, and its successor needs the address.
process.on('disconnect', () => {
  if (!leaving) void leave(defaultGraceMs)
})
process.on('SIGINT', () => void leave(defaultGraceMs))
process.on('SIGTERM', () => void leave(defaultGraceMs))
// A terminal sends this to all processes, but it is meant for the daemon.
process.on('SIGHUP', () => {})
