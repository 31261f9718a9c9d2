import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

const binaries = (): string | undefined => {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  return versions.map((version) => join(root, version, 'bin')).find((dir) => existsSync(join(dir, 'initdb')))
}

/** PostgreSQL refuses to run as root: then Debian's own user runs it. */
const runner = (): { uid: number; gid: number } | undefined | 'nobody' => {
  if (userInfo().uid !== 0) return undefined
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout)
  const uid = id('-u')
  return uid > 0 ? { uid, gid: id('-g') } : 'nobody'
}

/** Why tests on PostgreSQL cannot run here, or undefined if they can. */
export const postgresMissing = (): string | undefined => {
  if (!binaries()) return 'PostgreSQL is not installed (Debian: apt-get install postgresql)'
  if (runner() === 'nobody') return 'running as root, and there is no user postgres that could run PostgreSQL'
  return undefined
}

export interface TestPostgres {
  /** A new, empty database. */
  newDatabase(): string
  stop(): void
}

const cache = join(import.meta.dirname, '../../node_modules/.cache')

/** With owner and mode, which PostgreSQL insists on. */
const copy = (from: string, to: string) => {
  const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`cp: ${stderr}`)
}

/** Whole or not at all: others may be looking for it at this moment, or keeping theirs. */
const keep = (data: string, kept: string) => {
  mkdirSync(cache, { recursive: true })
  const own = `${kept}.${process.pid}`
  copy(data, own)
  try {
    renameSync(own, kept)
  } catch {
    rmSync(own, { recursive: true, force: true })
  }
}

/** A PostgreSQL of its own from the machine's binaries, on a Unix socket in a temporary folder, gone when stopped. */
export const startPostgres = (): TestPostgres => {
  const bin = binaries()!
  const user = runner() as { uid: number; gid: number } | undefined
  const dir = mkdtempSync(join(tmpdir(), 'pg-'))
  chmodSync(dir, 0o700)
  if (user) chownSync(dir, user.uid, user.gid)
  const data = join(dir, 'data')
  const run = (command: string, args: string[]) => {
    const done = spawnSync(join(bin, command), args, {
      ...user,
      encoding: 'utf8',
      cwd: dir,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    if (done.status !== 0) throw new Error(`${command}: ${done.stderr || done.stdout || String(done.error)}`)
  }
  // Making a cluster takes ten times as long as copying one: the first is kept, for this user and version of PostgreSQL.
  const kept = join(cache, `postgres-${bin.split('/').at(-2)}-${user?.uid ?? userInfo().uid}`)
  if (existsSync(kept)) copy(kept, data)
  else {
    run('initdb', ['-D', data, '-U', 'hero', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C'])
    keep(data, kept)
  }
  const options = `-k ${dir} -h '' -c fsync=off -c synchronous_commit=off -c max_connections=60`
  run('pg_ctl', ['-D', data, '-w', '-s', '-l', join(dir, 'log'), '-o', options, 'start'])
  let count = 0
  return {
    newDatabase: () => {
      const name = `hero${++count}`
      run('createdb', ['-h', dir, '-U', 'hero', name])
      return `postgres://hero@/${name}?host=${encodeURIComponent(dir)}`
    },
    stop: () => {
      run('pg_ctl', ['-D', data, '-s', '-m', 'immediate', 'stop'])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
