// Calls of users.get over the socket: as HTTP and as raw lines, one at a time and 64 on their way, beside bare servers.
import { join } from 'node:path'
import { HeroProxy } from '../sdk/index.ts'
import { addPerson, newInstance } from './daemon.ts'
import { Load } from './load.ts'
import { eventually, newFolder, node, serverCore, takeGeneratorCore, type Running } from './processes.ts'
import { figures, heading, table, told } from './report.ts'
import { roundsOr, takeTurns, type Contestant } from './round.ts'

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
      measure: async () => {
        const [before, began] = [server.cpu(), performance.now()]
        const rate = await load.run(depth)
        const calls = (rate * (performance.now() - began)) / 1000
        return { rate, cpu: (server.cpu() - before) / calls }
      },
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
)
await Promise.all(
  [daemon, bareHttp.server, bareLines.server, bareParsing.server].map((server) => server.stop()),
)

heading(`JSON-RPC over the Unix socket, one connection, answers of ${answer.length} bytes`, {})
table([
  ['', 'calls/s', 'µs on the processor'],
  ...names.map((name) => [name, told(results.of(name)), told(results.of(name, 'cpu'))]),
])
const piped = `, ${inFlight} in flight`
const single = ', one at a time'
const ratio = (name: string, peer: string) => results.ratio(name, peer).median
figures(
  'rpc',
  {
    rpc_vs_echo: ratio(`users.get, lines${piped}`, `bare line server${piped}`),
    rpc_vs_json_echo: ratio(`users.get, lines${piped}`, `bare line server with JSON${piped}`),
    rpc_one_vs_echo: ratio(`users.get, lines${single}`, `bare line server${single}`),
    http_vs_bare: ratio(`users.get, HTTP${piped}`, `bare node:http${piped}`),
    http_one_vs_bare: ratio(`users.get, HTTP${single}`, `bare node:http${single}`),
    health_vs_echo: ratio(`health, lines${piped}`, `bare line server${piped}`),
    calls_per_second: results.of(`users.get, lines${piped}`).median,
    cpu_us: results.of(`users.get, lines${piped}`, 'cpu').median,
  },
  results,
)
