// How long small GETs take when each server gets seven tenths of what it can do, measured just before: requests are due at fixed
// times, whatever became of the earlier ones, and counted from then. Beside nginx, alone and with auth_request.
import { join } from 'node:path'
import type { Place } from './ask.ts'
import { openDoor } from './daemon.ts'
import { atRate } from './open_loop.ts'
import * as peers from './peers/configurations.ts'
import { freePort, generatorCore, node, serverCore, takeGeneratorCore, type Running } from './processes.ts'
import { figures, heading, table, told } from './report.ts'
import { roundsOr, takeTurns, untilSteady, type Contestant } from './round.ts'
import { need, Servers, versions } from './servers.ts'
import { identitySeen, small } from './wrk.ts'

takeGeneratorCore()
need('nginx', 'wrk')

const share = 0.7
const seconds = 5
const [ours, asking, bare] = ['hero_proxy', 'nginx + auth_request', 'nginx'] as const
const names = [ours, asking, bare]
const servers = new Servers()
const { places } = servers
const upstream = servers.nginx(peers.upstream(places), generatorCore)
const door = await openDoor()
servers.keep(door.daemon)
const place = await door.route('app.localhost', `unix:${places.upstream}`)
const endpoint = servers.keep(
  node(serverCore, join(import.meta.dirname, 'peers', 'http_constant.ts'), places.endpoint),
)

interface Measuring extends Contestant {
  /** The most it can do, as warming up takes it. */
  readonly most: Contestant
}

const measuring = async (name: string, at: Place, working: readonly Running[]): Promise<Measuring> => {
  await identitySeen(name, at)
  const most = () => small({ name, place: at, servers: working, upstream })
  return {
    name,
    most: { name, measure: most },
    measure: async () => {
      const wanted = Math.round((await most()).rate * share)
      const { p50, p99, p999, late, rate } = await atRate(at, wanted, seconds).catch((error: Error) => {
        throw new Error(`${name} at ${wanted} requests a second: ${error.message}`)
      })
      return { rate, wanted, p50, p99, p999, late }
    },
  }
}
const nginxAt = async (name: string, configured: typeof peers.nginxPlain, working: readonly Running[]) => {
  const port = await freePort()
  return measuring(name, { ...place, port }, [servers.nginx(configured(places, port)), ...working])
}
const contestants = [
  await measuring(ours, place, [door.daemon]),
  await nginxAt(asking, (places, port) => peers.nginxAuthRequest(places, port), [endpoint]),
  await nginxAt(bare, peers.nginxPlain, []),
]
// The generator is V8 too: what asks the last contestant first has asked the others by then.
const results = await takeTurns(contestants, roundsOr(7), async (contestant) => {
  await untilSteady(contestants.find(({ name }) => name === contestant.name)!.most)
  await contestant.measure()
})
await servers.stop()

heading(
  `Latency at ${100 * share} % of each one's own maximum, requests due at fixed times over 32 connections`,
  versions('nginx', 'wrk'),
)
const columns = ['wanted', 'rate', 'p50', 'p99', 'p999', 'late']
table([
  ['', 'due a second', 'answered a second', 'p50 ms', 'p99 ms', 'p99.9 ms', 'generator late ms, p99'],
  ...names.map((name) => [name, ...columns.map((figure) => told(results.of(name, figure)))]),
])
for (const name of names) {
  const [late, p99, rate, wanted] = ['late', 'p99', 'rate', 'wanted'].map((f) => results.of(name, f).median)
  if (late! > p99! / 2)
    console.log(
      `\n${name}: the generator was late itself; these latencies tell more of it than of the server.`,
    )
  if (rate! < 0.98 * wanted!) console.log(`\n${name}: the rate was not held, answers were behind at the end.`)
}
const ratio = (peer: string, figure: string) => results.ratio(ours, peer, figure).median
figures(
  'latency',
  {
    p99_vs_nginx_auth_request: ratio(asking, 'p99'),
    p50_vs_nginx_auth_request: ratio(asking, 'p50'),
    p999_vs_nginx_auth_request: ratio(asking, 'p999'),
    p99_vs_nginx: ratio(bare, 'p99'),
    p99_ms: results.of(ours, 'p99').median,
    p50_ms: results.of(ours, 'p50').median,
    generator_late_ms: Math.max(...names.map((name) => results.of(name, 'late').median)),
  },
  results,
)
