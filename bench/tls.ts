// TLS at the edge, compared with nginx: HTTP/2 with ten headers, with 32 streams and with one stream per connection, by h2load;
// and new connections with one GET each, with a full handshake and with a resumed session.
// Both have one ECDSA certificate on P-256, TLS 1.3, X25519 and one cipher; neither issues session tickets, except where
// sessions are resumed.
import { writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { join } from 'node:path'
import { TestAuthority } from '../test/support/pem.ts'
import { askOnce, type Answer, type Ask, type Place } from './ask.ts'
import { browserAsk } from './browser_requests.ts'
import { comparisons, type Pairing } from './contest.ts'
import { openSecureDoor } from './daemon.ts'
import { handshakes, issuesNone, sessionOf } from './handshakes.ts'
import * as peers from './peers/configurations.ts'
import { cipher, group, nginxTls, withoutTickets } from './peers/nginx_tls.ts'
import {
  freePort,
  generatorCore,
  output,
  pathOf,
  printed,
  spentByEnded,
  takeGeneratorCore,
  type Running,
} from './processes.ts'
import { figures, heading, table, spreadText } from './report.ts'
import { roundsOr, takeTurns, untilSteady, type Contestant, type Measured } from './round.ts'
import { compareWork, record } from './same_work.ts'
import { need, Servers, versions } from './servers.ts'
import { identitySeen, tellHeldBack } from './wrk.ts'

takeGeneratorCore()
need('nginx', 'h2load', 'openssl')

const host = 'app.localhost'
const servers = new Servers()
const { places, folder } = servers
const upstream = servers.nginx(peers.upstream(places), generatorCore)
const recorder = await record(places)
const authority = new TestAuthority()
process.on('exit', () => authority[Symbol.dispose]())
const files = authority.issue(host)

interface Peer {
  readonly name: string
  readonly place: Place
  readonly server: Running
}

/** Ours and nginx, which issue session tickets or do not. */
const serving = async (tickets: boolean): Promise<Peer[]> => {
  const config = join(folder, 'without_tickets.cnf')
  writeFileSync(config, withoutTickets)
  const door = await openSecureDoor(files, tickets ? {} : { NODE_OPTIONS: `--openssl-config=${config}` })
  servers.keep(door.daemon)
  const place = await door.route(host, `unix:${places.upstream}`)
  const port = await freePort()
  const nginx = servers.nginx(nginxTls(places, port, files, tickets ? 2 : 0))
  return [
    { name: 'hero_proxy', place, server: door.daemon },
    { name: 'nginx', place: { ...place, port }, server: nginx },
  ]
}

/** The ten headers of a browser over HTTP/2, which has no Host and no Connection. */
const headersOf = (place: Place): string[] => {
  const { headers } = browserAsk(place)
  return [...headers.slice(4), 'Sec-Fetch-Dest', 'document', 'Upgrade-Insecure-Requests', '1']
}

/** Sends one request over HTTP/2. */
const askHttp2 = (place: Place, path: string, headers: readonly string[]): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const session = connect(`https://${host}:${place.port}`, {
      host: '127.0.0.1',
      servername: host,
      rejectUnauthorized: false,
    } as object)
    session.on('error', reject)
    const fields = Object.fromEntries(
      headers.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), headers[i + 1]!]] : [])),
    )
    const stream = session.request({ ':authority': host, ':path': path, ...fields })
    let answer = { status: 0, rawHeaders: [] as string[], body: '' }
    stream.on('response', ({ ':status': status = 0, ...rest }) => {
      answer = { ...answer, status, rawHeaders: Object.entries(rest).flat().map(String) }
    })
    stream.setEncoding('utf8').on('data', (chunk: string) => (answer.body += chunk))
    stream.on('end', () => {
      session.close()
      resolve(answer)
    })
    stream.on('error', reject)
  })

const compare = async ({ name, place }: Peer) => {
  await identitySeen(name, place)
  await compareWork({
    name,
    ask: (path) => askHttp2(place, path, headersOf(place)),
    askUpstream: (path, asking?: Ask) => askOnce(places.upstream, path, asking),
    asking: { headers: ['Host', host, ...headersOf(place)] },
    way: { scheme: 'https' },
  })
}

/** A turn: `generate` returns the number of answered requests. */
const measuring = (name: string, server: Running, generate: () => Promise<number>): Contestant => {
  const generator = () => {
    const { user, system } = process.cpuUsage()
    return user + system + spentByEnded()
  }
  const counts = () => [server.cpu(), generator(), upstream.cpu(), performance.now() * 1000]
  return {
    name,
    measure: async (): Promise<Measured> => {
      const before = counts()
      const requests = await generate()
      const [cpu, generating, answering, elapsed] = counts().map((count, i) => count - before[i]!)
      return {
        rate: (requests * 1_000_000) / elapsed!,
        cpu: cpu! / requests,
        resident: server.resident(),
        served: (100 * cpu!) / elapsed!,
        generated: (100 * generating!) / elapsed!,
        upstream: (100 * answering!) / elapsed!,
      }
    },
  }
}

/** Two seconds of HTTP/2 requests by h2load. */
const http2 = async ({ name, place }: Peer, connections: number, streams: number): Promise<number> => {
  const fields = headersOf(place).flatMap((text, i, all) =>
    i % 2 === 0 ? ['-H', `${text.toLowerCase()}: ${all[i + 1]!}`] : [],
  )
  const load = ['-t1', `-c${connections}`, `-m${streams}`, '-D2', `--connect-to=127.0.0.1:${place.port}`]
  const tls = [`--tls13-ciphers=${cipher}`, `--groups=${group}`]
  const text = await output(pathOf('h2load')!, [...load, ...tls, ...fields, `https://${host}:${place.port}/`])
  const [, done, failed] = /(\d+) done, .* (\d+) failed/.exec(text) ?? []
  const used = /TLS Protocol: TLSv1\.3[^]*Cipher: (\S+)[^]*Server Temp Key: (\S+)[^]*protocol: (h2)/.exec(
    text,
  )
  if (
    used?.[1] !== cipher ||
    used[2] !== group ||
    failed !== '0' ||
    !/\b(\d+) 2xx, 0 3xx, 0 4xx, 0 5xx/.test(text)
  )
    throw new Error(`${name}: ${text}`)
  return Number(done)
}

const kinds = {
  many: 'HTTP/2, 32 streams',
  one: 'HTTP/2, one stream',
  handshake: 'new connection',
  resumed: 'resumed connection',
} as const
const contestants: Contestant[] = []
for (const peer of await serving(false)) {
  const { name, place, server } = peer
  await compare(peer)
  await issuesNone(name, place)
  contestants.push(
    measuring(`${name}, ${kinds.many}`, server, () => http2(peer, 4, 32)),
    measuring(`${name}, ${kinds.one}`, server, () => http2(peer, 32, 1)),
    measuring(`${name}, ${kinds.handshake}`, server, () => handshakes(place)),
  )
}
for (const { name, place, server } of await serving(true)) {
  await identitySeen(name, place)
  const session = await sessionOf(place)
  contestants.push(measuring(`${name}, ${kinds.resumed}`, server, () => handshakes(place, session)))
}
recorder.close()
const results = await takeTurns(contestants, roundsOr(7), untilSteady)
await servers.stop()

const names = contestants.map(({ name }) => name)
heading(`HTTP/2 and handshakes: ECDSA P-256, TLS 1.3, ${group}, ${cipher}; GETs of 1 KB`, {
  ...versions('nginx', 'h2load'),
  'OpenSSL of node': process.versions.openssl,
  'of nginx': /OpenSSL (\S+)/.exec(printed('nginx', '-V'))?.[1] ?? 'unknown',
})
table([
  ['', 'requests/s', 'µs on the processor', 'MB', 'server %', 'generator %', 'upstream %'],
  ...names.map((name) => [
    name,
    ...['rate', 'cpu', 'resident', 'served', 'generated', 'upstream'].map((figure) =>
      spreadText(results.of(name, figure)),
    ),
  ]),
])
tellHeldBack(results, names)
const pairing = (figure: string, kind: string): Pairing => ({
  figure,
  name: `hero_proxy, ${kind}`,
  peer: `nginx, ${kind}`,
})
const ratios = comparisons(results, [
  pairing('h2_many_vs_nginx', kinds.many),
  pairing('h2_one_vs_nginx', kinds.one),
  pairing('handshake_vs_nginx', kinds.handshake),
  pairing('resumed_vs_nginx', kinds.resumed),
])
const { h2_many_vs_nginx: many, h2_one_vs_nginx: one } = ratios
figures('tls', { h2_vs_nginx: Math.min(many!, one!), ...ratios }, results)
