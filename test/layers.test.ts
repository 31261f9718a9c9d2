import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const rows: readonly (readonly string[])[] = [
  ['ground'],
  ['wire'],
  [
    'users',
    'groups',
    'roles',
    'claims',
    'credentials',
    'factors',
    'sessions',
    'routes',
    'settings',
    'audit',
    'health',
    'services',
    'keys',
    'tls',
    'mail',
    'clients',
    'token',
    'providers',
  ],
  ['auth', 'oidc'],
  ['federation'],
  ['rpc', 'edge'],
  ['app'],
  ['top'],
]

const top = new Set(['app.ts', 'instance.ts', 'main.ts', 'worker.ts', 'worker_link.ts', 'workers.ts'])

const ground = new Set(['config', 'contract', 'storage'])

/** The folder that a file of src/ counts to; the files beside the folders count to the ground. */
const folderOf = (file: string): string => {
  const [, folder = '', inside] = file.split('/')
  if (inside === undefined) return top.has(folder) ? 'top' : 'ground'
  return ground.has(folder) ? 'ground' : folder
}
const rowOf = (folder: string) => rows.findIndex((row) => row.includes(folder))

/** Every file that a file names in import or export … from, in import() and in new URL: types count too. */
const importsOf = (file: string): string[] =>
  [
    ...readFileSync(join(root, file), 'utf8').matchAll(
      /(?:from|import|import\(|new URL\()\s*['"`](\.[^'"`]+)/g,
    ),
  ].map(([, path]) => normalize(join(dirname(file), path!)))

test('imports in src/ point down only, and folders of one row do not know each other', () => {
  const files = globSync('src/**/*.ts', { cwd: root })
  assert.ok(files.length > 80)
  for (const file of files) {
    const from = folderOf(file)
    assert.ok(rowOf(from) >= 0, `${file}: the folder ${from} has no row here`)
    for (const path of importsOf(file)) {
      if (path.startsWith('sdk/') || path === 'package.json') continue
      assert.ok(path.startsWith('src/'), `${file} imports ${path}`)
      const to = folderOf(path)
      assert.ok(to === from || rowOf(to) < rowOf(from), `${file} imports ${path}: ${from} may not know ${to}`)
    }
  }
})

test('sdk/ imports nothing outside sdk/ but Node itself and jose', () => {
  for (const file of globSync('sdk/**/*.ts', {
    cwd: root,
    exclude: ['sdk/dist/**', 'sdk/node_modules/**'],
  })) {
    for (const path of importsOf(file)) assert.ok(path.startsWith('sdk/'), `${file} imports ${path}`)
    for (const [, name] of readFileSync(join(root, file), 'utf8').matchAll(
      /^(?:import|export) .*from '([^.'][^']*)'/gm,
    ))
      assert.match(name!, /^(node:|jose$)/, `${file} imports ${name}`)
  }
})
