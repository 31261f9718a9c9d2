import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HeroProxy } from '../../sdk/index.ts'
import type { Config } from '../../src/config/config.ts'
import { readConfig } from '../../src/config/read.ts'
import { createLog } from '../../src/log/log.ts'
import { startDaemon, type Daemon } from '../../src/main.ts'
import { overwriteInbox } from '../../src/wire/parser.ts'
import { migratedFile } from './migrated.ts'
import { databaseFile } from '../../src/storage/open_database.ts'

export interface TestDaemon extends Daemon {
  /** The SDK as operator, over the socket. */
  readonly hero: HeroProxy
  readonly config: Config
  readonly dir: string
  /** Origin of the edge by address; use `at` for another host name. */
  readonly origin: string
  /** Log lines so far, as objects. */
  readonly logged: Record<string, unknown>[]
  /** Stops this daemon and starts another on the same folder and addresses, with these settings besides. */
  restart(changed?: Readonly<Record<string, string>>): Promise<TestDaemon>
}

interface Dispatcher {
  readonly constructor: new () => Dispatcher
  close(): Promise<void>
}
/** The symbol under which undici, which implements `fetch`, keeps its connections. */
const dispatcher = Symbol.for('undici.globalDispatcher.1')

/** Closes idle connections of fetch, because a stopping daemon waits a second for them. Active requests finish. */
const endKeptConnections = (): void => {
  const everywhere = globalThis as { [dispatcher]?: Dispatcher }
  const kept = everywhere[dispatcher]
  if (!kept) return
  everywhere[dispatcher] = new kept.constructor()
  void kept.close()
}

// Overwrites the inbox after use, so that code which keeps a view of it for too long reads garbage.
overwriteInbox()

/** Starts the whole daemon with a temporary folder, a real socket and a free port. `await using` or `close` stops it. */
export const startTestDaemon = async (
  settings: Readonly<Record<string, string | undefined>> = {},
  folder?: string,
): Promise<TestDaemon & AsyncDisposable> => {
  const dir = folder ?? mkdtempSync(join(tmpdir(), 'hp-'))
  const config = readConfig(
    {
      data_dir: join(dir, 'data'),
      socket_dir: join(dir, 's'),
      listen: '127.0.0.1:0',
      fast_lane: process.env.TEST_FAST_LANE,
      ...settings,
    },
    {},
  )
  const file = databaseFile(config.database_url)
  if (folder === undefined && file?.startsWith(config.data_dir) === true) {
    mkdirSync(config.data_dir, { mode: 0o700 })
    copyFileSync(await migratedFile(), file)
  }
  const logged: Record<string, unknown>[] = []
  const log = createLog('debug', {
    write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>),
  })
  const daemon = await startDaemon(config, log)
  const hero = new HeroProxy({ socket: daemon.socketPath })
  let closed = false
  const close = async (keep = false) => {
    if (closed) return
    closed = true
    hero.close()
    endKeptConnections()
    await daemon.close()
    if (!keep) rmSync(dir, { recursive: true, force: true })
  }
  return {
    ...daemon,
    hero,
    config,
    dir,
    logged,
    origin: `http://127.0.0.1:${daemon.edge.port}`,
    close,
    restart: async (changed = {}) => {
      await close(true)
      const { public_url } = config
      return startTestDaemon(
        { public_url, ...settings, ...changed, listen: `127.0.0.1:${daemon.edge.port}` },
        dir,
      )
    },
    [Symbol.asyncDispose]: close,
  }
}

/** A password that every check accepts. */
export const goodPassword = 'mosaic-lantern-42-orbit'
