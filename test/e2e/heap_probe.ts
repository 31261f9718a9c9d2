// Loaded into a daemon by --import: on SIGUSR2 it appends one line about the heap to the file named by HEAP_PROBE.
import { appendFileSync } from 'node:fs'
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics } from 'node:v8'

let markCompacts = 0
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries() as unknown as { detail: { kind: number } }[])
    if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) markCompacts++
}).observe({ entryTypes: ['gc'] })

process.on('SIGUSR2', () => {
  const oldSpace = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')!
  const line = { markCompacts, oldBytes: oldSpace.space_used_size }
  appendFileSync(process.env.HEAP_PROBE!, `${JSON.stringify(line)}\n`)
})
