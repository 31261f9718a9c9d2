// Calls of users.get over the socket, as HTTP and as lines, one at a time and 64 in flight.
// Compared with a bare node:http server and bare line servers. The reference for lines is the server that parses and answers JSON,
// because an echo server does not do the work of any method.
import { join } from 'node:path'
import { HeroProxy } from '../sdk/index.ts'
import { comparisons, type Pairing } from './contest.ts'
import { addPerson, newInstance } from './daemon.ts'
import { Load, measureCalls } from './load.ts'
import { eventually, newFolder, node, serverCore, takeGeneratorCore, type Running } from './processes.ts'
import { figures, heading, table, spreadText } from './report.ts'
import { roundsOr, takeTurns, untilSteady, type Contestant } from './round.ts'
import { tellHeldBack } from './wrk.ts'

takeGeneratorCore()

const inFlight = 64
const asLine = (method: string, params: object) =>
  `${JSON.stringify({ jsonrpc: '2.0', id: 7, method, params })}\n`
const asPost = (body: string) =>
  `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const lineEnded = (text: string) => text.endsWith('\n')
const bodyEnded = (text: string) => text.endsWith('}')

const instance = await newInstance()
const daemon = instance.start(serverCore)
const hero = new HeroProxy({ socket: instance.socketPath })
await addPerson(hero)
hero.close()

const line = asLine('users.get', { username: 'ada' })
const health = asLine('health', {})
const lines = new Load(instance.socketPath, line)
const http = new Load(instance.socketPath, asPost(line.trim()))
const healthLines = new Load(instance.socketPath, health)
const answer = (await lines.learn(lineEnded)).trim()
if (!answer.includes('"username":"ada"')) throw new Error(`users.get answered ${answer}`)
await http.learn(bodyEnded)
await healthLines.learn(lineEnded)

const peers = join(import.meta.dirname, 'peers')
const bare = async (script: string, request: string, ended: (text: string) => boolean, ...args: string[]) => {
  const path = join(newFolder(), 'peer.sock')
  const server = node(serverCore, join(peers, script), path, answer, ...args)
  const load = new Load(path, request)
  await eventually(() => load.learn(ended))
  return { server, load }
}
const bareHttp = await bare('http_constant.ts', asPost(line.trim()), bodyEnded)
const bareLines = await bare('line_constant.ts', line, lineEnded)
const bareParsing = await bare('line_constant.ts', line, lineEnded, 'parse')

const names: string[] = []
const pair = (name: string, server: Running, load: Load, depths = [1, inFlight]): Contestant[] =>
  depths.map((depth) => {
    const full = `${name}, ${depth === 1 ? 'one at a time' : `${depth} in flight`}`
    names.push(full)
    return {
      name: full,
      measure: () => measureCalls(server, load, depth),
    }
  })

const results = await takeTurns(
  [
    ...pair('users.get, lines', daemon, lines),
    ...pair('users.get, HTTP', daemon, http),
    ...pair('health, lines', daemon, healthLines, [inFlight]),
    ...pair('bare line server', bareLines.server, bareLines.load),
    ...pair('bare line server with JSON', bareParsing.server, bareParsing.load, [inFlight]),
    ...pair('bare node:http', bareHttp.server, bareHttp.load),
  ],
  roundsOr(5),
  untilSteady,
)
await Promise.all(
  [daemon, bareHttp.server, bareLines.server, bareParsing.server].map((server) => server.stop()),
)

heading(`JSON-RPC over the Unix socket, one connection, responses of ${answer.length} bytes`, {})
table([
  ['', 'calls/s', 'µs on the processor', 'server %', 'generator %'],
  ...names.map((name) => [
    name,
    ...['rate', 'cpu', 'served', 'generated'].map((figure) => spreadText(results.of(name, figure))),
  ]),
])
tellHeldBack(results, names)
const pairing = (figure: string, name: string, peer: string, depth: string): Pairing => ({
  figure,
  name: `${name}, ${depth}`,
  peer: `${peer}, ${depth}`,
})
const [piped, single] = [`${inFlight} in flight`, 'one at a time']
figures(
  'rpc',
  {
    ...comparisons(results, [
      pairing('rpc_vs_json_echo', 'users.get, lines', 'bare line server with JSON', piped),
      pairing('http_vs_bare', 'users.get, HTTP', 'bare node:http', piped),
      pairing('rpc_vs_echo', 'users.get, lines', 'bare line server', piped),
      pairing('rpc_one_vs_echo', 'users.get, lines', 'bare line server', single),
      pairing('http_one_vs_bare', 'users.get, HTTP', 'bare node:http', single),
      pairing('health_vs_echo', 'health, lines', 'bare line server', piped),
    ]),
    calls_per_second: results.of(`users.get, lines, ${piped}`).median,
    cpu_us: results.of(`users.get, lines, ${piped}`, 'cpu').median,
    http_cpu_us: results.of(`users.get, HTTP, ${piped}`, 'cpu').median,
  },
  results,
)
