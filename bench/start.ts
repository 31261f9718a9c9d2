// The time from the start of the process to its first response over the socket, and its idle memory.
import { join } from 'node:path'
import { HeroProxy } from '../sdk/index.ts'
import { addPerson, measureStart, newInstance } from './daemon.ts'
import { bothCores, newFolder, node, takeGeneratorCore } from './processes.ts'
import { figures, heading, table, spreadText } from './report.ts'
import { roundsOr, takeTurns } from './round.ts'

takeGeneratorCore()

const instance = await newInstance()
const first = instance.start(bothCores)
const hero = new HeroProxy({ socket: instance.socketPath })
await addPerson(hero)
hero.close()
await first.stop()

const barePath = join(newFolder(), 'bare.sock')
const bare = join(import.meta.dirname, 'peers', 'http_constant.ts')
const results = await takeTurns(
  [
    { name: 'hero_proxy', measure: () => measureStart(instance.socketPath, () => instance.start(bothCores)) },
    {
      name: 'bare node:http',
      measure: () => measureStart(barePath, () => node(bothCores, bare, barePath, '{}')),
    },
  ],
  roundsOr(7),
)

heading('Start to first answer over the socket, and idle memory', {})
table([
  ['', 'start ms', 'of that on the processor ms', 'idle MB'],
  ...['hero_proxy', 'bare node:http'].map((name) => [
    name,
    spreadText(results.of(name)),
    spreadText(results.of(name, 'cpu')),
    spreadText(results.of(name, 'resident')),
  ]),
])
figures(
  'start',
  {
    start_ms: results.of('hero_proxy').median,
    idle_mb: results.of('hero_proxy', 'resident').median,
    start_ms_bare: results.of('bare node:http').median,
    idle_mb_bare: results.of('bare node:http', 'resident').median,
  },
  results,
)
