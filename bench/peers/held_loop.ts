// Loaded into the daemon. Each connection gets the longest time, in milliseconds, that the event loop was blocked since the previous one.
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

if (isMainThread && process.env.HELD_LOOP) {
  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  rmSync(process.env.HELD_LOOP, { force: true })
  createServer((connection) => {
    connection.end(String(delays.max / 1e6))
    delays.reset()
  })
    .listen(process.env.HELD_LOOP)
    .unref()
}
