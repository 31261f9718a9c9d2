// The handover: how long it takes to open a second service, and how fast a whole tree of sessions ends.
import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import { HeroProxy } from '../sdk/index.ts'
import { signIn } from '../test/support/http.ts'
import { openDoor, person } from './daemon.ts'
import { takeGeneratorCore } from './processes.ts'
import { figures, heading, spreadText, table } from './report.ts'
import { spread } from './round.ts'

takeGeneratorCore()

const handovers = Number(process.env.BENCH_HANDOVERS ?? 300)
/** Hosts that each sign-in opens before it ends. */
const children = Number(process.env.BENCH_CHILDREN ?? 1000)
const trees = 5

const door = await openDoor()
const hero = new HeroProxy({ socket: door.socketPath })
await hero.proxy.routes.add({
  domain: '*.many.localhost',
  // No service is there: only whether a request gets that far is measured.
  target: 'http://127.0.0.1:9',
  auth_mode: 'local',
})
const edge = { edge: { host: '127.0.0.1', port: door.port } }
const agent = new Agent({ keepAlive: true, maxSockets: 1 })

const open = (host: string, path: string, cookie: string) =>
  new Promise<{ status: number; headers: IncomingHttpHeaders }>((resolve, reject) => {
    const headers = ['Host', host, 'Accept', 'text/html', ...(cookie === '' ? [] : ['Cookie', cookie])]
    const sent = request(
      { host: '127.0.0.1', port: door.port, path, agent, setHost: false, headers: headers as never },
      (response) => {
        response
          .resume()
          .on('end', () => resolve({ status: response.statusCode!, headers: response.headers }))
      },
    )
    sent.on('error', reject).end()
  })
const pathOf = ({ location }: IncomingHttpHeaders) => {
  const { pathname, search } = new URL(location!)
  return pathname + search
}
const cookieIn = (headers: IncomingHttpHeaders, part: string) =>
  headers['set-cookie']!.find((line) => line.includes(part))!.split(';')[0]!

/** The three steps from a guest at a service to its session. Returns its cookie. */
const handOver = async (host: string, home: string): Promise<string> => {
  const left = await open(host, '/.hero_proxy/sign_in?return_to=/', '')
  const sent = await open('localhost', pathOf(left.headers), home)
  const arrived = await open(host, pathOf(sent.headers), cookieIn(left.headers, 'arrival'))
  return cookieIn(arrived.headers, 'session')
}

const home = await signIn(edge, 'localhost', person.username, person.password)
for (let i = 0; i < 50; i++) await handOver(`warm${i}.many.localhost`, home)
const times: number[] = []
for (let i = 0; i < handovers; i++) {
  const began = performance.now()
  await handOver(`host${i}.many.localhost`, home)
  times.push(performance.now() - began)
}

/** From the call that ends a sign-in until the last of its children is refused. */
const cuts: number[] = []
for (let tree = 0; tree < trees; tree++) {
  const cookie = await signIn(edge, 'localhost', person.username, person.password)
  const [mine] = (await hero.sessions.list({ user: person.username, limit: 1 })).items
  const opened: [string, string][] = []
  for (let i = 0; i < children; i++) {
    const host = `child${i}.many.localhost`
    opened.push([host, await handOver(host, cookie)])
  }
  const shown = opened.filter((_, i) => i % Math.ceil(children / 50) === 0)
  const began = performance.now()
  await hero.sessions.revoke({ id: mine!.id })
  for (const [host, child] of shown) while ((await open(host, '/', child)).status !== 302);
  cuts.push(performance.now() - began)
}

hero.close()
agent.destroy()
await door.daemon.stop()

const p = (values: readonly number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!
heading('Handover: a second service, and the end of a sign-in', {})
table([
  ['', 'ms'],
  ['a second service opens, median', p(times, 0.5).toFixed(1)],
  ['… p99', p(times, 0.99).toFixed(1)],
  [`a sign-in with ${children} children ends`, spreadText(spread(cuts))],
])
figures('handover', { open_p50_ms: p(times, 0.5), open_p99_ms: p(times, 0.99), end_ms: Math.max(...cuts) })
