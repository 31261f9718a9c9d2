import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { keptMigrated, migrateAt } from './migrated.ts'

const binaries = (): string | undefined => {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  return versions.map((version) => join(root, version, 'bin')).find((dir) => existsSync(join(dir, 'initdb')))
}

/** PostgreSQL refuses to run as root, so Debian's user postgres runs it. */
const runner = (): { uid: number; gid: number } | undefined | 'nobody' => {
  if (userInfo().uid !== 0) return undefined
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout)
  const uid = id('-u')
  return uid > 0 ? { uid, gid: id('-g') } : 'nobody'
}

/** Why tests on PostgreSQL cannot run here, or undefined if they can. */
export const postgresMissing = (): string | undefined => {
  if (process.env.TEST_FAST === '1') return 'left out of the fast tests'
  if (!binaries()) return 'PostgreSQL is not installed (Debian: apt-get install postgresql)'
  if (runner() === 'nobody') return 'running as root, and there is no user postgres that could run PostgreSQL'
  return undefined
}

export interface TestPostgres {
  /** A new database with the tables of a first start, or without any. */
  newDatabase(empty?: 'empty'): string
  stop(): void
}

/** Copies with owner and mode, which PostgreSQL checks. */
const copy = (from: string, to: string) => {
  const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`cp: ${stderr}`)
}

/** The database that all others are copies of. */
const template = 'migrated'

/** A separate PostgreSQL from the installed binaries, on a Unix socket in a temporary folder, deleted when stopped. */
export const startPostgres = async (): Promise<TestPostgres> => {
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
  const options = `-k ${dir} -h '' -c fsync=off -c synchronous_commit=off -c max_connections=60`
  const start = () => run('pg_ctl', ['-D', data, '-w', '-s', '-l', join(dir, 'log'), '-o', options, 'start'])
  const stop = (mode: string) => run('pg_ctl', ['-D', data, '-s', '-m', mode, 'stop'])
  const create = (name: string, ...more: string[]) =>
    run('createdb', ['-h', dir, '-U', 'hero', ...more, name])
  const urlOf = (name: string) => `postgres://hero@/${name}?host=${encodeURIComponent(dir)}`
  // A cluster belongs to a user and to a version of PostgreSQL.
  const kind = `postgres-${bin.split('/').at(-2)}-${user?.uid ?? userInfo().uid}`
  const kept = await keptMigrated(kind, async (path) => {
    run('initdb', ['-D', data, '-U', 'hero', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C'])
    start()
    create(template)
    await migrateAt(urlOf(template))
    stop('fast')
    copy(data, path)
  })
  if (!existsSync(data)) copy(kept, data)
  start()
  let count = 0
  return {
    newDatabase: (empty) => {
      const name = `hero${++count}`
      create(name, ...(empty ? [] : ['-T', template]))
      return urlOf(name)
    },
    stop: () => {
      stop('immediate')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
