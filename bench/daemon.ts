import { join } from 'node:path'
import type { HeroProxy } from '../sdk/index.ts'
import { eventually, freePort, newFolder, node, type Running } from './processes.ts'

const launcher = join(import.meta.dirname, '..', 'bin', 'hero-proxy.js')

/** CPU_PROF names a folder: then every daemon writes a processor profile there when it ends. */
const profiled = process.env.CPU_PROF ? ['--cpu-prof', '--cpu-prof-dir', process.env.CPU_PROF] : []

export interface Instance {
  readonly port: number
  readonly socketPath: string
  /** Starts the daemon; it need not answer yet. */
  start(core: string): Running
}

/** A folder and a port of its own; what is started there again finds what was there before. */
export const newInstance = async (): Promise<Instance> => {
  const folder = newFolder()
  const port = await freePort()
  const args = ['serve', '--data-dir', join(folder, 'data'), '--socket-dir', join(folder, 's')]
  return {
    port,
    socketPath: join(folder, 's', 'hero_proxy', 'rpc.sock'),
    start: (core) =>
      node(
        core,
        '--max-semi-space-size=4',
        ...profiled,
        launcher,
        ...args,
        '--listen',
        `127.0.0.1:${port}`,
        '--log-level',
        'error',
      ),
  }
}

export const person = { username: 'ada', email: 'ada@example.org', password: 'mosaic-lantern-42-orbit' }

/** Adds a person who holds a handful of claims through groups within groups. */
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
