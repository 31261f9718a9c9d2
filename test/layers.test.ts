import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')

/** The layers from the bottom up. An ordered one is a list of rows of its own: a later folder may import an earlier one. */
const ground =
  'strings node clock log metrics contract secrets config storage start wire upstream html'.split(' ')
const rooms =
  'users attributes pictures groups roles claims passwords attempts factors sessions token clients consents providers routes keys mail invitations audit settings services tls health'.split(
    ' ',
  )
const flows = ['identity', 'handover', 'auth', 'asking', 'federation', 'oidc', 'state']
const doors = ['rpc', 'edge', 'pages', 'mcp', 'rest', 'ops']
const rows: readonly (readonly string[])[] = [
  ...ground.map((folder) => [folder]),
  rooms,
  ...flows.map((folder) => [folder]),
  doors,
  ['app'],
  ['workers'],
  ['main.ts'],
]

/** The floors of the edge from the bottom up; its files beside the folders stand on all of them. */
const floors: readonly (readonly string[])[] = [
  ['serve'],
  ['forward'],
  ['decide'],
  ['forward_auth', 'route_test'],
  ['door_parts.ts'],
  ['door.ts', 'own_paths.ts', 'paths.ts'],
]

/** What every layer may import: it imports nothing itself. */
const everywhere = 'src/version.ts'

const files = globSync('src/**/*.ts', { cwd: root })

/** Every file that a file names in import or export … from, in import() and in new URL: types count too. */
const importsOf = (file: string): string[] =>
  [
    ...readFileSync(join(root, file), 'utf8').matchAll(
      /(?:from|import|import\(|new URL\()\s*['"`](\.[^'"`]+)/g,
    ),
  ].map(([, path]) => normalize(join(dirname(file), path!)).replace('${extname(import.meta.url)}', '.ts'))

const placeIn = (places: readonly (readonly string[])[], name: string) =>
  places.findIndex((place) => place.includes(name))

test('imports in src/ point down only, and folders of one row do not know each other', () => {
  assert.ok(files.length > 80)
  for (const file of files) {
    if (file === everywhere) continue
    const [, from = ''] = file.split('/')
    const row = placeIn(rows, from)
    assert.ok(row >= 0, `${file}: ${from} has no row here`)
    for (const path of importsOf(file)) {
      if (path.startsWith('sdk/') || path === 'package.json' || path === everywhere || path === 'src')
        continue
      assert.ok(path.startsWith('src/'), `${file} imports ${path}`)
      const [, to = ''] = path.split('/')
      assert.ok(to === from || placeIn(rows, to) < row, `${file} imports ${path}: ${from} may not know ${to}`)
    }
  }
})

test('imports in src/edge/ point down its floors only', () => {
  for (const file of files.filter((name) => name.startsWith('src/edge/'))) {
    const [, , from = ''] = file.split('/')
    const floor = placeIn(floors, from)
    assert.ok(floor >= 0, `${file}: ${from} has no floor here`)
    for (const path of importsOf(file)) {
      const [, room, to = ''] = path.split('/')
      if (room !== 'edge' || to === from) continue
      assert.ok(placeIn(floors, to) < floor, `${file} imports ${path}: ${from} may not know ${to}`)
    }
  }
})

test('no files of src/ import each other in a circle, types included', () => {
  const done = new Set<string>()
  const visit = (file: string, way: readonly string[]): void => {
    assert.ok(!way.includes(file), `a circle: ${[...way.slice(way.indexOf(file)), file].join(' → ')}`)
    if (done.has(file)) return
    for (const path of importsOf(file)) if (files.includes(path)) visit(path, [...way, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
})

test('no folder of src/ and test/ holds more than 30 files', () => {
  const counts = new Map<string, number>()
  for (const file of globSync(['src/**/*.*', 'test/**/*.*'], { cwd: root, exclude: ['test/corpora/**'] })) {
    const folder = dirname(file)
    if (/^src\/(strings|storage\/migrations)/.test(folder)) continue
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  for (const [folder, count] of counts) assert.ok(count <= 30, `${folder} holds ${count} files`)
})

/** A function that is assigned to a property of another object, and a field of a class that waits for one. */
const hooks = [
  /^\s*(?!this\.\w+ =)[a-z]\w*(\.\w+)+ = (async )?(\(.*\)|\w+) =>.*/gm,
  /^ {2}(?!readonly )[a-z]\w*(: .*)? = (async )?\(.*\) =>.*/gm,
]

test('nothing in src/ takes a hook that could be left out: functions come by constructors', () => {
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const hook of hooks) assert.deepEqual(text.match(hook) ?? [], [], file)
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
