// The time from the start of the process to its first response over the socket, and its idle memory.
import { get } from 'node:http'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { HeroProxy } from '../sdk/index.ts'
import { addPerson, newInstance } from './daemon.ts'
import { bothCores, eventually, newFolder, node, takeGeneratorCore, type Running } from './processes.ts'
import { figures, heading, table, spreadText } from './report.ts'
import { roundsOr, takeTurns, type Measured } from './round.ts'

takeGeneratorCore()

const answers = (socketPath: string) =>
  new Promise<void>((resolve, reject) => {
    const request = get({ socketPath, path: '/health', agent: false }, (response) => {
      response.resume()
      if (response.statusCode === 200) resolve()
      else reject(new Error(`/health answered ${response.statusCode}`))
    })
    request.on('error', reject)
  })

const timed = async (socketPath: string, begin: () => Running): Promise<Measured> => {
  rmSync(socketPath, { force: true })
  const began = performance.now()
  const server = begin()
  await eventually(() => answers(socketPath))
  const rate = performance.now() - began
  const cpu = server.cpu() / 1000
  await new Promise((resolve) => setTimeout(resolve, 2500))
  const resident = server.resident()
  await server.stop()
  return { rate, cpu, resident }
}

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
    { name: 'hero_proxy', measure: () => timed(instance.socketPath, () => instance.start(bothCores)) },
    { name: 'bare node:http', measure: () => timed(barePath, () => node(bothCores, bare, barePath, '{}')) },
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
