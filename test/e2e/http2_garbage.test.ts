import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import type { ClientHttp2Session } from 'node:http2'
import { join } from 'node:path'
import { test } from 'node:test'
import { long } from '../long.ts'
import { startRaw } from '../support/edge_stage.ts'
import { run, until } from '../support/running_daemon.ts'
import { askOver, openSession } from '../support/http2.ts'
import { browser } from '../edge/serve/http2_browser.ts'
import { TestAuthority } from '../support/pem.ts'

interface Heap {
  readonly markCompacts: number
  readonly oldBytes: number
}

const probe = join(import.meta.dirname, 'heap_probe.ts')
/** Concurrent streams: enough to show a table that retains what was deleted from it. */
const sessions = 4
const streams = 16

/** Sends `count` requests over these connections. */
const load = async (over: readonly ClientHttp2Session[], count: number): Promise<void> => {
  let sent = 0
  const sendInTurn = async (session: ClientHttp2Session) => {
    while (sent < count) {
      const { status } = await askOver(session, 'open.localhost', '/', browser(sent++, 'theme=dark'))
      assert.equal(status, 200)
    }
  }
  await Promise.all(over.flatMap((session) => Array.from({ length: streams }, () => sendInTurn(session))))
}

test(
  'HTTP/2 requests leave only young garbage: steady traffic promotes hardly anything to old space',
  { skip: long ? false : 'TEST_LONG is not set' },
  async () => {
    await using upstream = await startRaw((socket) => {
      const response = `HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n${'x'.repeat(100)}`
      socket.write(response)
      socket.on('data', () => socket.write(response))
    })
    using authority = new TestAuthority()
    const { cert, key } = authority.issue('open.localhost')
    const file = join(authority.dir, 'heap')
    await using running = await run({
      NODE_OPTIONS: `--max-semi-space-size=4 --import=${probe}`,
      HEAP_PROBE: file,
      HERO_PROXY_TLS_CERT: cert,
      HERO_PROXY_TLS_KEY: key,
      HERO_PROXY_PUBLIC_URL: 'https://home.localhost',
    })
    const { daemon, hero } = running
    const { items } = await hero.proxy.routes.list({})
    await hero.proxy.routes.update({ id: items[0]!.id, target: upstream.target })
    let lines = 0
    const heap = async (): Promise<Heap> => {
      daemon.child.kill('SIGUSR2')
      const text = () => (existsSync(file) ? readFileSync(file, 'utf8') : '')
      await until('the probe to write', () => text().split('\n').length === lines + 2)
      return JSON.parse(text().split('\n')[lines++]!) as Heap
    }
    const over = await Promise.all(
      Array.from({ length: sessions }, () => openSession(daemon as never, 'open.localhost')),
    )
    await load(over, 20_000)
    let last = await heap()
    let promoted = 0
    const parts = 6
    const requests = 3000
    // In parts, because a mark-compact hides what was promoted before it.
    for (let part = 0; part < parts; part++) {
      await load(over, requests)
      const now = await heap()
      promoted += Math.max(0, now.oldBytes - last.oldBytes)
      last = now
    }
    for (const session of over) session.destroy()
    const each = promoted / (parts * requests)
    assert.ok(each < 1000, `${each.toFixed()} bytes per request reached old space`)
  },
)
