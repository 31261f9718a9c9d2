import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { family, FamilyTime, statOf } from './processor_time.ts'

/** The server under test has one core; the generator and the upstream share the other. */
export const serverCore = '0'
export const generatorCore = '1'
export const bothCores = '0,1'

export interface Running {
  readonly pid: number
  /** Its processor time since its start, including that of its child processes, in microseconds. */
  cpu(): number
  /** The same of each process, by its pid. */
  cpus(): ReadonlyMap<number, number>
  /** Microseconds that its runnable threads waited for a core. */
  waited(): number
  /** Resident memory of the largest process, in MB. */
  resident(): number
  /** The exit code, once the process has ended by itself. */
  ended(): number | undefined
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()
const folders: string[] = []
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

/** A folder that is removed when the measurement ends. */
export const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'hp-bench-'))
  folders.push(folder)
  return folder
}

export const pathOf = (program: string): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path))

/** Why this machine is unsuitable, or undefined if it is suitable. */
const unfit = (): string | undefined => {
  if (process.platform !== 'linux') return 'it reads /proc and pins processes with taskset'
  if (availableParallelism() < 2) return 'server and generator need a core each'
  return pathOf('taskset') ? undefined : 'taskset is not installed (Debian: apt-get install util-linux)'
}

/** Moves this process to the core of the generator. Ends it if that is impossible. */
export const takeGeneratorCore = (): void => {
  const reason = unfit()
  if (reason !== undefined) {
    console.log(`skipped: ${reason}`)
    process.exit(0)
  }
  spawnSync('taskset', ['-a', '-p', '-c', generatorCore, String(process.pid)])
}

const residentOf = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

/** Processor time in microseconds, in steps of 10 ms, of the generators that this process started and that have ended. */
export const spentByEnded = (): number => {
  const [user = 0, system = 0] = statOf('self').slice(13, 15)
  return (user + system) * 10_000
}

/** Starts a program on a core. Its standard output is dropped; its standard error is shown unless `complaints` says otherwise. */
export const start = (
  core: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  complaints: 'inherit' | 'ignore' = 'inherit',
): Running => {
  // taskset replaces itself with the program and keeps the pid.
  const child = spawn('taskset', ['-c', core, command, ...args], {
    stdio: ['ignore', 'ignore', complaints],
    env: { ...process.env, ...env },
  })
  running.add(child)
  const ended = new Promise<void>((resolve) =>
    child.once('exit', () => {
      running.delete(child)
      resolve()
    }),
  )
  const pid = child.pid!
  const time = new FamilyTime(pid)
  return {
    pid,
    cpu: () => time.total('ran'),
    cpus: () => new Map([...time.read()].map(([one, { ran }]) => [one, ran])),
    waited: () => time.total('waited'),
    resident: () => Math.max(...family(pid).map(residentOf)),
    ended: () => child.exitCode ?? undefined,
    stop: async () => {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
      await ended
      clearTimeout(timer)
    },
  }
}

export const node = (core: string, ...args: readonly string[]): Running => start(core, process.execPath, args)

/** Runs a program on the core of the generator to its end and returns its output. An error includes the output too. */
export const output = (
  command: string,
  args: readonly string[],
  core: string = generatorCore,
): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn('taskset', ['-c', core, command, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    running.add(child)
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    child.once('error', reject)
    child.once('close', (status) => {
      running.delete(child)
      if (status === 0) resolve(text)
      else reject(new Error(`${command} ended with ${status}: ${text}`))
    })
  })

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/** Repeats an attempt until it works, for at most `seconds`. */
export const eventually = async <T>(attempt: () => Promise<T>, seconds = 15): Promise<T> => {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

/** The complete output of a program with these arguments. */
export const printed = (program: string, ...args: readonly string[]): string => {
  const { stdout, stderr } = spawnSync(pathOf(program)!, args, { encoding: 'utf8' })
  return `${stdout}${stderr}`
}

/** The version in what a program prints. */
export const versionOf = (program: string, ...args: readonly string[]): string =>
  /\d+(\.\d+)+/.exec(printed(program, ...args))?.[0] ?? 'unknown'

export const machine = (): string => `${cpus().length} cores, ${cpus()[0]!.model.trim()}`
