// How long one call blocks the event loop of an instance with a million users, and how long such an instance takes to start.
import { connect } from 'node:net'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { HeroProxy } from '../sdk/index.ts'
import { readConfig } from '../src/config/read.ts'
import { crowds, fill, largeCalls } from '../test/e2e/large_instance.ts'
import { newInstance } from './daemon.ts'
import { bothCores, eventually, newFolder } from './processes.ts'
import { figures, heading, table } from './report.ts'

const scale = Number(process.env.GROWTH_SCALE ?? 1)
const size = { people: 1_000_000 * scale, groups: 100_000 * scale, audit: 1_000_000 * scale }
/** The fastest of several attempts counts, because the machine does other work too. */
const tries = crowds

const probe = join(newFolder(), 'held.sock')
process.env.HELD_LOOP = probe
process.env.NODE_OPTIONS = `--import=${new URL('./peers/held_loop.ts', import.meta.url).href}`

const instance = await newInstance()
const hero = new HeroProxy({ socket: instance.socketPath, timeout: 600_000 })
const held = async () => Number(await text(connect(probe)))

const started = async () => {
  const began = performance.now()
  const daemon = instance.start(bothCores)
  await eventually(() => hero.health())
  return { daemon, took: performance.now() - began }
}

const first = await started()
await first.daemon.stop()
const dataDir = join(instance.databaseFile, '..')
const began = performance.now()
await fill(readConfig({ data_dir: dataDir }, {}), size)
console.log(`filled in ${Math.round((performance.now() - began) / 1000)} s`)
const megabytes = statSync(instance.databaseFile).size / 1e6

const starts: number[] = []
for (let i = 0; i < tries; i++) {
  const { daemon, took } = await started()
  starts.push(took)
  await daemon.stop()
}
const { daemon } = await started()
await eventually(async () => {
  const { database } = await hero.health()
  if (database !== 'ok') throw new Error(database)
}, 120)
const checking = await held()
// The search index is built after the start. A large one takes minutes.
const indexed = () => {
  const database = new Sqlite(instance.databaseFile, { readonly: true })
  const facts = database.prepare("select count(*) from instance where key like 'search_%'").pluck().get()
  database.close()
  return facts === 2
}
const making = performance.now()
while (!indexed()) await delay(500)
console.log(`building the search index took ${Math.round((performance.now() - making) / 1000)} s`)

const rows: { name: string; holds: number; takes: number }[] = []
for (const [name, call] of Object.entries(largeCalls(hero))) {
  let holds = Infinity
  let takes = Infinity
  for (let i = 0; i < tries; i++) {
    await held()
    // The first turn after this is not measured.
    await delay(20)
    const from = performance.now()
    await call(i)
    takes = Math.min(takes, performance.now() - from)
    // Work that was deferred until after the response counts too.
    await delay(100)
    holds = Math.min(holds, await held())
  }
  rows.push({ name, holds, takes })
}
hero.close()
const resident = daemon.resident()
await daemon.stop()

heading(`Calls on ${size.people} people, ${size.groups} groups, ${size.audit} audit entries, SQLite`, {})
table([
  ['', 'holds the loop ms', 'answers after ms'],
  ...rows.map(({ name, holds, takes }) => [name, holds.toFixed(1), takes.toFixed(1)]),
])
const worst = rows.reduce((a, b) => (a.holds > b.holds ? a : b))
const median = starts.sort((a, b) => a - b)[Math.floor(tries / 2)]!
console.log(
  `\nstart ${median.toFixed(0)} ms with ${megabytes.toFixed(0)} MB; worst: ${worst.name}; held ${checking.toFixed(1)} ms while it started and was checked; ${resident.toFixed(0)} MB resident`,
)
figures('growth', {
  worst_hold_ms: worst.holds,
  start_ms: median,
  resident_mb: resident,
  database_mb: megabytes,
})
