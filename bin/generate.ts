// Generates openrpc.json, sdk/methods.ts, and the tables and pictures of the documentation from the method list, the table of
// settings, the list of our own paths and the description of the flows.
// With --check it writes nothing, and fails if a committed file differs.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../src/app/app.ts'
import { flagOf, readConfig } from '../src/config/read.ts'
import { settings } from '../src/config/table.ts'
import { Counters, noWorkers } from '../src/metrics/counters.ts'
import { authModes } from '../src/routes/auth_modes.ts'
import { createLog } from '../src/log/log.ts'
import { Seal } from '../src/secrets/seal.ts'
import type { OwnPath } from '../src/wire/own_path.ts'
import { definitions } from '../src/settings/definitions.ts'
import { drawFlow } from './generate/flow_picture.ts'
import { flows } from './generate/flows.ts'
import { methodFiles } from './generate/method_files.ts'
import { printSdk, type OpenRpc } from './generate/sdk.ts'
import { openDatabase } from '../src/storage/open_database.ts'

const root = join(import.meta.dirname, '..')
const check = process.argv.includes('--check')

const readApp = async (): Promise<{ document: string; ownPaths: readonly OwnPath[] }> => {
  const dir = mkdtempSync(join(tmpdir(), 'hero_proxy-generate-'))
  const config = readConfig({ data_dir: dir }, {})
  const log = createLog('silent')
  const database = await openDatabase(config.database_url, log)
  try {
    const counters = new Counters(noWorkers)
    const { document, ownPaths } = createApp(config, database, new Seal('x'.repeat(32)), log, counters)
    return { document: document(), ownPaths: ownPaths.list }
  } finally {
    await database.close()
    rmSync(dir, { recursive: true })
  }
}

const row = (...cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`

const configurationTable = () =>
  [
    row('setting', 'flag', 'environment', 'default', 'meaning; allowed'),
    row('---', '---', '---', '---', '---'),
    ...settings.map(({ name, env, default_text, meaning, allowed, ...rest }) =>
      row(
        `\`${name}\``,
        'no_flag' in rest ? '—' : `\`${flagOf(name)}\``,
        env.map((variable) => `\`${variable}\``).join(' '),
        default_text.startsWith('none') || default_text.startsWith('made')
          ? default_text
          : `\`${default_text}\``,
        `${meaning}; ${allowed}`,
      ),
    ),
  ].join('\n')

const runtimeTable = () =>
  [
    row('key', 'default', 'meaning; allowed'),
    row('---', '---', '---'),
    ...Object.entries(definitions).map(([key, { default: value, description, allowed }]) =>
      row(`\`${key}\``, `\`${String(value)}\``, `${description}; ${allowed}`),
    ),
  ].join('\n')

const ruleText = (rule: null | 'self' | readonly string[]) =>
  rule === null
    ? 'anyone'
    : rule === 'self'
      ? 'any authenticated caller'
      : rule.map((claim) => `\`${claim}\``).join(' or ')

const methodTable = ({ methods }: OpenRpc) => {
  const files = methodFiles(
    root,
    methods.map(({ name }) => name),
  )
  return [
    row('method', 'parameters', 'what it does', 'who may call it', 'file'),
    row('---', '---', '---', '---', '---'),
    ...methods.map(({ name, params, summary, 'x-required-claim': rule, 'x-aliases': aliases = [] }) =>
      row(
        [`\`${name}\``, ...aliases.map((alias) => `(old: \`${alias}\`)`)].join(' '),
        params.map((param) => `\`${param.name}${param.required ? '' : '?'}\``).join(' '),
        summary,
        ruleText(rule),
        `[${files.get(name)!.slice('src/'.length)}](../${files.get(name)})`,
      ),
    ),
  ].join('\n')
}

const methodsText = ({ methods, takes, handler, otherMethods }: OwnPath): string => {
  if (methods.length === 0) return handler === undefined ? 'none' : 'every method'
  const takesWhat = takes === undefined ? '' : takes === 'json' ? ' (JSON)' : ' (form)'
  const named = methods.map((name) => `${name}${name === 'POST' ? takesWhat : ''}`)
  const answered = handler === undefined ? named.map((name) => `${name}: 404`) : named
  return [...answered, ...(otherMethods === 'route' ? ['others: the route'] : [])].join(', ')
}

/** A line for each path and the hosts that it counts at. */
const ownPathTable = (list: readonly OwnPath[]) => {
  const lines = Map.groupBy(list, ({ path, at }) => `${path} ${at.join(', ')}`)
  return [
    row('path', 'hosts', 'methods'),
    row('---', '---', '---'),
    ...[...lines]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, rows]) => {
        const [{ path, at }] = rows as [OwnPath]
        return row(`\`${path}\``, at.join(', '), [...new Set(rows.map(methodsText))].join(', '))
      }),
  ].join('\n')
}

const authModeTable = () =>
  [
    row('`auth_mode`', 'what counts', 'without it'),
    row('---', '---', '---'),
    ...Object.entries(authModes).map(([mode, { credentials, without }]) =>
      row(`\`${mode}\``, credentials.join(', '), without),
    ),
  ].join('\n')

/** Puts a table between the two comments that name it. */
const withTable = (file: string, name: string, table: string): string => {
  const begin = `<!-- generated: ${name} -->`
  const end = `<!-- end: ${name} -->`
  const from = file.indexOf(begin)
  const to = file.indexOf(end)
  if (from < 0 || to < from) throw new Error(`no comments mark the place of the table "${name}"`)
  return `${file.slice(0, from + begin.length)}\n\n${table}\n\n${file.slice(to)}`
}

const read = (path: string) => readFileSync(join(root, path), 'utf8')

const { document, ownPaths } = await readApp()
const openrpc = JSON.parse(document) as OpenRpc
const configuration = withTable(
  read('docs/reference/configuration.md'),
  'configuration',
  configurationTable(),
)
const files: Record<string, string> = {
  'openrpc.json': document,
  'sdk/methods.ts': printSdk(openrpc),
  'docs/reference/configuration.md': withTable(configuration, 'runtime settings', runtimeTable()),
  'docs/reference/routes.md': withTable(read('docs/reference/routes.md'), 'auth modes', authModeTable()),
  'docs/reference/own-paths.md': withTable(
    read('docs/reference/own-paths.md'),
    'own paths',
    ownPathTable(ownPaths),
  ),
  'docs/methods.md': withTable(read('docs/methods.md'), 'methods', methodTable(openrpc)),
  ...Object.fromEntries(flows.map((flow) => [`docs/pictures/flow_${flow.name}.svg`, drawFlow(flow)])),
}

const stale = Object.entries(files).filter(([path, text]) => {
  try {
    return read(path) !== text
  } catch {
    return true
  }
})
if (check && stale.length > 0) {
  console.error(`not up to date: ${stale.map(([path]) => path).join(', ')}; run \`npm run generate\``)
  process.exit(1)
}
for (const [path, text] of stale) {
  writeFileSync(join(root, path), text)
  console.log(`wrote ${path}`)
}
