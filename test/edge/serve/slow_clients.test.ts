import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ask } from '../../support/http.ts'
import { startUpstream, type Upstream } from '../../support/upstream.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'
import { unlessLong } from '../../long.ts'

let stage: Stage
let large: Upstream
let hanging: Upstream
const sockets: Socket[] = []
before(async () => {
  stage = await startStage()
  const megabyte = Buffer.alloc(1024 * 1024)
  large = await startUpstream((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(megabyte));
    }
    response.on('drain', more)
    more()
  })
  hanging = await startUpstream((request) => void request.resume())
  await stage.route({ domain: 'good.localhost', auth_mode: 'optional' })
  await stage.route({ domain: 'large.localhost', auth_mode: 'none', target: large.target })
  await stage.route({
    domain: 'hangs.localhost',
    auth_mode: 'none',
    target: hanging.target,
    response_timeout: 4,
  })
})
after(async () => {
  for (const socket of sockets) socket.destroy()
  await large.close()
  await hanging.close()
  await stage.close()
})

/** Opens connections that send these bytes and then behave as `then` says; each resolves with what it received until it closed. */
const open = (count: number, bytes: string, then: (socket: Socket) => void) =>
  Array.from(
    { length: count },
    () =>
      new Promise<string>((resolve) => {
        const socket = connect(stage.daemon.edge.port, '127.0.0.1')
        sockets.push(socket)
        let text = ''
        socket.on('data', (part: Buffer) => {
          if (text.length < 1000) text += part.toString('latin1')
        })
        socket.on('error', () => {})
        socket.on('close', () => resolve(text))
        socket.write(bytes)
        then(socket)
      }),
  )

test('500 slow clients do not delay others, and memory stays bounded', { skip: unlessLong }, async () => {
  const before = process.memoryUsage.rss()
  const drip = (socket: Socket) => {
    const timer = setInterval(() => socket.write('x'), 500)
    socket.on('close', () => clearInterval(timer))
  }
  const heads = open(150, 'GET / HTTP/1.1\r\nHost: good.localhost\r\nX: ', drip)
  const bodies = open(
    100,
    'POST / HTTP/1.1\r\nHost: hangs.localhost\r\nContent-Length: 100000\r\n\r\nx',
    drip,
  )
  const waiting = open(100, 'GET / HTTP/1.1\r\nHost: hangs.localhost\r\nConnection: close\r\n\r\n', () => {})
  open(150, 'GET / HTTP/1.1\r\nHost: large.localhost\r\n\r\n', (socket) => socket.pause())
  // Meanwhile, ten clients send ordinary requests in turn.
  const ordinary = async () => {
    for (let i = 0; i < 30; i++) {
      const { status } = await ask(stage.daemon, 'good.localhost', '/', { headers: ['Cookie', stage.ada] })
      assert.equal(status, 200)
      await delay(50)
    }
  }
  await Promise.all(Array.from({ length: 10 }, ordinary))
  // A service that never answers times out, separately for each request (R10).
  for (const text of await Promise.all(waiting)) assert.match(text, /^HTTP\/1\.1 504 /)
  // A byte every half second does not complete a head: the limit is fifteen seconds.
  for (const text of await Promise.all(heads)) assert.match(text, /^HTTP\/1\.1 408 /)
  const grown = (process.memoryUsage.rss() - before) / 1024 / 1024
  assert.ok(grown < 400, `${grown.toFixed(0)} MB for 500 slow clients and the services behind them`)
  assert.equal(hanging.seen.length, 200)
  assert.equal(bodies.length, 100)
})
