import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { kill } from '../support/daemon_process.ts'
import { startUpstream } from '../support/upstream.ts'
import { client, readAll, run, until } from '../support/running_daemon.ts'

const get = (host: string, more = '') => `GET / HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`

/** A persistent connection: what it received so far, and whether it was closed. */
const open = (port: number) => {
  const socket: Socket = connect(port, '127.0.0.1')
  const state = { socket, text: '', ended: false, failed: '' }
  socket.setEncoding('latin1').on('data', (chunk: string) => (state.text += chunk))
  socket.on('error', (error: NodeJS.ErrnoException) => (state.failed = error.code ?? error.message))
  socket.on('close', () => (state.ended = true))
  return state
}

for (const workers of ['1', '2']) {
  test(`SIGTERM with workers=${workers}: persistent connections get Connection: close on their next response`, async () => {
    await using running = await run({ HERO_PROXY_WORKERS: workers })
    const { port } = running.daemon.edge
    const [express, plain, idle, silent] = [open(port), open(port), open(port), open(port)]
    // node:http serves this one, because its first request has a body.
    plain.socket.write('POST / HTTP/1.1\r\nHost: open.localhost\r\nContent-Length: 2\r\n\r\nhi')
    express.socket.write(get('open.localhost'))
    idle.socket.write(get('open.localhost'))
    for (const one of [express, plain, idle]) await until('the first answer', () => one.text.endsWith('}'))
    assert.doesNotMatch(express.text + plain.text, /connection: close/i)

    const ended = once(running.daemon.child, 'exit')
    running.daemon.child.kill('SIGTERM')
    await until('nothing listens', async () => {
      const late = open(port)
      await until('it is accepted or refused', () => late.failed !== '' || late.socket.readyState === 'open')
      late.socket.destroy()
      return late.failed === 'ECONNREFUSED'
    })
    for (const one of [express, plain]) {
      assert.ok(!one.ended, 'a connection was cut before its last request')
      one.text = ''
      one.socket.write(get('open.localhost'))
      await until('it ends', () => one.ended)
      assert.match(one.text, /^HTTP\/1\.1 200 .*\r\nConnection: close\r\n.*\}$/is)
    }
    await ended
    assert.equal(running.daemon.child.exitCode, 0)
    for (const one of [idle, silent]) {
      await until('it ends', () => one.ended)
      assert.equal(one.failed, '')
    }
  })

  test(`SIGTERM with workers=${workers}: requests in flight are answered, and streams end before the grace period does`, async () => {
    await using running = await run({ HERO_PROXY_WORKERS: workers })
    const { port } = running.daemon.edge
    const release = Promise.withResolvers<void>()
    await using slow = await startUpstream((request, response) => {
      if (request.headers.accept === 'text/event-stream') {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: one\n\n')
      } else {
        request.resume()
        void release.promise.then(() => response.end('late'))
      }
    })
    slow.server.on('upgrade', (_, socket: Socket) => {
      socket.on('error', () => {})
      socket.on('end', () => socket.end())
      socket.resume()
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n')
    })
    await running.hero.proxy.routes.add({
      domain: 'slow.localhost',
      target: slow.target,
      auth_mode: 'none',
    })
    const requests = [
      readAll(port, get('slow.localhost')),
      readAll(port, 'POST / HTTP/1.1\r\nHost: slow.localhost\r\nContent-Length: 2\r\n\r\nhi'),
    ]
    const endless = [
      readAll(port, get('slow.localhost', 'Accept: text/event-stream\r\n')),
      readAll(port, get('slow.localhost', 'Connection: Upgrade\r\nUpgrade: echo\r\n')),
    ]
    await until('all are at the upstream', () => slow.seen.length === 3)
    await until('the endless responses have begun', () => endless.every(({ text }) => text() !== ''))

    const ended = once(running.daemon.child, 'exit')
    running.daemon.child.kill('SIGTERM')
    await Promise.all(endless.map(({ closed }) => closed))
    assert.equal(running.daemon.child.exitCode, null, 'requests are still in flight')
    release.resolve()
    await Promise.all(requests.map(({ closed }) => closed))
    for (const { text } of requests) {
      assert.match(text(), /^HTTP\/1\.1 200 .*\r\nConnection: close\r\n/is)
      assert.match(text(), /late/)
    }
    await ended
    assert.equal(running.daemon.child.exitCode, 0)
  })
}

test('a request that outlasts the grace period is cut off, and the daemon still exits cleanly', async () => {
  await using running = await run({ HERO_PROXY_WORKERS: '2' })
  await using hanging = await startUpstream(() => {})
  await running.hero.proxy.routes.add({
    domain: 'hang.localhost',
    target: hanging.target,
    auth_mode: 'none',
  })
  const request = readAll(running.daemon.edge.port, get('hang.localhost'))
  await until('it is at the upstream', () => hanging.seen.length === 1)
  await kill(running.daemon.child, 'SIGTERM')
  await request.closed
  assert.equal(request.text(), '')
  assert.equal(running.daemon.child.exitCode, 0)
})

test('a second signal stops the daemon at once, without leaving a worker behind', async () => {
  await using running = await run({ HERO_PROXY_WORKERS: '2' })
  await using hanging = await startUpstream(() => {})
  await running.hero.proxy.routes.add({
    domain: 'hang.localhost',
    target: hanging.target,
    auth_mode: 'none',
  })
  const own = client(running.daemon.edge.port)
  void own.ask('hang.localhost', '/').catch(() => {})
  await until('it is at the upstream', () => hanging.seen.length === 1)
  const { child } = running.daemon
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await until('nothing listens', async () => {
    const failed = await client(running.daemon.edge.port, false)
      .ask('open.localhost', '/')
      .catch((error: NodeJS.ErrnoException) => error.code)
    return failed === 'ECONNREFUSED'
  })
  child.kill('SIGTERM')
  await ended
  assert.equal(child.exitCode, 1)
  own.close()
})
