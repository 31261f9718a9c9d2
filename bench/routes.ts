// What a request costs where there are ten routes, and where there are ten thousand; and what a change of one route costs.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HeroProxy } from '../sdk/index.ts'
import { ask } from '../test/helpers/http.ts'
import { newInstance } from './daemon.ts'
import * as told from './peers/configurations.ts'
import {
  eventually,
  freePort,
  generatorCore,
  newFolder,
  output,
  pathOf,
  serverCore,
  start,
  takeGeneratorCore,
  versionOf,
} from './processes.ts'
import { figures, heading, table, told as shown } from './report.ts'
import { takeTurns, untilSteady, roundsOr, type Contestant } from './round.ts'

takeGeneratorCore()

const rounds = roundsOr(7)
const [nginx, wrk] = ['nginx', 'wrk'].map((program) => pathOf(program))
if (nginx === undefined || wrk === undefined) {
  console.log('skipped: upstream and generator are nginx and wrk (Debian: apt-get install nginx-light wrk)')
  process.exit(0)
}

const folder = newFolder()
const places = { folder, upstream: join(folder, 'upstream.sock'), endpoint: join(folder, 'endpoint.sock') }
const configuration = join(folder, 'upstream.conf')
writeFileSync(configuration, told.upstream(places, await freePort()))
const upstream = start(generatorCore, nginx, ['-p', folder, '-c', configuration], {}, 'ignore')

const nameOf = (i: number) => `h${i}.localhost`

/** A daemon that leads so many hosts to the upstream. */
const serving = async (routes: number) => {
  const instance = await newInstance()
  const daemon = instance.start(serverCore)
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
  const file = join(folder, `${hosts}.lua`)
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
    const text = await output(wrk, ['-t1', '-c32', '-d2s', '-s', script(hosts), url])
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
const results = await takeTurns(contestants, rounds, untilSteady)

/** Milliseconds until the first answer after a route has changed. */
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
for (const { hero, daemon } of [few, many]) {
  hero.close()
  await daemon.stop()
}
await upstream.stop()

heading('Small GETs of guests through the door, by the number of routes, 32 connections', {
  nginx: versionOf('nginx', '-v'),
  wrk: versionOf('wrk', '-v'),
})
table([
  ['', 'requests/s', 'µs on the processor', 'cost, to that with 10 routes'],
  ...contestants.map(({ name }) => [
    name,
    shown(results.of(name)),
    shown(results.of(name, 'cpu')),
    shown(results.ratio(name, '10 routes', 'cpu')),
  ]),
])
console.log(
  `\nThe first answer after a change of one route: ${fewChange.toFixed(1)} ms of 10, ${manyChange.toFixed(1)} ms of 10,000`,
)
figures('routes', {
  ten_thousand_vs_ten: results.ratio('10,000 routes, all asked', '10 routes', 'cpu').median,
  ten_of_ten_thousand_vs_ten: results.ratio('10,000 routes, ten of them asked', '10 routes', 'cpu').median,
  first_after_change_ms: manyChange,
})
