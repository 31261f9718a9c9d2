import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** Every measurement, in the order in which all of them run. */
const benches = ['start', 'rpc', 'edge', 'claims', 'routes']

const asked = process.argv.slice(2)
const unknown = asked.find((name) => !benches.includes(name))
if (unknown !== undefined) {
  console.error(`bench: ${unknown} is none; there are ${benches.join(', ')}`)
  process.exit(1)
}
const failed = (asked.length > 0 ? asked : benches).filter((name) => {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`)], {
    stdio: 'inherit',
  })
  return status !== 0
})
if (failed.length > 0) {
  console.error(`bench: ${failed.join(', ')} did not finish`)
  process.exit(1)
}
