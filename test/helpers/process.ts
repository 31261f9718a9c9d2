import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')
export const command = join(root, 'bin', 'hero-proxy.js')

export interface RunningDaemon {
  readonly child: ChildProcess
  readonly socket: string
  /** What it printed for people. */
  readonly printed: string
}

/** The environment of a daemon that shares nothing with this machine's own. */
export const environment = (dir: string): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: dir,
  HERO_PROXY_DATA_DIR: join(dir, 'data'),
  HERO_SOCKET_DIR: join(dir, 's'),
  HERO_PROXY_LISTEN: '127.0.0.1:0',
  HERO_PROXY_LOG_LEVEL: 'warn',
})

/** The daemon as a process of its own, as `npm start` runs it; resolves when it has said that it runs. */
export const spawnDaemon = async (dir: string): Promise<RunningDaemon> => {
  const child = spawn(process.execPath, [command, 'serve'], {
    env: environment(dir),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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
  return { child, socket: join(dir, 's', 'hero_proxy', 'rpc.sock'), printed }
}

export const kill = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}
