// Bodies of 64 MB for a signed-in user over Unix sockets, compared with nginx: downloads of a file that nginx serves, and uploads
// to a server that reads and drops them.
// Then one body of 1 GB in each direction to a receiver that reads nothing at first, and the memory that this takes.
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { askOnce, type Place } from './ask.ts'
import { comparisons } from './contest.ts'
import { openDoor } from './daemon.ts'
import * as peers from './peers/configurations.ts'
import { eventually, freePort, generatorCore, node, takeGeneratorCore, type Running } from './processes.ts'
import { figures, heading, table, spreadText } from './report.ts'
import { roundsOr, spread, takeTurns, untilSteady, type Contestant } from './round.ts'
import { compareWork, record } from './same_work.ts'
import { need, Servers, versions } from './servers.ts'
import { download, upload } from './transfers.ts'
import { identitySeen, tellHeldBack } from './wrk.ts'

takeGeneratorCore()
need('nginx')

const megabyte = 1024 * 1024
const size = 64 * megabyte
const atOnce = 4
/** A turn starts new bodies for this many seconds, and then lets those in progress finish. */
const seconds = 2
const gigabyte = 1024 * megabyte

const servers = new Servers()
const { places, folder } = servers
const sinkPath = join(folder, 'sink.sock')
/** Makes a sparse file: holes read as zeros, so any size needs no disk space. */
const hole = (name: string, bytes: number) => {
  writeFileSync(join(folder, name), '')
  truncateSync(join(folder, name), bytes)
}
hole('body', size)
hole('gigabyte', gigabyte)
const upstream = servers.nginx(peers.fileUpstream(places, 'body'), generatorCore)
const sink = servers.keep(node(generatorCore, join(import.meta.dirname, 'peers', 'sink.ts'), sinkPath))
const huge = join(folder, 'huge.sock')
servers.nginx(peers.fileUpstream({ ...places, upstream: huge }, 'gigabyte'), generatorCore)

const door = await openDoor()
servers.keep(door.daemon)
const { daemon } = door
const fromFile = await door.route('file.localhost', `unix:${places.upstream}`)
const toSink = await door.route('sink.localhost', `unix:${sinkPath}`)
const fromHuge = await door.route('huge.localhost', `unix:${huge}`)
const port = await freePort()
const nginx = servers.nginx(peers.nginxStreaming(places, port, sinkPath))

type Transfer = (place: Place, size: number, rest?: number) => Promise<void>

/** A turn: several connections at a time, each with one body after another. The rate is in MB per second, and `cpu` is for one MB. */
const carrying = async (
  name: string,
  transfer: Transfer,
  place: Place,
  server: Running,
  peer: Running,
): Promise<Contestant> => {
  await eventually(() => transfer(place, size))
  const own = () => {
    const { user, system } = process.cpuUsage()
    return user + system
  }
  const counts = () => [server.cpu(), own(), peer.cpu(), performance.now() * 1000]
  /** Sends bodies one after another and returns how many passed. */
  const oneAfterAnother = async () => {
    const until = performance.now() + seconds * 1000
    let passed = 0
    for (; performance.now() < until; passed++) await transfer(place, size)
    return passed
  }
  return {
    name,
    measure: async () => {
      const before = counts()
      const passed = await Promise.all(Array.from({ length: atOnce }, oneAfterAnother))
      const [cpu, generator, answering, elapsed] = counts().map((count, i) => count - before[i]!)
      const megabytes = (passed.reduce((sum, count) => sum + count, 0) * size) / megabyte
      return {
        rate: (megabytes * 1_000_000) / elapsed!,
        cpu: cpu! / megabytes,
        resident: server.resident(),
        served: (100 * cpu!) / elapsed!,
        generated: (100 * generator!) / elapsed!,
        upstream: (100 * answering!) / elapsed!,
      }
    },
  }
}

const nginxPlace = { ...fromFile, port }
const recorder = await record(places)
for (const [name, place] of [
  ['hero_proxy', fromFile],
  ['nginx', nginxPlace],
] as const) {
  await identitySeen(name, place)
  await compareWork({
    name,
    ask: (path, asking) => askOnce(place, path, asking),
    askUpstream: (path, asking) => askOnce(places.upstream, path, asking),
    asking: { headers: ['Host', place.host, 'Cookie', place.cookie] },
    path: '/same',
  })
}
recorder.close()
const contestants = [
  await carrying('hero_proxy, down', download, fromFile, daemon, upstream),
  await carrying('nginx, down', download, nginxPlace, nginx, upstream),
  await carrying('hero_proxy, up', upload, toSink, daemon, sink),
  await carrying('nginx, up', upload, nginxPlace, nginx, sink),
]
const rounds = roundsOr(7)
const results = await takeTurns(contestants, rounds, untilSteady)

/** The largest growth of resident memory while one body of a gigabyte passed. */
const growth = async (transfer: Transfer, place: Place): Promise<number> => {
  const before = daemon.resident()
  let highest = before
  const watch = setInterval(() => (highest = Math.max(highest, daemon.resident())), 20)
  // The receiver pauses for a second: a proxy without back-pressure would buffer everything that was sent.
  await transfer(place, gigabyte, 1000)
  clearInterval(watch)
  return highest - before
}
const grown: Record<'down' | 'up', number[]> = { down: [], up: [] }
for (let i = 0; i < Math.min(rounds, 3); i++) {
  grown.down.push(await growth(download, fromHuge))
  grown.up.push(await growth(upload, toSink))
}
await servers.stop()

const names = contestants.map(({ name }) => name)
heading(
  `Bodies of ${size / megabyte} MB over ${atOnce} connections, from and to Unix sockets`,
  versions('nginx'),
)
table([
  ['', 'MB/s', 'µs on the processor for a MB', 'MB resident', 'server %', 'generator %', 'upstream %'],
  ...names.map((name) => [
    name,
    ...['rate', 'cpu', 'resident', 'served', 'generated', 'upstream'].map((figure) =>
      spreadText(results.of(name, figure)),
    ),
  ]),
])
tellHeldBack(results, names)
const ratios = comparisons(results, [
  { figure: 'up_vs_nginx', name: 'hero_proxy, up', peer: 'nginx, up' },
  { figure: 'down_vs_nginx', name: 'hero_proxy, down', peer: 'nginx, down' },
])
console.log(
  '\nMemory of hero_proxy while 1 GB passes in one body; the receiver reads nothing for the first second',
)
table([
  ['', 'grown by MB'],
  ['down', spreadText(spread(grown.down))],
  ['up', spreadText(spread(grown.up))],
])
figures(
  'bodies',
  {
    ...ratios,
    down_mb_per_second: results.of('hero_proxy, down').median,
    up_mb_per_second: results.of('hero_proxy, up').median,
    memory_growth_mb: Math.max(...grown.down, ...grown.up),
  },
  results,
)
