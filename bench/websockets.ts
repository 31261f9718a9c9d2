// Resident memory of a thousand idle WebSockets of a signed-in user, compared with nginx.
// Each round starts new servers. At the end, each of the first thousand must carry a message in both directions.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { askOnce, type Place } from './ask.ts'
import { openDoor } from './daemon.ts'
import * as peers from './peers/configurations.ts'
import { freePort, generatorCore, node, takeGeneratorCore, type Running } from './processes.ts'
import { figures, heading, table, spreadText } from './report.ts'
import { roundsOr, takeTurns } from './round.ts'
import { need, Servers, versions } from './servers.ts'
import { identitySeen } from './wrk.ts'

takeGeneratorCore()
need('nginx')

const count = 1000
/** The first thousand may fit into free heap, or pay for its growth. Further ones show the real cost. */
const further = 2000
/** How many are opened at a time. */
const stride = 50
/** Plain requests before the WebSockets, so that the daemon has been in use. */
const requests = 2000
const quiet = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

const upgradeRequest = ({ host, port, cookie }: Place) =>
  `GET / HTTP/1.1\r\nHost: ${host}:${port}\r\nOrigin: http://${host}:${port}\r\nCookie: ${cookie}\r\n` +
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n'

const open = async (place: Place): Promise<Socket> => {
  const socket = connect(place.port, '127.0.0.1')
  socket.write(upgradeRequest(place))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  if (!answer.toString('latin1').startsWith('HTTP/1.1 101 '))
    throw new Error(`an upgrade was answered with ${answer.toString('latin1').slice(0, 200)}`)
  return socket
}

const openMany = async (place: Place, many: number): Promise<Socket[]> => {
  const sockets: Socket[] = []
  while (sockets.length < many)
    sockets.push(...(await Promise.all(Array.from({ length: stride }, () => open(place)))))
  return sockets
}

/** A masked text frame of two bytes (RFC 6455 section 5.7); no proxy looks inside. */
const frame = Buffer.from([0x81, 0x82, 1, 2, 3, 4, 0x69, 0x6b])

const echoed = async (socket: Socket) => {
  socket.write(frame)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  if (!answer.equals(frame)) throw new Error('a WebSocket did not return the message')
}

const growth = async (name: string, place: Place, server: Running) => {
  await identitySeen(name, place)
  // Modules that load at first use, and ordinary garbage, are not part of the cost of an open WebSocket.
  for (let asked = 0; asked < requests; asked += stride)
    await Promise.all(Array.from({ length: stride }, () => askOnce(place, '/')))
  for (const socket of await openMany(place, stride)) socket.destroy()
  await quiet(1)
  const before = server.resident()
  const sockets = await openMany(place, count)
  await quiet(2)
  const after = server.resident()
  await Promise.all(sockets.map(echoed))
  const used = server.resident() - before
  sockets.push(...(await openMany(place, further)))
  await quiet(2)
  const most = server.resident()
  for (const socket of sockets) socket.destroy()
  const first = after - before
  const perThousand = ((most - after) * count) / further
  return { rate: Math.max(first, perThousand), before, first, perThousand, used }
}

const withUpstream = async (measure: (servers: Servers) => Promise<Awaited<ReturnType<typeof growth>>>) => {
  const servers = new Servers()
  try {
    const script = join(import.meta.dirname, 'peers', 'upgrading.ts')
    servers.keep(node(generatorCore, script, servers.places.upstream))
    return await measure(servers)
  } finally {
    await servers.stop()
  }
}
const host = 'app.localhost'
const names = ['hero_proxy', 'nginx'] as const
const results = await takeTurns(
  [
    {
      name: 'hero_proxy',
      measure: () =>
        withUpstream(async (servers) => {
          const door = await openDoor()
          servers.keep(door.daemon)
          return growth('hero_proxy', await door.route(host, `unix:${servers.places.upstream}`), door.daemon)
        }),
    },
    {
      name: 'nginx',
      measure: () =>
        withUpstream(async (servers) => {
          const port = await freePort()
          const server = servers.nginx(peers.nginxUpgrades(servers.places, port))
          return growth('nginx', { host, port, cookie: 'none=1' }, server)
        }),
    },
  ],
  roundsOr(3),
  // Each turn starts new servers, so there is nothing to warm up.
  () => Promise.resolve(),
)

heading(`Memory of ${count} idle WebSockets`, versions('nginx'))
const columns = ['before', 'first', 'perThousand', 'used']
table([
  ['', 'MB before', 'first thousand, MB', 'each further thousand, MB', 'first after a message each, MB'],
  ...names.map((name) => [name, ...columns.map((figure) => spreadText(results.of(name, figure)))]),
])
figures(
  'websockets',
  {
    idle_websockets_mb: results.of('hero_proxy').median,
    idle_websockets_mb_nginx: results.of('nginx').median,
    used_websockets_mb: results.of('hero_proxy', 'used').median,
  },
  results,
)
