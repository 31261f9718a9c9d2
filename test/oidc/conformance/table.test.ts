import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { conformanceModules } from './modules.ts'

test('every module of the conformance suite is a test of its name, once, and none is skipped', () => {
  const { basic, config, rpInitiatedLogout, backchannelLogout } = conformanceModules
  assert.deepEqual(
    [basic, config, rpInitiatedLogout, backchannelLogout].map(({ length }) => length),
    [38, 1, 11, 2],
  )
  const cwd = join(import.meta.dirname, '..')
  const source = globSync('**/*.test.ts', { cwd })
    .map((name) => readFileSync(join(cwd, name), 'utf8'))
    .join('\n')
  // A test that may be skipped or left for later has something between its name and its body.
  const written = [...source.matchAll(/\btest\(\s*'(oidcc-[\w-]+)',\s*(?:async )?\(/g)].map(
    ([, name]) => name,
  )
  const wanted = Object.values(conformanceModules).flat()
  assert.deepEqual(written.toSorted(), wanted.toSorted())
})
