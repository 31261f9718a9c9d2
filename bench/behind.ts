// The cost of a request behind nginx as a trusted proxy, with fifty users over 32 shared connections.
// Compared with the same requests sent directly, by one user and by the fifty users over shared connections. The latter separates
// the cost of mixing users from the cost of the proxy's headers.
// nginx runs on the core of the generator and does not count.
import type { Place } from './ask.ts'
import { browserAsk, browserScript } from './browser_requests.ts'
import { Contest } from './contest.ts'
import { openDoor } from './daemon.ts'
import { frontAddress, nginxFront } from './peers/nginx_front.ts'
import { freePort, generatorCore, serverCore, takeGeneratorCore } from './processes.ts'
import { roundsOr } from './round.ts'
import { need } from './servers.ts'

takeGeneratorCore()
need('nginx', 'wrk')

const people = 50
const contest = await Contest.open()
const { servers } = contest
const { places, folder } = servers
const door = await openDoor(serverCore, '--trusted-proxies', frontAddress)
servers.keep(door.daemon)
const place = await door.route('app.localhost', `unix:${places.upstream}`)
const cookies = await door.people(place.host, people)
const port = await freePort()
servers.nginx(nginxFront(places, port, door.port), generatorCore)

const [direct, mixed, behind] = [
  'direct, one person',
  `direct, ${people} people mixed`,
  `behind nginx, ${people} people mixed`,
] as const
const add = (name: string, at: Place, script: string, addresses = '127.0.0.1') =>
  contest.add({
    name,
    place: at,
    working: [door.daemon],
    script,
    asking: browserAsk(place),
    way: { addresses },
  })
const ofAll = browserScript(folder, 'all', place, { cookies })
await add(direct, place, browserScript(folder, 'one', place))
await add(mixed, place, ofAll)
await add(behind, { ...place, port }, ofAll, `127.0.0.1, ${frontAddress}`)

const results = await contest.run(roundsOr(7))
const cost = (name: string) => results.ratio(name, direct, 'cpu').median
contest.report(
  'behind',
  'Processor time of hero_proxy for a request, sent directly and by nginx as a trusted proxy, 32 connections',
  ['nginx', 'wrk'],
  results,
  [],
  { vs_direct: cost(behind), mixed_vs_direct: cost(mixed), cpu_us: results.of(behind, 'cpu').median },
)
