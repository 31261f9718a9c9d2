import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket, WebSocketServer } from 'ws'
import type { TestDaemon } from '../../support/daemon.ts'
import { startUpstream } from '../../support/upstream.ts'

/** In milliseconds. The promise is one second, but a busy machine may take far longer. */
const deadline = 15_000

/** A connection or response that stays open until one side ends it. */
export interface Live {
  /** True if it ended complete for the client, false if it broke off; undefined while it is open. */
  complete: boolean | undefined
  /** Resolves when both the client and the service have seen the end. */
  readonly over: Promise<unknown>
  leave(): void
}

export const kinds = ['websocket', 'events', 'download'] as const
export type Kind = (typeof kinds)[number]

const events = (response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write('data: 1\n\n')
}

/** Declares far more than it ever sends. */
const download = (response: ServerResponse) => {
  response.writeHead(200, { 'content-length': 1_000_000_000 })
  const timer = setInterval(() => response.write(Buffer.alloc(1000)), 50)
  response.on('close', () => clearInterval(timer))
  response.write('begin')
}

/** A service whose responses never end by themselves; `gone` resolves when the connection with this path has ended there. */
export const startLiveUpstream = async (
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end(),
) => {
  const marks = new Map<string, () => void>()
  const gone = (mark: string) => new Promise<void>((resolve) => marks.set(mark, resolve))
  const upstream = await startUpstream((asked, response) => {
    response.on('close', () => marks.get(asked.url!)?.())
    if (asked.url!.startsWith('/events')) events(response)
    else if (asked.url!.startsWith('/download')) download(response)
    else answer(asked, response)
  })
  const server = new WebSocketServer({ noServer: true })
  upstream.server.on('upgrade', (asked, socket, head) => {
    if (asked.url === '/slow') return void socket.resume().on('end', () => socket.end())
    server.handleUpgrade(asked, socket, head, (peer) => {
      peer.on('close', () => marks.get(asked.url!)?.())
      peer.send('hello')
    })
  })
  const close = async () => {
    for (const peer of server.clients) peer.terminate()
    await upstream.close()
  }
  return { target: upstream.target, gone, close, [Symbol.asyncDispose]: close }
}

type LiveUpstream = Awaited<ReturnType<typeof startLiveUpstream>>
let count = 0

/** Opens one and resolves when its first bytes have arrived. */
export const open = async (
  { edge }: Pick<TestDaemon, 'edge'>,
  upstream: LiveUpstream,
  kind: Kind,
  host: string,
  headers: Record<string, string> = {},
): Promise<Live> => {
  const path = `/${kind}/${++count}`
  const served = upstream.gone(path)
  if (kind === 'websocket') {
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}${path}`, { headers: { host, ...headers } })
    const closed = once(socket, 'close')
    const live: Live = {
      complete: undefined,
      over: Promise.all([closed, served]),
      leave: () => socket.terminate(),
    }
    // 1006: the connection broke without a closing handshake.
    socket.on('close', (code) => (live.complete = code !== 1006))
    socket.on('error', () => {})
    await once(socket, 'message')
    return live
  }
  const onward = request({
    host: '127.0.0.1',
    port: edge.port,
    path,
    agent: false,
    headers: { host, ...headers },
  })
  onward.on('error', () => {})
  const [answer] = (await once(onward.end(), 'response')) as [IncomingMessage]
  assert.equal(answer.statusCode, 200)
  const closed = new Promise<void>((resolve) => answer.on('close', resolve))
  const live: Live = {
    complete: undefined,
    over: Promise.all([closed, served]),
    leave: () => onward.destroy(),
  }
  answer.on('error', () => {})
  answer.on('close', () => (live.complete = answer.complete))
  await once(answer, 'data')
  return live
}

/** Asserts that all have ended soon after now, broken off for the client and closed for the service. */
export const assertEnded = async (lives: readonly Live[]): Promise<void> => {
  const late = delay(deadline, 'late', { ref: false })
  for (const [i, { over }] of lives.entries()) {
    const outcome = await Promise.race([over, late])
    assert.notEqual(outcome, 'late', `${i} of ${lives.length} has not ended after ${deadline} ms`)
  }
  assert.deepEqual(
    lives.map(({ complete }) => complete),
    lives.map(() => false),
  )
}
