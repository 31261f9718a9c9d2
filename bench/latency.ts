// The latency of small GETs at two rates: one that is the same for all, 70 % of the maximum of nginx + auth_request, and 70 % of the
// maximum of each server, measured just before.
// Requests are due at fixed times, whether or not earlier ones have been answered, and latencies count from then.
import { join } from 'node:path'
import type { Place } from './ask.ts'
import { openDoor } from './daemon.ts'
import { atRate } from './open_loop.ts'
import * as peers from './peers/configurations.ts'
import { freePort, generatorCore, node, serverCore, takeGeneratorCore, type Running } from './processes.ts'
import { figures, heading, table, spreadText } from './report.ts'
import { roundsOr, spread, takeTurns, untilSteady, type Contestant } from './round.ts'
import { need, Servers, versions } from './servers.ts'
import { identitySeen, small } from './wrk.ts'

takeGeneratorCore()
need('nginx', 'wrk')

const share = 0.7
const seconds = 4
const [ours, asking, bare] = ['hero_proxy', 'nginx + auth_request', 'nginx'] as const
const names = [ours, asking, bare]
const servers = new Servers()
const { places } = servers
const upstreamPort = await freePort()
const upstream = servers.nginx(peers.upstream(places, upstreamPort), generatorCore)
const door = await openDoor()
servers.keep(door.daemon)
const place = await door.route('app.localhost', `unix:${places.upstream}`)
const endpoint = servers.keep(
  node(serverCore, join(import.meta.dirname, 'peers', 'http_constant.ts'), places.endpoint),
)

/** Latencies at a rate, and the microseconds per request that the upstream waited for a core. */
const timed = async (name: string, at: Place, wanted: number) => {
  const before = upstream.waited()
  const latencies = await atRate(at, wanted, seconds).catch((error: Error) => {
    throw new Error(`${name} at ${wanted} requests a second: ${error.message}`)
  })
  return { ...latencies, waited: (upstream.waited() - before) / (wanted * (seconds + 1)) }
}

interface Timed {
  readonly name: string
  readonly place: Place
  /** Measures its maximum. */
  readonly maximum: Contestant
}

const serving = async (name: string, at: Place, working: readonly Running[]): Promise<Timed> => {
  await identitySeen(name, at)
  return {
    name,
    place: at,
    maximum: { name, measure: () => small({ name, place: at, servers: working, upstream }) },
  }
}
const nginxAt = async (name: string, configured: typeof peers.nginxPlain, working: readonly Running[]) => {
  const port = await freePort()
  return serving(name, { ...place, port }, [servers.nginx(configured(places, port)), ...working])
}
const timedOnes = [
  await serving(ours, place, [door.daemon]),
  await nginxAt(asking, (places, port) => peers.nginxAuthRequest(places, port), [endpoint]),
  await nginxAt(bare, peers.nginxPlain, []),
]
for (const { maximum } of timedOnes) await untilSteady(maximum)

/** The rate for all is determined once. */
const maxima: number[] = []
for (let i = 0; i < 3; i++) maxima.push((await timedOnes[1]!.maximum.measure()).rate)
const fixed = Math.round(spread(maxima).median * share)

const contestants = timedOnes.map(({ name, place, maximum }): Contestant => ({
  name,
  measure: async () => {
    const wanted = Math.round((await maximum.measure()).rate * share)
    const own = await timed(name, place, wanted)
    const same = await timed(name, place, fixed)
    const ofFixed = Object.entries(same).map(([figure, value]) => [`fixed_${figure}`, value])
    return { ...own, wanted, fixed_wanted: fixed, ...(Object.fromEntries(ofFixed) as Record<string, number>) }
  },
}))
const results = await takeTurns(contestants, roundsOr(7))
/** The generator and the upstream without a server between them, at the highest rate that was asked for. */
const highest = Math.round(Math.max(...names.map((name) => results.of(name, 'wanted').max)))
const floor = await timed('the upstream alone', { ...place, port: upstreamPort }, highest)
await servers.stop()

const columns = ['wanted', 'rate', 'p50', 'p99', 'p999', 'late', 'busy', 'waited']
const headings = [
  'due a second',
  'answered a second',
  'p50 ms',
  'p99 ms',
  'p99.9 ms',
  'generator late ms, p99',
  'generator busy %',
  'upstream waits µs',
]
const rows = (prefix: string) =>
  names.map((name) => [name, ...columns.map((figure) => spreadText(results.of(name, `${prefix}${figure}`)))])
heading(
  `Latency over 32 connections; below at ${fixed} requests a second for all, ${100 * share} % of what nginx + auth_request can do`,
  versions('nginx', 'wrk'),
)
table([[`${100 * share} % of its own`, ...headings], ...rows('')])
console.log('')
table([['the same for all', ...headings], ...rows('fixed_')])
console.log(
  `\nThe generator and the upstream alone at ${highest} a second: p50 ${floor.p50.toFixed(3)} ms, p99 ${floor.p99.toFixed(3)} ms, ` +
    `${Math.round(floor.rate)} answered a second, generator busy ${floor.busy.toFixed(0)} %`,
)
for (const [prefix, which] of [
  ['', 'its own rate'],
  ['fixed_', 'the rate for all'],
] as const)
  for (const name of names) {
    const [late, p99, rate, wanted] = ['late', 'p99', 'rate', 'wanted'].map(
      (figure) => results.of(name, `${prefix}${figure}`).median,
    )
    if (late! > p99! / 2)
      console.log(
        `\n${name} at ${which}: the generator itself was late; these latencies say little of the server.`,
      )
    if (rate! < 0.98 * wanted!) console.log(`\n${name} at ${which}: answers did not keep up with the rate.`)
  }
const ratio = (peer: string, figure: string) => results.ratio(ours, peer, figure).median
figures(
  'latency',
  {
    p99_fixed_vs_nginx_auth_request: ratio(asking, 'fixed_p99'),
    p50_fixed_vs_nginx_auth_request: ratio(asking, 'fixed_p50'),
    p99_fixed_vs_nginx: ratio(bare, 'fixed_p99'),
    p99_vs_nginx_auth_request: ratio(asking, 'p99'),
    p50_vs_nginx_auth_request: ratio(asking, 'p50'),
    p999_vs_nginx_auth_request: ratio(asking, 'p999'),
    p99_vs_nginx: ratio(bare, 'p99'),
    p99_ms: results.of(ours, 'p99').median,
    p99_fixed_ms: results.of(ours, 'fixed_p99').median,
    p50_ms: results.of(ours, 'p50').median,
    generator_p99_ms: floor.p99,
    generator_late_ms: Math.max(...names.map((name) => results.of(name, 'late').median)),
  },
  results,
)
