import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { HeroProxy } from '../../sdk/index.ts'
import { goodPassword } from '../support/daemon.ts'
import { signIn } from '../support/http.ts'
import { kill, spawnDaemon, type RunningDaemon } from '../support/daemon_process.ts'
import { until } from '../support/running_daemon.ts'
import { startUpstream, valuesOf } from '../support/upstream.ts'
import { long, unlessLong } from '../long.ts'
import { freePort } from '../support/free_port.ts'

/** The long form kills once a minute, for half an hour or SOAK_MINUTES; the short one three times, two seconds apart. */
const [kills, between] = long ? [Number(process.env.SOAK_MINUTES ?? 30), 60_000] : [3, 2000]
/** Requests a second, of all clients together. */
const rate = 100

const dir = mkdtempSync(join(tmpdir(), 'hp-soak-'))
after(() => rmSync(dir, { recursive: true, force: true }))

test(
  'under a mixed load with kills no user is ever mistaken for another, and requests are served after each kill',
  { skip: unlessLong },
  async () => {
    await using upstream = await startUpstream()
    const port = await freePort()
    const start = () => spawnDaemon(dir, { HERO_PROXY_LISTEN: `127.0.0.1:${port}` })
    let daemon: RunningDaemon = await start()
    const hero = new HeroProxy({ socket: daemon.socket })
    for (const username of ['ada', 'bob']) await hero.users.add({ username, password: goodPassword })
    const route = { target: upstream.target, auth_mode: 'optional' } as const
    for (const domain of ['one.localhost', 'two.localhost']) await hero.proxy.routes.add({ domain, ...route })
    hero.close()
    const edge = { edge: { port, host: '127.0.0.1' } }
    /** By person and host. */
    const cookies: Record<string, string> = {}
    for (const name of ['ada', 'bob'])
      for (const host of ['one.localhost', 'two.localhost'])
        cookies[`${name} ${host}`] = await signIn(edge, host, name, goodPassword)

    const counts = { answers: 0, failures: 0, sockets: 0 }
    const wrong: string[] = []
    const agent = new Agent({ keepAlive: true, maxSockets: 12 })

    const once = (who: string, host: string, method: string, i: number) =>
      new Promise<void>((resolve) => {
        const lost = () => {
          counts.failures++
          resolve()
        }
        const cookie = cookies[`${who} ${host}`] ?? ''
        const headers = { host, ...(cookie !== '' && { cookie }), 'x-hero-user': 'root' }
        const asked = request({ port, host: '127.0.0.1', agent, method, path: `/${who}/${i}`, headers })
        asked.setTimeout(5000, () => asked.destroy())
        asked.on('error', lost)
        asked.on('response', (response) => {
          let text = ''
          response.on('error', lost)
          response.on('data', (bytes) => (text += String(bytes)))
          response.on('end', () => {
            counts.answers++
            const seen =
              response.statusCode === 200 && (JSON.parse(text) as { url: string; rawHeaders: string[] })
            const shown = seen ? valuesOf(seen.rawHeaders, 'x-hero-user').join() || 'guest' : ''
            if (!seen || seen.url !== `/${who}/${i}` || shown !== who)
              wrong.push(`${who} asked for /${who}/${i}: ${response.statusCode} ${text.slice(0, 200)}`)
            resolve()
          })
        })
        asked.end(method === 'POST' ? `body of ${who}` : undefined)
      })

    upstream.server.on('upgrade', (incoming, socket) => {
      socket.on('error', () => {})
      const shown = valuesOf(incoming.rawHeaders, 'x-hero-user').join() || 'guest'
      socket.end(
        `HTTP/1.1 403 ${shown}\r\nContent-Length: ${shown.length}\r\nConnection: close\r\n\r\n${shown}`,
      )
    })
    /** The service refuses every WebSocket and reports the user it saw: the same decision by another path. */
    const socketOf = (who: string) =>
      new Promise<void>((resolve) => {
        const cookie = cookies[`${who} one.localhost`] ?? ''
        const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
          headers: { host: 'one.localhost', ...(cookie !== '' && { cookie }) },
        })
        socket.on('error', () => resolve())
        socket.on('unexpected-response', (_, answer) => {
          counts.sockets++
          if (answer.statusCode === 403 && answer.statusMessage !== who)
            wrong.push(`a WebSocket of ${who} was seen as ${answer.statusMessage}`)
          socket.terminate()
          resolve()
        })
      })

    const load = { over: false }
    const sending = (async () => {
      const under = new Set<Promise<void>>()
      for (let i = 0; !load.over; i++) {
        const who = ['ada', 'bob', 'guest'][i % 3]!
        const host = i % 2 === 0 ? 'one.localhost' : 'two.localhost'
        const asked = i % 25 === 0 ? socketOf(who) : once(who, host, i % 5 === 0 ? 'POST' : 'GET', i)
        under.add(asked)
        void asked.then(() => under.delete(asked))
        await delay(1000 / rate)
      }
      await Promise.all(under)
    })()

    for (let i = 0; i < kills; i++) {
      await delay(between)
      await kill(daemon.child, 'SIGKILL')
      daemon = await start()
      const before = counts.answers
      await until('a request is answered after a kill', () => counts.answers > before)
    }
    await until(
      'enough requests are answered',
      () => counts.answers > kills * 100 && counts.sockets > 5,
      60_000,
    )
    load.over = true
    await sending
    agent.destroy()
    await kill(daemon.child, 'SIGTERM')
    assert.deepEqual(wrong.slice(0, 3), [])
  },
)
