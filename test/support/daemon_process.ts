import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

export const root = join(import.meta.dirname, '..', '..')
export const command = join(root, 'bin', 'hero-proxy.js')

export interface RunningDaemon {
  readonly child: ChildProcess
  readonly socket: string
  /** Its standard output. */
  readonly printed: string
  readonly edge: { readonly port: number }
  /** Returns its standard error so far, which is its log. */
  readonly log: () => string
}

/** An environment that isolates the daemon from one that runs on this machine. */
export const environment = (dir: string): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: dir,
  HERO_PROXY_DATA_DIR: join(dir, 'data'),
  HERO_SOCKET_DIR: join(dir, 's'),
  HERO_PROXY_LISTEN: '127.0.0.1:0',
  HERO_PROXY_LOG_LEVEL: 'warn',
})

/** Spawns the process. Its output must be piped. */
type Start = (env: NodeJS.ProcessEnv) => ChildProcessByStdio<null, Readable, Readable>

/** Runs the daemon in its own process, as `npm start` does. Resolves when it reports that it is running. */
export const spawnDaemon = async (
  dir: string,
  more: NodeJS.ProcessEnv = {},
  start: Start = (env) =>
    spawn(process.execPath, [command, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] }),
): Promise<RunningDaemon> => {
  const child = start({ ...environment(dir), ...more })
  let printed = ''
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  child.stdout.setEncoding('utf8')
  for await (const text of child.stdout.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
    printed += text
    if (/^ {2}socket .*\n/m.test(printed)) break
  }
  if (!printed.includes('is running')) throw new Error(`the daemon did not start: ${errors}`)
  child.stdout.resume()
  return {
    child,
    socket: /^ {2}socket +(.*)$/m.exec(printed)![1]!,
    printed,
    edge: { port: Number(/\(.*:(\d+)\)/.exec(printed)![1]) },
    log: () => errors,
  }
}

export const kill = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}
