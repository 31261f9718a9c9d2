import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { long } from '../long.ts'
import { signIn } from '../support/http.ts'
import { goodPassword } from '../support/daemon.ts'
import { startRaw } from '../support/edge_stage.ts'
import { run, until } from '../support/running_daemon.ts'

interface Heap {
  readonly markCompacts: number
  readonly oldBytes: number
}

const probe = join(import.meta.dirname, 'heap_probe.ts')
/** Requests in flight: enough to show a table that retains what was deleted from it. */
const connections = 64

/** Persistent connections; `load` sends `count` requests over them, one at a time on each, and returns the seconds it took. */
const openLoad = (port: number, request: string) => {
  const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1').setNoDelay())
  const load = async (count: number): Promise<number> => {
    const began = performance.now()
    await Promise.all(
      sockets.map((socket) => {
        let left = Math.ceil(count / connections)
        return new Promise<void>((resolve, reject) => {
          socket.removeAllListeners()
          socket.on('error', reject)
          socket.on('close', () => reject(new Error('the edge closed a persistent connection')))
          socket.on('data', (bytes) => {
            if (!bytes.includes('HTTP/1.1 200')) return reject(new Error(bytes.toString('latin1')))
            if (--left === 0) resolve()
            else socket.write(request)
          })
          socket.write(request)
        })
      }),
    )
    return (performance.now() - began) / 1000
  }
  const close = () => {
    for (const socket of sockets) socket.removeAllListeners().destroy()
  }
  return { load, [Symbol.dispose]: close }
}

test(
  'requests leave only young garbage: steady traffic promotes hardly anything to old space',
  { skip: long ? false : 'TEST_LONG is not set' },
  async (t) => {
    await using upstream = await startRaw((socket) => {
      const response = `HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n${'x'.repeat(100)}`
      socket.write(response)
      socket.on('data', () => socket.write(response))
    })
    const file = join(tmpdir(), `hp-heap-${process.pid}`)
    t.after(() => rmSync(file, { force: true }))
    await using running = await run({
      NODE_OPTIONS: `--max-semi-space-size=4 --import=${probe}`,
      HEAP_PROBE: file,
    })
    const { daemon, hero } = running
    await hero.proxy.routes.add({ domain: 'gc.localhost', target: upstream.target, auth_mode: 'local' })
    const { port } = daemon.edge
    const cookie = await signIn(daemon as never, 'gc.localhost', 'ada', goodPassword)
    const request = `GET / HTTP/1.1\r\nHost: gc.localhost\r\nCookie: ${cookie}\r\nUser-Agent: test\r\n\r\n`
    let lines = 0
    const heap = async (): Promise<Heap> => {
      daemon.child.kill('SIGUSR2')
      const text = () => (existsSync(file) ? readFileSync(file, 'utf8') : '')
      await until('the probe to write', () => text().split('\n').length === lines + 2)
      return JSON.parse(text().split('\n')[lines++]!) as Heap
    }
    using client = openLoad(port, request)
    await client.load(20_000)
    const first = await heap()
    let last = first
    let promoted = 0
    let seconds = 0
    // In parts, because a mark-compact hides what was promoted before it.
    for (let part = 0; part < 4; part++) {
      seconds += await client.load(5000)
      const now = await heap()
      promoted += Math.max(0, now.oldBytes - last.oldBytes)
      last = now
    }
    const markCompacts = last.markCompacts - first.markCompacts
    const rate = promoted / seconds / 1e6
    assert.ok(
      markCompacts <= 1 && rate < 1,
      `${markCompacts} mark-compacts, ${rate.toFixed(1)} MB/s reached old space`,
    )
  },
)
