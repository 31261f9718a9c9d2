// The cost of a dead or slow identity provider for other users, while users keep trying to sign in with it.
// A signed-in user sends small GETs at a fixed rate, a third of the maximum, with and without these attempts.
import { createServer, request } from 'node:http'
import { createServer as createPlainServer, type AddressInfo, type Server } from 'node:net'
import { HeroProxy } from '../sdk/index.ts'
import { openDoor } from './daemon.ts'
import { atRate } from './open_loop.ts'
import * as peers from './peers/configurations.ts'
import { freePort, generatorCore, takeGeneratorCore } from './processes.ts'
import { figures, heading, table, spreadText } from './report.ts'
import { roundsOr, takeTurns, untilSteady, type Contestant } from './round.ts'
import { need, Servers, versions } from './servers.ts'
import { identitySeen, small } from './wrk.ts'

takeGeneratorCore()
need('nginx', 'wrk')

const share = 1 / 3
const seconds = 5
/** Users per second who press the button. Each waits for a page, at most a little over four seconds. */
const presses = 20
/** Milliseconds within which the page must arrive (R6). */
const pageTimeoutMs = 5000

const servers = new Servers()
const { places } = servers
const upstream = servers.nginx(peers.upstream(places), generatorCore)
const door = await openDoor()
servers.keep(door.daemon)
const place = await door.route('app.localhost', `unix:${places.upstream}`)
await identitySeen('hero_proxy', place)

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)).unref()
  })
/** Accepts connections and never sends a byte. */
const silent = createPlainServer((socket) => socket.on('error', () => {}))
/** Sends one byte of its response every tenth of a second. */
const dripping = createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  const drip = setInterval(() => response.write(' '), 100)
  response.on('close', () => clearInterval(drip))
})
const failing = [
  { provider: 'gone', port: await freePort(), says: /not responding/ },
  { provider: 'silent', port: await listening(silent), says: /took too long/ },
  { provider: 'dripping', port: await listening(dripping), says: /took too long/ },
] as const
const hero = new HeroProxy({ socket: door.socketPath })
await hero.settings.set({ key: 'providers_may_be_local', value: true })
for (const { provider, port } of failing)
  await hero.providers.add({
    provider,
    preset: 'oidc',
    issuer: `http://127.0.0.1:${port}`,
    client: 'hero',
    own_callback: true,
  })
hero.close()

/** Presses the button once, and returns the milliseconds until the page arrived. */
const press = (provider: string, says: RegExp): Promise<number> =>
  new Promise((resolve, reject) => {
    const began = performance.now()
    const path = `/login?provider=${provider}`
    const headers = { host: `localhost:${door.port}`, accept: 'text/html', 'sec-fetch-mode': 'navigate' }
    const asked = request({ host: '127.0.0.1', port: door.port, path, headers, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.on('end', () => {
        const took = performance.now() - began
        if (says.test(text) && took <= pageTimeoutMs) resolve(took)
        else reject(new Error(`${provider} after ${took.toFixed(0)} ms: ${answer.statusCode} ${text}`))
      })
    })
    asked.on('error', reject).end()
  })

/** Simulates users who press the button until the returned function is called. It waits for their pages and returns the slowest time. */
const pressing = (provider: string, says: RegExp): (() => Promise<number>) => {
  const pages: Promise<number>[] = []
  const timer = setInterval(() => {
    const page = press(provider, says)
    // A failure is reported at the end, when all pages are awaited.
    page.catch(() => {})
    pages.push(page)
  }, 1000 / presses)
  return async () => {
    clearInterval(timer)
    return Math.max(0, ...(await Promise.all(pages)))
  }
}

const calm = 'nobody presses'
const maximum: Contestant = {
  name: calm,
  measure: () => small({ name: calm, place, servers: [door.daemon], upstream }),
}
await untilSteady(maximum)
const rate = Math.round((await maximum.measure()).rate * share)

const measuring = (name: string, begin: () => () => Promise<number>): Contestant => ({
  name,
  measure: async () => {
    const end = begin()
    const { p50, p99, p999, late, rate: answered } = await atRate(place, rate, seconds)
    return { rate: answered, p50, p99, p999, late, page: await end() }
  },
})
const contestants = [
  measuring(calm, () => async () => 0),
  ...failing.map(({ provider, says }) => measuring(provider, () => pressing(provider, says))),
]
const results = await takeTurns(contestants, roundsOr(7))
await servers.stop()

heading(
  `${rate} requests a second of somebody who is signed in, while ${presses} people a second press the button of a provider that fails`,
  versions('nginx', 'wrk'),
)
const columns = ['rate', 'p50', 'p99', 'p999', 'page', 'late']
table([
  ['', 'answered a second', 'p50 ms', 'p99 ms', 'p99.9 ms', 'slowest page ms', 'generator late ms, p99'],
  ...contestants.map(({ name }) => [name, ...columns.map((figure) => spreadText(results.of(name, figure)))]),
])
const beside = (figure: string) =>
  Object.fromEntries(
    failing.map(({ provider }) => [
      `${figure}_${provider}_vs_calm`,
      results.ratio(provider, calm, figure).median,
    ]),
  )
figures(
  'providers',
  {
    ...beside('p99'),
    ...beside('p50'),
    page_ms: Math.max(...failing.map(({ provider }) => results.of(provider, 'page').max)),
    generator_late_ms: Math.max(...contestants.map(({ name }) => results.of(name, 'late').median)),
  },
  results,
)
