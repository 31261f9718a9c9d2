import { rmSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { HeroProxy } from '../sdk/index.ts'
import { signIn } from '../test/support/http.ts'
import type { Place } from './ask.ts'
import { eventually, freePort, newFolder, serverCore, start, type Running } from './processes.ts'
import type { Measured } from './round.ts'

const launcher = join(import.meta.dirname, '..', 'bin', 'hero-proxy.js')

/** With CPU_PROF, every daemon writes a CPU profile to that folder when it ends. */
const profiled = process.env.CPU_PROF ? ['--cpu-prof', '--cpu-prof-dir', process.env.CPU_PROF] : []

export interface Instance {
  readonly port: number
  readonly socketPath: string
  readonly databaseFile: string
  /** Starts the daemon without waiting until it answers. */
  start(core: string, ...more: readonly string[]): Running
}

/** A separate folder and port. A second start there finds the data of the first one. */
export const newInstance = async (env: Readonly<Record<string, string>> = {}): Promise<Instance> => {
  const folder = newFolder()
  const port = await freePort()
  const args = ['serve', '--data-dir', join(folder, 'data'), '--socket-dir', join(folder, 's')]
  return {
    port,
    databaseFile: join(folder, 'data', 'hero_proxy.db'),
    socketPath: join(folder, 's', 'hero_proxy', 'rpc.sock'),
    start: (core, ...more) => {
      const listen = ['--listen', `127.0.0.1:${port}`, '--log-level', 'error']
      const flags = ['--max-semi-space-size=4', ...profiled]
      return start(core, process.execPath, [...flags, launcher, ...args, ...listen, ...more], env)
    },
  }
}

export const person = { username: 'ada', email: 'ada@example.org', password: 'mosaic-lantern-42-orbit' }

/** Adds a user who has several claims through nested groups. */
export const addPerson = async (hero: HeroProxy): Promise<void> => {
  await eventually(() => hero.health())
  await hero.users.add(person)
  for (const slug of ['staff', 'engineers', 'writers']) await hero.groups.add({ slug })
  await hero.groups.add_member({ group: 'engineers', user: 'ada' })
  await hero.groups.add_member({ group: 'writers', user: 'ada' })
  await hero.groups.add_member({ group: 'staff', member_group: 'engineers' })
  for (const [group, claim] of [
    ['staff', 'wiki.pages.read'],
    ['engineers', 'tickets.read'],
    ['engineers', 'deploy.start'],
    ['writers', 'wiki.pages.write'],
  ] as const) {
    await hero.groups.add_claim({ group, claim })
  }
}

export interface Door {
  readonly daemon: Running
  readonly port: number
  readonly socketPath: string
  /** Routes a host to a target and signs in there. */
  route(host: string, target: string): Promise<Place>
  /** Adds users to the groups of the first one, signs each in at a host with a route, and returns their cookies. */
  people(host: string, count: number): Promise<string[]>
}

/** The daemon refused its arguments and ended before it answered. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

/** A certificate with its key, in PEM files. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

interface Setup {
  readonly core?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly tls?: CertificateFiles
}

/**
 * A daemon with its user and its routes, on the core of the servers.
 * An earlier start has set it up and compiled its code. Otherwise the memory under load would include what the first start and
 * the first password load.
 */
const openWith = async ({ core = serverCore, args = [], env, tls }: Setup): Promise<Door> => {
  const instance = await newInstance(env)
  const { port, socketPath } = instance
  const secured = tls && [
    '--tls-cert',
    tls.cert,
    '--tls-key',
    tls.key,
    '--public-url',
    `https://localhost:${port}`,
  ]
  const begin = async () => {
    const daemon = instance.start(core, ...args, ...(secured ?? []))
    const hero = new HeroProxy({ socket: socketPath })
    await eventually(async () => daemon.ended() ?? (await hero.health()))
    hero.close()
    if (daemon.ended() !== undefined) throw new Refused(`the daemon ended with ${daemon.ended()}`)
    return daemon
  }
  const first = await begin()
  const hero = new HeroProxy({ socket: socketPath })
  await addPerson(hero)
  hero.close()
  await first.stop()
  const daemon = await begin()
  const edge = { edge: { host: '127.0.0.1', port }, ...(tls && { config: { tls_cert: [tls.cert] } }) }
  return {
    daemon,
    port,
    socketPath,
    people: async (host, count) => {
      const hero = new HeroProxy({ socket: socketPath })
      const cookies: string[] = []
      for (let i = 0; i < count; i++) {
        const username = `person${i}`
        await hero.users.add({ username, email: `${username}@example.org`, password: person.password })
        for (const group of ['engineers', 'writers']) await hero.groups.add_member({ group, user: username })
        cookies.push(await signIn(edge, host, username, person.password))
      }
      hero.close()
      return cookies
    },
    route: async (host, target) => {
      const hero = new HeroProxy({ socket: socketPath })
      await hero.proxy.routes.add({ domain: host, target, auth_mode: 'local' })
      hero.close()
      // The edge may open later than the socket, and workers may learn of a route a moment later.
      const cookie = await eventually(() => signIn(edge, host, person.username, person.password))
      return { port, host, cookie, secure: tls !== undefined }
    },
  }
}

export const openDoor = (core = serverCore, ...args: readonly string[]): Promise<Door> =>
  openWith({ core, args })

/** A daemon that speaks TLS. */
export const openSecureDoor = (tls: CertificateFiles, env: Setup['env'] = {}): Promise<Door> =>
  openWith({ tls, env })

const answers = (socketPath: string) =>
  new Promise<void>((resolve, reject) => {
    const request = get({ socketPath, path: '/health', agent: false }, (response) => {
      response.resume()
      if (response.statusCode === 200) resolve()
      else reject(new Error(`/health answered ${response.statusCode}`))
    })
    request.on('error', reject)
  })

/** Starts a server until it answers on its socket; `rate` is the milliseconds, and `resident` its memory 2.5 s later. */
export const measureStart = async (socketPath: string, begin: () => Running): Promise<Measured> => {
  rmSync(socketPath, { force: true })
  const began = performance.now()
  const server = begin()
  await eventually(() => answers(socketPath))
  const rate = performance.now() - began
  const cpu = server.cpu() / 1000
  await new Promise((resolve) => setTimeout(resolve, 2500))
  const resident = server.resident()
  await server.stop()
  return { rate, cpu, resident }
}
