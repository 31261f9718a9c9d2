import { statSync } from 'node:fs'
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { join } from 'node:path'
import type { Command } from 'commander'
import { ConfigError, type Config } from '../../src/config/config.ts'
import { flagOf, readConfig } from '../../src/config/read.ts'
import { settings } from '../../src/config/table.ts'
import { listeningPort } from '../../src/start/listening_port.ts'
import { takePassedSockets, type PassedSockets } from '../../src/start/passed_sockets.ts'
import { createLog, type Log } from '../../src/log/log.ts'
import { version } from '../../src/version.ts'

const printStarted = (
  { socketPath, setupLink }: { socketPath: string; setupLink: string | undefined },
  door: string,
  bound: string,
) => {
  const lines = [
    `hero_proxy ${version} is running`,
    '',
    `  door    ${door}  (${bound})`,
    `  socket  ${socketPath}`,
  ]
  const { hostname, protocol, port } = new URL(door)
  const reached = port || (protocol === 'https:' ? '443' : '80')
  // A wrong public address is noticed late, when a user gets a mail with a broken link.
  if (hostname === 'localhost' && reached !== bound.split(':').at(-1))
    lines.push(
      '',
      `  Links begin with ${door}. If users reach this server at another address, set --public-url.`,
    )
  if (setupLink !== undefined) {
    lines.push(
      '',
      '  There is no administrator yet. This link creates the first one. It works once, within 24 hours:',
      `  ${setupLink}`,
    )
  }
  console.log(`${lines.join('\n')}\n`)
}

/** Reads the configuration with the port that the edge will really have, which the default of the public URL follows. */
const readConfigFor = async (
  passed: PassedSockets,
  flags: Readonly<Record<string, string | undefined>>,
): Promise<Config> => {
  const config = readConfig(flags, process.env)
  const { host } = config.listen
  const port = await listeningPort(config, passed).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(`cannot listen on ${host}: ${error.code}`)
  })
  if (port === config.listen.port) return config
  const listen = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return readConfig({ ...flags, listen }, process.env)
}

export const addServeCommand = (program: Command): void => {
  const command = program
    .command('serve')
    .description(
      'run the daemon in the foreground; SIGTERM or Ctrl-C stops it after open requests have finished',
    )
  for (const { name, meaning, allowed, default_text, ...rest } of settings) {
    if ('no_flag' in rest) continue
    command.option(`${flagOf(name)} <value>`, `${meaning} (${allowed}; default ${default_text})`)
  }
  command.addHelpText(
    'after',
    '\nEvery setting can also be in the environment or in hero_proxy.toml; docs/reference/configuration.md lists them.',
  )
  command.action(async (flags: Record<string, string>) => {
    const byName = Object.fromEntries(settings.map(({ name }) => [name, flags[camel(name)]]))
    const passed = takePassedSockets(process.env)
    const config = await readConfigFor(passed, byName)
    enableDataCompileCache(config.data_dir)
    const { startDaemon } = await import('../../src/main.ts')
    const log = createLog(config.log_level)
    const daemon = await startDaemon(config, log, passed).catch((error: Error) => {
      throw new ConfigError(oneLine(error))
    })
    stopOnSignal(() => daemon.close())
    renewOnSignal(() => daemon.renew(), log)
    // Print last: a program that reads these lines may send a signal at once.
    printStarted(daemon, config.public_url, `${daemon.edge.host}:${daemon.edge.port}`)
  })
}

/** If we cannot write to the folder of the program, keeps compiled code with the data, unless others can write there. */
const enableDataCompileCache = (dataDir: string) => {
  if (getCompileCacheDir() !== undefined) return
  const folder = statSync(dataDir, { throwIfNoEntry: false })
  if (folder && folder.uid === process.getuid!() && (folder.mode & 0o077) === 0)
    enableCompileCache(join(dataDir, 'compiled'))
}

const camel = (name: string) => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const oneLine = (error: Error) => error.message.split('\n')[0]!

const stopOnSignal = (close: () => Promise<void>) => {
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // A second signal stops at once.
      if (stopping) process.exit(1)
      stopping = true
      void close().then(
        () => process.exit(0),
        (error: Error) => {
          console.error(`hero-proxy: stopping failed: ${error.message}`)
          process.exit(1)
        },
      )
    })
  }
}

const renewOnSignal = (renew: () => Promise<void>, log: Log) => {
  // At a terminal, SIGHUP means that the terminal is gone, and ends this program like any other.
  if (process.stdin.isTTY) return
  process.on('SIGHUP', () => {
    renew().catch((error: Error) => log.warn({ error: error.message }, 'SIGHUP'))
  })
}
