// Requests as a browser sends them: ten headers, with a new path and a new Referer in each request; and POSTs of 1 KB.
// Compared with nginx that sets the same six headers, and with nginx + auth_request.
import { join } from 'node:path'
import type { Place } from './ask.ts'
import { browserAsk, browserScript } from './browser_requests.ts'
import { Contest, type Pairing } from './contest.ts'
import { openDoor } from './daemon.ts'
import * as peers from './peers/configurations.ts'
import { freePort, node, serverCore, takeGeneratorCore, type Running } from './processes.ts'
import { roundsOr } from './round.ts'
import { need } from './servers.ts'
import { small } from './wrk.ts'

takeGeneratorCore()
need('nginx', 'wrk')

const contest = await Contest.open()
const { servers, upstream, upstreamPort } = contest
const { places } = servers
const door = await openDoor()
servers.keep(door.daemon)
const place = await door.route('app.localhost', `unix:${places.upstream}`)

const post = { method: 'POST', body: JSON.stringify({ text: 'x'.repeat(1024 - 11) }) } as const
const scripts = {
  GET: browserScript(servers.folder, 'get', place),
  POST: browserScript(servers.folder, 'post', place, post),
}
const add = async (name: string, port: number, working: readonly Running[], method: 'GET' | 'POST') => {
  const at: Place = { ...place, port }
  const asking = browserAsk(place, method === 'POST' ? post : {})
  await contest.add({ name: `${name}, ${method}`, place: at, working, script: scripts[method], asking })
}

const endpoint = servers.keep(
  node(serverCore, join(import.meta.dirname, 'peers', 'http_constant.ts'), places.endpoint),
)
const [plainPort, askingPort] = [await freePort(), await freePort()]
const plain = servers.nginx(peers.nginxPlain(places, plainPort))
const asking = servers.nginx(peers.nginxAuthRequest(places, askingPort))
const pairings: Pairing[] = []
for (const [method, prefix] of [
  ['GET', ''],
  ['POST', 'post_'],
] as const) {
  await add('hero_proxy', place.port, [door.daemon], method)
  await add('nginx', plainPort, [plain], method)
  await add('nginx + auth_request', askingPort, [asking, endpoint], method)
  const name = `hero_proxy, ${method}`
  pairings.push(
    { figure: `${prefix}vs_nginx`, name, peer: `nginx, ${method}` },
    { figure: `${prefix}vs_nginx_auth_request`, name, peer: `nginx + auth_request, ${method}` },
  )
}

/** The rate of wrk and the upstream on their core without a proxy. No higher rate can be measured. */
const alone = {
  name: 'upstream alone',
  place: { ...place, port: upstreamPort },
  servers: [upstream],
  upstream,
}
const ceiling = await small({ ...alone, script: scripts.GET })
console.log(`wrk with its script and the upstream alone: ${Math.round(ceiling.rate)} requests/s`)
const results = await contest.run(roundsOr(7))
contest.report(
  'browser',
  'Requests of a browser, ten headers, each with another path and Referer; POSTs of 1 KB; 32 connections',
  ['nginx', 'wrk'],
  results,
  pairings,
  {
    cpu_us: results.of('hero_proxy, GET', 'cpu').median,
    post_cpu_us: results.of('hero_proxy, POST', 'cpu').median,
    generator_per_second: ceiling.rate,
  },
)
