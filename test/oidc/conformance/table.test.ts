import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { conformanceModules } from './modules.ts'

test('each module of the conformance suite has exactly one test of its name, and none is skipped', () => {
  const { basic, config, rpInitiatedLogout, backchannelLogout } = conformanceModules
  assert.deepEqual(
    [basic, config, rpInitiatedLogout, backchannelLogout].map(({ length }) => length),
    [38, 1, 11, 2],
  )
  const cwd = join(import.meta.dirname, '..')
  const source = globSync('**/*.test.ts', { cwd })
    .map((name) => readFileSync(join(cwd, name), 'utf8'))
    .join('\n')
  // A skipped or pending test has an argument between its name and its body, and does not match.
  const written = [...source.matchAll(/\btest\(\s*'(oidcc-[\w-]+)',\s*(?:async )?\(/g)].map(
    ([, name]) => name,
  )
  const wanted = Object.values(conformanceModules).flat()
  assert.deepEqual(written.toSorted(), wanted.toSorted())
})
