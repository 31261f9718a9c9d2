// Small GETs of a signed-in person through the door: keep-alive, a session cookie, claims, six headers and more set; beside
// nginx, HAProxy and Caddy, with and without asking an endpoint who it is. Every server has one core, wrk and the upstream
// the other.
import { join } from 'node:path'
import { openDoor, type Place } from './daemon.ts'
import { caddyForwardAuth, caddyPlain } from './peers/caddy.ts'
import * as peers from './peers/configurations.ts'
import { freePort, generatorCore, node, serverCore, takeGeneratorCore, type Running } from './processes.ts'
import { figures, heading, table, told } from './report.ts'
import { roundsOr, takeTurns, untilSteady, type Contestant } from './round.ts'
import { have, need, Servers, versions } from './servers.ts'
import { askOnce, tellHeldBack, underLoad } from './wrk.ts'

takeGeneratorCore()
need('nginx', 'wrk')

const ours = 'hero_proxy'
const host = 'app.localhost'
const servers = new Servers()
const { places } = servers
const upstreamPort = await freePort()
const upstream = servers.nginx(peers.upstream(places, upstreamPort), generatorCore)
const door = await openDoor()
servers.keep(door.daemon)
const place = await door.route(host, `unix:${places.upstream}`)
const placeOverTcp = await door.route('tcp.localhost', `http://127.0.0.1:${upstreamPort}`)

/** Contestants, and the figure that compares ours with each. */
const contestants: Contestant[] = []
const compared: { figure: string; name: string; peer: string }[] = []
const add = async (name: string, at: Place, working: readonly Running[]) => {
  contestants.push(await underLoad({ name, place: at, servers: working, upstream }))
}
const beside = async (
  figure: string,
  name: string,
  begin: (port: number) => Running,
  besides: readonly Running[] = [],
  our = ours,
) => {
  const port = await freePort()
  await add(name, { ...place, port }, [begin(port), ...besides])
  compared.push({ figure, name: our, peer: name })
}

await add(ours, place, [door.daemon])
await add(`${ours}, TCP`, placeOverTcp, [door.daemon])
await beside('vs_nginx', 'nginx', (port) => servers.nginx(peers.nginxPlain(places, port)))
await beside(
  'tcp_vs_nginx',
  'nginx, TCP',
  (port) => servers.nginx(peers.nginxPlain(places, port, `127.0.0.1:${upstreamPort}`)),
  [],
  `${ours}, TCP`,
)
const endpoint = servers.keep(
  node(serverCore, join(import.meta.dirname, 'peers', 'http_constant.ts'), places.endpoint),
)
await beside(
  'vs_nginx_auth_request',
  'nginx + auth_request',
  (port) => servers.nginx(peers.nginxAuthRequest(places, port)),
  [endpoint],
)

/** nginx asking a daemon of ours, which trusts it; that is another daemon than the one that carries requests itself. */
const besideOurForwardAuth = async () => {
  const judge = await openDoor(serverCore, '--trusted-proxies', '127.0.0.1')
  servers.keep(judge.daemon)
  const asked = await judge.route(host, `unix:${places.upstream}`)
  if ((await askOnce(asked, '/auth/forward')).startsWith('404'))
    return console.log('left out: nginx + auth_request to our own forward auth, which this version has not')
  const port = await freePort()
  const server = servers.nginx(peers.nginxAuthRequest(places, port, peers.ourEndpoint(asked.port)))
  const name = 'nginx + our forward auth'
  await add(name, { ...asked, port }, [server, judge.daemon])
  compared.push({ figure: 'vs_nginx_our_forward_auth', name: ours, peer: name })
}
await besideOurForwardAuth()
if (have('haproxy'))
  await beside('vs_haproxy', 'HAProxy', (port) => servers.haproxy(peers.haproxyPlain(places, port)))
if (have('caddy')) {
  await beside('vs_caddy', 'Caddy', (port) => servers.caddy(caddyPlain(places, port)))
  await beside(
    'vs_caddy_forward_auth',
    'Caddy + forward_auth',
    (port) => servers.caddy(caddyForwardAuth(places, port)),
    [endpoint],
  )
}

const results = await takeTurns(contestants, roundsOr(7), untilSteady)
await servers.stop()

const names = contestants.map(({ name }) => name)
const peerOf = (name: string) => compared.find(({ peer }) => peer === name)
heading(
  'Small GETs through the door, 1 KB from a Unix socket or over TCP, 32 connections',
  versions('nginx', 'haproxy', 'caddy', 'wrk'),
)
table([
  ['', 'requests/s', 'µs on the processor', 'p50 ms', 'p99 ms', 'ours : theirs', 'same, by processor', 'MB'],
  ...names.map((name) => [
    name,
    ...['rate', 'cpu', 'p50', 'p99'].map((figure) => told(results.of(name, figure))),
    told(results.ratio(peerOf(name)?.name ?? ours, name)),
    told(results.ratio(name, peerOf(name)?.name ?? ours, 'cpu')),
    told(results.of(name, 'resident')),
  ]),
])
console.log('\nShare of a core, %')
table([
  ['', 'server', 'wrk', 'upstream'],
  ...names.map((name) => [
    name,
    ...['served', 'generated', 'upstream'].map((figure) => told(results.of(name, figure))),
  ]),
])
tellHeldBack(results, names)
const ratios = compared.flatMap(({ figure, name, peer }) => [
  [figure, results.ratio(name, peer).median],
  [`cpu_${figure}`, results.ratio(peer, name, 'cpu').median],
])
figures(
  'edge',
  {
    ...Object.fromEntries(ratios),
    cpu_us: results.of(ours, 'cpu').median,
    requests_per_second: results.of(ours).median,
    memory_mb: results.of(ours, 'resident').max,
  },
  results,
)
