// The cost of a request with ten and with ten thousand routes, and the cost of changing one route.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HeroProxy } from '../sdk/index.ts'
import { ask } from '../test/support/http.ts'
import { newInstance } from './daemon.ts'
import * as peers from './peers/configurations.ts'
import {
  eventually,
  freePort,
  generatorCore,
  output,
  pathOf,
  serverCore,
  takeGeneratorCore,
} from './processes.ts'
import { figures, heading, table, spreadText } from './report.ts'
import { roundsOr, takeTurns, untilSteady, type Contestant } from './round.ts'
import { need, Servers, versions } from './servers.ts'

takeGeneratorCore()
need('nginx', 'wrk')

const servers = new Servers()
const { places } = servers
servers.nginx(peers.upstream(places, await freePort()), generatorCore)

const nameOf = (i: number) => `h${i}.localhost`

/** A daemon with this many routes to the upstream, each for a different host. */
const serving = async (routes: number) => {
  const instance = await newInstance()
  const daemon = servers.keep(instance.start(serverCore))
  const hero = new HeroProxy({ socket: instance.socketPath })
  await eventually(() => hero.health())
  const target = `unix:${places.upstream}`
  const add = (i: number) => hero.proxy.routes.add({ domain: nameOf(i), target, auth_mode: 'none' })
  for (let i = 0; i < routes; i += 100)
    await Promise.all(Array.from({ length: Math.min(100, routes - i) }, (_, j) => add(i + j)))
  const edge = { host: '127.0.0.1', port: instance.port }
  const changed = async () => {
    const began = performance.now()
    const { status } = await ask({ edge }, nameOf(routes - 1), '/')
    if (status !== 200) throw new Error(`the upstream answered ${status}`)
    return performance.now() - began
  }
  await changed()
  return { instance, daemon, hero, changed }
}

const script = (hosts: number) => {
  const file = join(servers.folder, `${hosts}.lua`)
  writeFileSync(
    file,
    `local made = {}
    init = function()
      for i = 0, ${hosts - 1} do made[i] = wrk.format("GET", "/", { Host = "h" .. i .. ".localhost" }) end
    end
    request = function() return made[math.random(0, ${hosts - 1})] end`,
  )
  return file
}

const few = await serving(10)
const many = await serving(10_000)

const contestant = (name: string, { instance, daemon }: typeof few, hosts: number): Contestant => ({
  name,
  measure: async () => {
    const before = daemon.cpu()
    const url = `http://127.0.0.1:${instance.port}/`
    const text = await output(pathOf('wrk')!, ['-t1', '-c32', '-d2s', '-s', script(hosts), url])
    if (/Non-2xx|Socket errors/.test(text)) throw new Error(`${name}: ${text}`)
    const numberIn = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN)
    return {
      rate: numberIn(/Requests\/sec:\s+([\d.]+)/),
      cpu: (daemon.cpu() - before) / numberIn(/(\d+) requests in/),
    }
  },
})
const contestants = [
  contestant('10 routes', few, 10),
  contestant('10,000 routes, ten of them asked', many, 10),
  contestant('10,000 routes, all asked', many, 10_000),
]
const results = await takeTurns(contestants, roundsOr(7), untilSteady)

/** Milliseconds until the first response after a route has changed. */
const afterChange = async ({ hero, changed }: typeof few) => {
  const { items } = await hero.proxy.routes.list({ domain: nameOf(0) })
  const times: number[] = []
  for (let i = 0; i < 7; i++) {
    await hero.proxy.routes.update({ id: items[0]!.id, response_timeout: 60 + i })
    times.push(await changed())
  }
  return times.toSorted((a, b) => a - b)[3]!
}
const [fewChange, manyChange] = [await afterChange(few), await afterChange(many)]
for (const { hero } of [few, many]) hero.close()
await servers.stop()

heading(
  'Small GETs of guests through the door, by the number of routes, 32 connections',
  versions('nginx', 'wrk'),
)
table([
  ['', 'requests/s', 'µs on the processor', 'cost, to that with 10 routes'],
  ...contestants.map(({ name }) => [
    name,
    spreadText(results.of(name)),
    spreadText(results.of(name, 'cpu')),
    spreadText(results.ratio(name, '10 routes', 'cpu')),
  ]),
])
console.log(
  `\nThe first response after a change of one route: ${fewChange.toFixed(1)} ms of 10, ${manyChange.toFixed(1)} ms of 10,000`,
)
figures(
  'routes',
  {
    ten_thousand_vs_ten: results.ratio('10,000 routes, all asked', '10 routes', 'cpu').median,
    ten_of_ten_thousand_vs_ten: results.ratio('10,000 routes, ten of them asked', '10 routes', 'cpu').median,
    first_after_change_ms: manyChange,
  },
  results,
)
