// Small GETs of a signed-in user: keep-alive connections, a session cookie, claims, six or more headers set.
// Compared with nginx, HAProxy and Caddy, with and without a request to an identity endpoint.
// Every server has one core; wrk and the upstream have the other one.
import { join } from 'node:path'
import type { Place } from './ask.ts'
import { Contest, type Pairing } from './contest.ts'
import { openDoor } from './daemon.ts'
import { caddyForwardAuth, caddyPlain } from './peers/caddy.ts'
import * as peers from './peers/configurations.ts'
import { haproxyPlain } from './peers/haproxy.ts'
import { freePort, node, serverCore, takeGeneratorCore, type Running } from './processes.ts'
import { roundsOr } from './round.ts'
import { have, need } from './servers.ts'

takeGeneratorCore()
need('nginx', 'wrk')

const ours = 'hero_proxy'
const contest = await Contest.open()
const { servers, upstreamPort } = contest
const { places } = servers
const door = await openDoor()
servers.keep(door.daemon)
const place = await door.route('app.localhost', `unix:${places.upstream}`)
const placeOverTcp = await door.route('tcp.localhost', `http://127.0.0.1:${upstreamPort}`)

const pairings: Pairing[] = []
const beside = async (
  figure: string,
  peer: string,
  begin: (port: number) => Running,
  besides: readonly Running[] = [],
  name = ours,
) => {
  const port = await freePort()
  const at: Place = { ...place, port }
  await contest.add({ name: peer, place: at, working: [begin(port), ...besides] })
  pairings.push({ figure, name, peer })
}

await contest.add({ name: ours, place, working: [door.daemon] })
await contest.add({ name: `${ours}, TCP`, place: placeOverTcp, working: [door.daemon] })
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
const asked = { ...places, endpoint: join(places.folder, 'asked.sock') }
await beside(
  'vs_nginx_asking_nginx',
  'nginx + auth_request to nginx',
  (port) => servers.nginx(peers.nginxAuthRequest(asked, port)),
  [servers.nginx(peers.nginxEndpoint(asked))],
)
if (have('haproxy'))
  await beside('vs_haproxy', 'HAProxy', (port) => servers.haproxy(haproxyPlain(places, port)))
if (have('caddy')) {
  await beside('vs_caddy', 'Caddy', (port) => servers.caddy(caddyPlain(places, port)))
  await beside(
    'vs_caddy_forward_auth',
    'Caddy + forward_auth',
    (port) => servers.caddy(caddyForwardAuth(places, port)),
    [endpoint],
  )
}

const results = await contest.run(roundsOr(7))
contest.report(
  'edge',
  'Small GETs through the door, 1 KB from a Unix socket or over TCP, 32 connections',
  ['nginx', 'haproxy', 'caddy', 'wrk'],
  results,
  pairings,
  {
    cpu_us: results.of(ours, 'cpu').median,
    requests_per_second: results.of(ours).median,
    memory_mb: results.of(ours, 'resident').max,
  },
)
