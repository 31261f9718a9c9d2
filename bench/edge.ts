// Small GETs of a signed-in person through the door: keep-alive, a session cookie, claims, six headers and more set; beside
// nginx and Caddy, with and without asking an endpoint who it is. Every server has one core, wrk and the upstream the other.
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { HeroProxy } from '../sdk/index.ts'
import { signIn } from '../test/helpers/http.ts'
import { addPerson, newInstance, person } from './daemon.ts'
import * as told from './peers/configurations.ts'
import {
  eventually,
  freePort,
  generatorCore,
  newFolder,
  node,
  output,
  pathOf,
  serverCore,
  start,
  takeGeneratorCore,
  versionOf,
  type Running,
} from './processes.ts'
import { figures, heading, table, told as shown } from './report.ts'
import { takeTurns, type Contestant } from './round.ts'

takeGeneratorCore()

const rounds = Number(process.env.BENCH_ROUNDS ?? 7)
const host = 'app.localhost'
const [nginx, caddy, wrk] = ['nginx', 'caddy', 'wrk'].map((program) => pathOf(program))
if (nginx === undefined || wrk === undefined) {
  console.log('skipped: upstream and generator are nginx and wrk (Debian: apt-get install nginx-light wrk)')
  process.exit(0)
}

const folder = newFolder()
const places = { folder, upstream: join(folder, 'upstream.sock'), endpoint: join(folder, 'endpoint.sock') }
let configurations = 0
const configured = (text: string) => {
  const file = join(folder, `${++configurations}.conf`)
  writeFileSync(file, text)
  return file
}
const startNginx = (core: string, text: string) =>
  start(core, nginx, ['-p', folder, '-c', configured(text)], {}, 'ignore')
const startCaddy = (text: string) =>
  start(
    serverCore,
    caddy!,
    ['run', '--config', configured(text), '--adapter', 'caddyfile'],
    { GOMAXPROCS: '1', HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    'ignore',
  )

const upstream = startNginx(generatorCore, told.upstream(places))
const instance = await newInstance()
const daemon = instance.start(serverCore)
const hero = new HeroProxy({ socket: instance.socketPath })
await addPerson(hero)
await hero.proxy.routes.add({ domain: host, target: `unix:${places.upstream}`, auth_mode: 'local' })
hero.close()
const edge = { host: '127.0.0.1', port: instance.port }
const cookie = await signIn({ edge }, host, person.username, person.password)

/** What the upstream sees of a request to this port: the proof that everybody does the same work. */
const identitySeen = (port: number) =>
  new Promise<string>((resolve, reject) => {
    const headers = { host, cookie }
    const asked = request({ host: '127.0.0.1', port, path: '/seen', headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(`${response.statusCode} ${text}`))
    })
    asked.on('error', reject)
    asked.end()
  })

const numberIn = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN)
const milliseconds = (text: string, percent: string) => {
  const [, value, unit] = new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s)`).exec(text) ?? []
  return Number(value) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's']
}

const contestant = async (name: string, port: number, servers: readonly Running[]): Promise<Contestant> => {
  await eventually(async () => {
    const seen = await identitySeen(port)
    if (!/^200 ada .*wiki\.pages\.write/.test(seen)) throw new Error(`${name}: the upstream saw ${seen}`)
  })
  const cpu = () => servers.reduce((sum, server) => sum + server.cpu(), 0)
  return {
    name,
    measure: async () => {
      const before = cpu()
      const url = `http://127.0.0.1:${port}/`
      const options = ['-t1', '-c32', '-d2s', '--latency', '-H', `Host: ${host}`, '-H', `Cookie: ${cookie}`]
      const text = await output(wrk, [...options, url])
      if (/Non-2xx|Socket errors/.test(text)) throw new Error(`${name}: ${text}`)
      return {
        rate: numberIn(text, /Requests\/sec:\s+([\d.]+)/),
        cpu: (cpu() - before) / numberIn(text, /(\d+) requests in/),
        p50: milliseconds(text, '50'),
        p99: milliseconds(text, '99'),
      }
    },
  }
}

const contestants = [await contestant('hero_proxy', instance.port, [daemon])]
const others: Running[] = []
const endpoint = node(serverCore, join(import.meta.dirname, 'peers', 'http_constant.ts'), places.endpoint)
others.push(endpoint)
const add = async (name: string, begin: (port: number) => Running, besides: readonly Running[] = []) => {
  const port = await freePort()
  const server = begin(port)
  others.push(server)
  contestants.push(await contestant(name, port, [server, ...besides]))
}
await add('nginx', (port) => startNginx(serverCore, told.nginxPlain(places, port)))
await add('nginx + auth_request', (port) => startNginx(serverCore, told.nginxAuthRequest(places, port)), [
  endpoint,
])
if (caddy === undefined) console.log('skipped: Caddy is not installed (Debian: apt-get install caddy)')
else {
  await add('Caddy', (port) => startCaddy(told.caddyPlain(places, port)))
  await add('Caddy + forward_auth', (port) => startCaddy(told.caddyForwardAuth(places, port)), [endpoint])
}

const results = await takeTurns(contestants, rounds)
await Promise.all([upstream, daemon, ...others].map((server) => server.stop()))

heading('Small GETs through the door, 1 KB from a Unix socket, 32 connections', {
  nginx: versionOf('nginx', '-v'),
  ...(caddy !== undefined && { caddy: versionOf('caddy', 'version') }),
  wrk: versionOf('wrk', '-v'),
})
table([
  ['', 'requests/s', 'µs on the processor', 'p50 ms', 'p99 ms', 'ours : theirs', 'same, by processor'],
  ...contestants.map(({ name }) => [
    name,
    ...['rate', 'cpu', 'p50', 'p99'].map((figure) => shown(results.of(name, figure))),
    shown(results.ratio('hero_proxy', name)),
    shown(results.ratio(name, 'hero_proxy', 'cpu')),
  ]),
])
const ratios = Object.fromEntries(
  contestants.slice(1).flatMap(({ name }) => {
    const figure = `vs_${name.toLowerCase().replaceAll(/[^a-z]+/g, '_')}`
    return [
      [figure, results.ratio('hero_proxy', name).median],
      [`cpu_${figure}`, results.ratio(name, 'hero_proxy', 'cpu').median],
    ]
  }),
)
figures('edge', {
  ...ratios,
  cpu_us: results.of('hero_proxy', 'cpu').median,
  requests_per_second: results.of('hero_proxy').median,
})
