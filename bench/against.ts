// This checkout against another one, such as that of an earlier commit: small GETs of a signed-in person, users.get, and the start.
// Both take part in the same rounds, so the ratios hold on a machine that slows down.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { HeroProxy } from '../sdk/index.ts'
import { comparisons, Contest, type Pairing } from './contest.ts'
import * as ours from './daemon.ts'
import { Load, measureCalls } from './load.ts'
import { bothCores, serverCore, takeGeneratorCore } from './processes.ts'
import { figures, heading, spreadText, table } from './report.ts'
import { roundsOr, takeTurns, untilSteady, type Contestant } from './round.ts'
import { need } from './servers.ts'

const folder = resolve(process.argv[2] ?? '')
if (process.argv[2] === undefined || !existsSync(join(folder, 'bench', 'daemon.ts'))) {
  console.error(
    'usage: node bench/against.ts FOLDER, where FOLDER is another checkout with its packages installed',
  )
  process.exit(1)
}
takeGeneratorCore()
need('nginx', 'wrk')

/** The other checkout starts, fills and signs in at its daemon by its own means. */
const theirs = (await import(join(folder, 'bench', 'daemon.ts'))) as typeof ours
const sides = [
  ['this', ours],
  ['that', theirs],
] as const
const pairing = (figure: string, what: string): Pairing => ({
  figure,
  name: `this, ${what}`,
  peer: `that, ${what}`,
})

const contest = await Contest.open()
for (const [name, side] of sides) {
  const door = await side.openDoor()
  contest.servers.keep(door.daemon)
  const place = await door.route('app.localhost', `unix:${contest.servers.places.upstream}`)
  await contest.add({ name: `${name}, GET`, place, working: [door.daemon] })
}
const small = await contest.run(roundsOr(15))
contest.report(
  'against',
  'Small GETs of a signed-in person',
  ['nginx', 'wrk'],
  small,
  [pairing('edge', 'GET')],
  {},
)

const request = `${JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'users.get', params: { username: 'ada' } })}\n`
const instances = []
const callers: Contestant[] = []
for (const [name, side] of sides) {
  const instance = await side.newInstance()
  const daemon = instance.start(serverCore)
  const hero = new HeroProxy({ socket: instance.socketPath })
  await side.addPerson(hero as never)
  hero.close()
  const load = new Load(instance.socketPath, request)
  await load.learn((text) => text.endsWith('\n'))
  callers.push({ name: `${name}, users.get`, measure: () => measureCalls(daemon, load, 64) })
  instances.push({ name, instance, daemon })
}
const calls = await takeTurns(callers, roundsOr(15), untilSteady)
for (const { daemon } of instances) await daemon.stop()
heading('users.get over the socket, lines, 64 in flight', {})
figures('against', comparisons(calls, [pairing('rpc', 'users.get')]), calls)

const starts = await takeTurns(
  instances.map(({ name, instance }) => ({
    name: `${name}, start`,
    measure: () => ours.measureStart(instance.socketPath, () => instance.start(bothCores)),
  })),
  roundsOr(15),
)
heading('Start to the first answer over the socket, and idle memory', {})
table([
  ['', 'ms', 'processor ms', 'MB'],
  ...sides.map(([name]) => [
    name,
    ...['rate', 'cpu', 'resident'].map((figure) => spreadText(starts.of(`${name}, start`, figure))),
  ]),
])
figures(
  'against',
  {
    start: starts.ratio('that, start', 'this, start').median,
    start_cpu: starts.ratio('that, start', 'this, start', 'cpu').median,
    idle_memory: starts.ratio('that, start', 'this, start', 'resident').median,
  },
  starts,
)
process.exit(0)
