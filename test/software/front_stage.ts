import { WebSocketServer } from 'ws'
import { freePort } from '../support/free_port.ts'
import { startStage, type Stage } from '../support/edge_stage.ts'
import { ask, type Answer } from '../support/http.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'
import { startFront, type Front, type Kind } from './front.ts'

export interface FrontStage extends AsyncDisposable {
  readonly stage: Stage
  readonly front: Front
  /** The service behind the front proxy: responds with what it received. */
  readonly service: Upstream
  readonly servicePort: number
  /** Sends one request through the front proxy. */
  at(path: string, headers?: readonly string[], method?: string, body?: string): Promise<Answer>
  /** How many requests reach the service during `act`. */
  reached(act: () => Promise<unknown>): Promise<number>
}

const portOf = ({ target }: Pick<Upstream, 'target'>) => Number(new URL(target).port)

const startService = async (sockets: WebSocketServer): Promise<Upstream> => {
  const service = await startUpstream((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method, url, rawHeaders } = request
      response.end(JSON.stringify({ method, url, rawHeaders, body: Buffer.concat(chunks).toString() }))
    })
  })
  service.server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (peer) => {
      peer.send(JSON.stringify(request.rawHeaders))
      peer.on('message', (data) => peer.send(data))
    }),
  )
  return service
}

/** A daemon that decides, a proxy in front that asks it, and a service that only the front proxy connects to. */
export const startFrontStage = async (kind: Kind): Promise<FrontStage> => {
  // The public URL has the port of the front proxy, where browsers connect.
  const port = await freePort()
  const stage = await startStage({
    trusted_proxies: '127.0.0.1',
    forward_auth_from: '127.0.0.1',
    public_url: `http://localhost:${port}`,
  })
  // The daemon never connects to it: the proxy in front forwards the requests.
  const target = 'http://127.0.0.1:9'
  const domain = 'wiki.localhost'
  await stage.route({ domain, target, auth_mode: 'local', audience: 'urn:wiki' })
  await stage.route({ domain, target, auth_mode: 'optional', path_prefix: '/open' })
  await stage.route({
    domain,
    target,
    auth_mode: 'local',
    path_prefix: '/team',
    required_claims: ['app.use'],
  })
  await stage.route({ domain: 'paths.localhost', target, auth_mode: 'optional' })
  const sockets = new WebSocketServer({ noServer: true })
  const service = await startService(sockets)
  const servicePort = portOf(service)
  const front = await startFront(kind, { hero: stage.daemon.edge.port, service: servicePort, port })
  return {
    stage,
    front,
    service,
    servicePort,
    at: (path, headers = [], method = 'GET', body) =>
      ask(front, front.host, path, { method, headers, ...(body !== undefined && { body }) }),
    reached: async (act) => {
      const before = service.seen.length
      await act()
      return service.seen.length - before
    },
    [Symbol.asyncDispose]: async () => {
      for (const peer of sockets.clients) peer.terminate()
      await front[Symbol.asyncDispose]()
      await service.close()
      await stage.close()
    },
  }
}
