// nginx that gets the identity from us by forward auth, compared with nginx that gets it from a bare Node endpoint.
// The processor time of nginx and of the endpoint is added up; they share one core.
import { join } from 'node:path'
import { Contest } from './contest.ts'
import { openDoor } from './daemon.ts'
import * as peers from './peers/configurations.ts'
import { freePort, node, serverCore, takeGeneratorCore } from './processes.ts'
import { roundsOr } from './round.ts'
import { need } from './servers.ts'

takeGeneratorCore()
need('nginx', 'wrk')

const contest = await Contest.open()
const { servers } = contest
const { places } = servers
const door = await openDoor(serverCore, '--forward-auth-from', '127.0.0.1')
servers.keep(door.daemon)
const place = await door.route('app.localhost', `unix:${places.upstream}`)
const endpoint = servers.keep(
  node(serverCore, join(import.meta.dirname, 'peers', 'http_constant.ts'), places.endpoint),
)

const [ours, bare] = ['nginx + our forward auth', 'nginx + bare node:http'] as const
const [ourPort, barePort] = [await freePort(), await freePort()]
const askingUs = servers.nginx(peers.nginxAuthRequest(places, ourPort, peers.ourEndpoint(door.port)))
const askingBare = servers.nginx(peers.nginxAuthRequest(places, barePort))
await contest.add({ name: ours, place: { ...place, port: ourPort }, working: [door.daemon, askingUs] })
await contest.add({ name: bare, place: { ...place, port: barePort }, working: [endpoint, askingBare] })

const results = await contest.run(roundsOr(7))
contest.report(
  'forward_auth',
  'Small GETs through nginx with auth_request, 32 connections; MB are those of the endpoint',
  ['nginx', 'wrk'],
  results,
  [{ figure: 'vs_bare', name: ours, peer: bare }],
  { cpu_us: results.of(ours, 'cpu').median, bare_cpu_us: results.of(bare, 'cpu').median },
)
