// Two workers compared with one, with the small GETs of bench/edge.ts: processor time of all processes per request, and the rate.
// The generator and the upstream use the other cores. On a machine with two cores, all share them.
import { cpus } from 'node:os'
import { openDoor, Refused } from './daemon.ts'
import * as peers from './peers/configurations.ts'
import { bothCores, takeGeneratorCore, type Running } from './processes.ts'
import { figures, heading, table, spreadText } from './report.ts'
import { roundsOr, takeTurns, untilSteady, type Contestant } from './round.ts'
import { need, Servers, versions } from './servers.ts'
import { underLoad } from './wrk.ts'

takeGeneratorCore()
need('nginx', 'wrk')

const apart = cpus().length >= 4
const loadCores = apart ? `2-${cpus().length - 1}` : bothCores
const servers = new Servers()
const { places } = servers
const upstream = servers.nginx(peers.upstream(places), loadCores)

/** The percentage of the work that the busiest process did: 50 if two share it evenly. */
const busiest = (before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>) => {
  const spent = [...after].map(([pid, cpu]) => cpu - (before.get(pid) ?? 0))
  return (100 * Math.max(...spent)) / spent.reduce((sum, cpu) => sum + cpu, 0)
}

const withWorkers = async (count: number): Promise<Contestant> => {
  const door = await openDoor(bothCores, '--workers', String(count))
  const daemon: Running = servers.keep(door.daemon)
  const place = await door.route('app.localhost', `unix:${places.upstream}`)
  const name = `${count} worker${count > 1 ? 's' : ''}`
  const load = { name, place, servers: [daemon], upstream, connections: 64, core: loadCores }
  const { measure } = await underLoad(load)
  return {
    name,
    measure: async () => {
      const before = daemon.cpus()
      const measured = await measure()
      return { ...measured, fullCore: 1_000_000 / measured.cpu!, busiest: busiest(before, daemon.cpus()) }
    },
  }
}

const begin = async () => {
  try {
    return [await withWorkers(1), await withWorkers(2)] as const
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    console.log(`skipped: this version does not support --workers (${error.message})`)
    process.exit(0)
  }
}
const contestants = await begin()
const results = await takeTurns(contestants, roundsOr(7), untilSteady)
await servers.stop()

heading(
  `One worker and two on two cores, 64 connections; generator and upstream ${apart ? 'on others' : 'on the same two'}`,
  versions('nginx', 'wrk'),
)
const columns = ['rate', 'cpu', 'fullCore', 'served', 'generated', 'upstream', 'busiest', 'resident']
table([
  [
    '',
    'requests/s',
    'µs on the processor',
    'requests for a full core',
    'server %',
    'wrk %',
    'upstream %',
    'busiest process, % of the server',
    'MB, largest process',
  ],
  ...contestants.map(({ name }) => [name, ...columns.map((figure) => spreadText(results.of(name, figure)))]),
])
const [one, two] = contestants.map(({ name }) => name) as [string, string]
const dearer = results.ratio(two, one, 'cpu').median
figures(
  'workers',
  {
    workers_cpu_ratio: dearer,
    workers_rate_ratio: results.ratio(two, one).median,
    // How many times as much two workers would serve if each had its own core.
    workers_growth: 2 / dearer,
    memory_mb_per_worker: results.of(two, 'resident').max,
  },
  results,
)
