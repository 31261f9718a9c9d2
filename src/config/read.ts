import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { parse as parseToml } from 'smol-toml'
import { ConfigError, type Config } from './config.ts'
import { settings } from './table.ts'

export const flagOf = (name: string) => `--${name.replaceAll('_', '-')}`

const readSecretFile = (source: string, path: string) => {
  try {
    if ((statSync(path).mode & 0o077) !== 0)
      throw new ConfigError(`${source}: ${path} is readable by others; chmod 600 it`)
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`${source}: cannot read ${path} (${(error as NodeJS.ErrnoException).code})`)
  }
}

const readFile = (path: string): Record<string, unknown> => {
  let text
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new ConfigError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  // Load the parser only if needed: most installations have no such file.
  const { parse } = createRequire(import.meta.url)('smol-toml') as { parse: typeof parseToml }
  let file
  try {
    file = parse(text)
  } catch (error) {
    throw new ConfigError(`${path}: ${(error as Error).message.split('\n')[0]}`)
  }
  const unknown = Object.keys(file).find((key) => !settings.some(({ name }) => name === key))
  if (unknown !== undefined) {
    throw new ConfigError(
      `${path}: ${unknown} is not a setting; allowed: ${settings.map(({ name }) => name).join(', ')}`,
    )
  }
  return file
}

const fromFile = (value: unknown) =>
  typeof value === 'string' ? value : Array.isArray(value) ? value.join(',') : JSON.stringify(value)

/**
 * Reads the configuration. Flags override the environment, the environment overrides `hero_proxy.toml` in the data
 * directory, and the file overrides defaults. Throws {@link ConfigError} with one line that names the setting, the
 * value and what is allowed.
 */
export const readConfig = (
  flags: Readonly<Record<string, string | undefined>>,
  env: Readonly<Record<string, string | undefined>>,
): Config => {
  const config: Record<string, unknown> = {}
  let file: Record<string, unknown> = {}

  const find = (row: (typeof settings)[number]): { source: string; text: string } | undefined => {
    const flag = flags[row.name]
    if (flag !== undefined) return { source: flagOf(row.name), text: flag }
    for (const name of row.env) {
      const text = env[name]
      if (text !== undefined && text !== '') return { source: name, text }
      const path = env[`${name}_FILE`]
      if (path !== undefined && path !== '')
        return { source: `${name}_FILE`, text: readSecretFile(`${name}_FILE`, path) }
    }
    const value = file[row.name]
    return value === undefined ? undefined : { source: `hero_proxy.toml: ${row.name}`, text: fromFile(value) }
  }

  for (const row of settings) {
    const found = find(row)
    const value = found ? row.parse(found.text) : row.default(config)
    if (found && value === undefined) {
      const shown = 'secret' in row ? 'the given value (not shown)' : JSON.stringify(found.text)
      throw new ConfigError(`${found.source}: ${shown} is not allowed; allowed: ${row.allowed}`)
    }
    config[row.name] = value
    // The data directory comes first, because the file with all other settings is in it.
    if (row.name === 'data_dir') file = readFile(join(config.data_dir as string, 'hero_proxy.toml'))
  }
  if (file.data_dir !== undefined)
    throw new ConfigError('hero_proxy.toml: data_dir cannot be set by a file inside it')
  return config as unknown as Config
}
