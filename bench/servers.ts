import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Places } from './peers/configurations.ts'
import { newFolder, pathOf, serverCore, start, versionOf, type Running } from './processes.ts'

const programs = {
  nginx: { says: ['-v'], debian: 'nginx-light' },
  haproxy: { says: ['-v'], debian: 'haproxy' },
  caddy: { says: ['version'], debian: 'caddy' },
  wrk: { says: ['-v'], debian: 'wrk' },
  h2load: { says: ['--version'], debian: 'nghttp2-client' },
  openssl: { says: ['version'], debian: 'openssl' },
} as const

/** A program, other than the daemon, that a measurement uses. */
export type Program = keyof typeof programs

/** Ends the measurement if a program that it needs is missing. */
export const need = (...names: readonly Program[]): void => {
  const missing = names.filter((name) => !pathOf(name))
  if (missing.length === 0) return
  const packages = missing.map((name) => programs[name].debian)
  console.log(`skipped: needs ${missing.join(' and ')} (Debian: apt-get install ${packages.join(' ')})`)
  process.exit(0)
}

/** Whether an optional program is installed; prints a line if not. */
export const have = (name: Program): boolean => {
  if (pathOf(name)) return true
  console.log(`left out: ${name} is not installed (Debian: apt-get install ${programs[name].debian})`)
  return false
}

/** The versions of the programs that are installed. */
export const versions = (...names: readonly Program[]): Record<string, string> =>
  Object.fromEntries(
    names.filter((name) => pathOf(name)).map((name) => [name, versionOf(name, ...programs[name].says)]),
  )

/** Starts the peers, with all their files in one folder. */
export class Servers {
  readonly folder = newFolder()
  readonly places: Places = {
    folder: this.folder,
    upstream: join(this.folder, 'upstream.sock'),
    endpoint: join(this.folder, 'endpoint.sock'),
    recorder: join(this.folder, 'recorder.sock'),
  }
  readonly #running: Running[] = []
  #written = 0

  #configured(text: string): string {
    const file = join(this.folder, `${++this.#written}.conf`)
    writeFileSync(file, text)
    return file
  }

  /** Adds a server that `stop` ends with the others. */
  keep(server: Running): Running {
    this.#running.push(server)
    return server
  }

  nginx(text: string, core = serverCore): Running {
    const args = ['-p', this.folder, '-c', this.#configured(text)]
    return this.keep(start(core, pathOf('nginx')!, args, {}, 'ignore'))
  }

  haproxy(text: string): Running {
    const args = ['-db', '-q', '-f', this.#configured(text)]
    return this.keep(start(serverCore, pathOf('haproxy')!, args, {}, 'ignore'))
  }

  caddy(text: string): Running {
    const { folder } = this
    const env = { GOMAXPROCS: '1', HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
    const args = ['run', '--config', this.#configured(text), '--adapter', 'caddyfile']
    return this.keep(start(serverCore, pathOf('caddy')!, args, env, 'ignore'))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map((server) => server.stop()))
  }
}
