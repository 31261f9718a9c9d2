import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { HeroProxy } from '../../sdk/index.ts'
import { bindSocket } from '../../src/start/passed_sockets.ts'
import { goodPassword } from './daemon.ts'
import type { Answer } from './http.ts'
import { command, kill, spawnDaemon, type RunningDaemon } from './daemon_process.ts'
import { startUpstream, type Upstream } from './upstream.ts'

export interface Running extends AsyncDisposable {
  readonly dir: string
  readonly daemon: RunningDaemon
  readonly hero: HeroProxy
  readonly upstream: Upstream
  /** Ends the daemon with SIGTERM and returns its exit status. */
  stop(): Promise<number | null>
}

/** A daemon in its own process, with the user ada and the open route `open.localhost` to an upstream that echoes. */
export const run = async (env: NodeJS.ProcessEnv = {}): Promise<Running> => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-run-'))
  const daemon = await spawnDaemon(dir, env)
  const hero = new HeroProxy({ socket: daemon.socket })
  const upstream = await startUpstream()
  const stop = async () => {
    await kill(daemon.child, 'SIGTERM')
    return daemon.child.exitCode
  }
  const end = async () => {
    hero.close()
    await kill(daemon.child, 'SIGKILL')
    await upstream.close()
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await hero.auth.setup({ username: 'ada', email: 'ada@example.org', password: goodPassword })
    await hero.proxy.routes.add({ domain: 'open.localhost', target: upstream.target, auth_mode: 'none' })
  } catch (error) {
    // A daemon that is left behind keeps the test from ending.
    await end()
    throw error
  }
  return { dir, daemon, hero, upstream, stop, [Symbol.asyncDispose]: end }
}

/** Waits until a condition holds. A timeout names the condition. */
export const until = async (what: string, holds: () => boolean | Promise<boolean>, most = 20_000) => {
  const deadline = Date.now() + most
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`timed out: ${what}`)
    await delay(20)
  }
}

export interface Client {
  ask(
    host: string,
    path: string,
    more?: { method?: string; headers?: string[]; body?: string },
  ): Promise<Answer>
  close(): void
}

/** A client with one kept-alive connection or, if `kept` is false, a new connection for every request. */
export const client = (port: number, kept = true): Client => {
  const agent = new Agent({ keepAlive: kept, maxSockets: kept ? 1 : Infinity })
  return {
    ask: (host, path, { method = 'GET', headers = [], body } = {}) =>
      new Promise((resolve, reject) => {
        const framing = body === undefined ? [] : ['Content-Length', String(Buffer.byteLength(body))]
        const list = ['Host', host, ...headers, ...framing] as unknown as Record<string, string>
        const sent = request({ host: '127.0.0.1', port, agent, method, path, setHost: false, headers: list })
        sent.on('error', reject)
        sent.on('response', (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
          response.on('error', reject)
          response.on('end', () =>
            resolve({
              status: response.statusCode!,
              headers: response.headers,
              rawHeaders: response.rawHeaders,
              body: text,
            }),
          )
        })
        sent.end(body)
      }),
    close: () => agent.destroy(),
  }
}

export interface Load {
  /** The number of correctly answered requests. */
  readonly answered: () => number
  /** Stops sending requests, waits for the active ones and returns the failures. */
  stop(): Promise<string[]>
}

/** About 300 requests a second, half of them on ten persistent connections, the others each on a new one. */
export const startLoad = (port: number): Load => {
  const kept = Array.from({ length: 10 }, () => client(port))
  const fresh = client(port, false)
  const failed: string[] = []
  const open = new Set<Promise<void>>()
  let answered = 0
  let turn = 0
  const one = async (from: Client, how: string) => {
    try {
      const { status } = await from.ask('open.localhost', '/')
      if (status === 200) answered++
      else failed.push(`${how}: ${status}`)
    } catch (error) {
      failed.push(`${how}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`)
    }
  }
  const begin = (from: Client, how: string) => {
    const asked = one(from, how).finally(() => open.delete(asked))
    open.add(asked)
  }
  const timer = setInterval(() => {
    // Do not queue another request behind one that has no answer yet.
    if (open.size > 600) return
    begin(kept[turn++ % kept.length]!, 'kept')
    begin(fresh, 'fresh')
  }, 1000 / 150)
  return {
    answered: () => answered,
    stop: async () => {
      clearInterval(timer)
      await Promise.all(open)
      for (const one of [...kept, fresh]) one.close()
      return failed
    },
  }
}

/** Acts like systemd socket activation: opens the sockets, keeps them open and passes them to each start. */
export const supervisor = async () => {
  const { fd, close } = await bindSocket({ host: '127.0.0.1', port: 0 })
  const start = (dir: string, env: NodeJS.ProcessEnv = {}) =>
    spawnDaemon(
      dir,
      env,
      (whole) =>
        // The shell becomes the daemon, so that LISTEN_PID is its own.
        spawn('sh', ['-c', `LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@"`, process.execPath, command, 'serve'], {
          env: whole,
          stdio: ['ignore', 'pipe', 'pipe', fd] as never,
        }) as never,
    )
  return { start, close }
}

/** Returns everything that a connection receives until the other side ends it. */
export const readAll = (port: number, bytes: string): { text: () => string; closed: Promise<void> } => {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
  socket.on('error', () => {})
  socket.write(bytes)
  return { text: () => text, closed: new Promise((resolve) => socket.on('close', () => resolve())) }
}
