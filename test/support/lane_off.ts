import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'

const skip =
  process.env.TEST_FAST_LANE === 'off'
    ? 'the fast lane is off'
    : process.env.TEST_LONG !== '1' && 'TEST_LONG is not set'

/** Runs the test files of a folder again with the fast lane off, which takes most of a minute. At least `least` tests must pass. */
export const testWithLaneOff = (folder: string, suites: readonly string[], least: number): void =>
  void test('with the fast lane off, node:http and node:http2 pass the same tests', { skip }, async () => {
    const files = suites.map((name) => join(folder, `${name}.test.ts`))
    const env: NodeJS.ProcessEnv = { ...process.env, TEST_FAST_LANE: 'off' }
    // The test runner marks its children with this variable. A nested runner must not see it.
    delete env.NODE_TEST_CONTEXT
    const runner = spawn(process.execPath, ['--test', '--test-concurrency=1', ...files], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    runner.stdout.on('data', (text) => (output += String(text)))
    const [code] = await once(runner, 'close')
    assert.equal(code, 0, output.slice(-4000))
    assert.ok(Number(/pass (\d+)/.exec(output)?.[1]) >= least, output.slice(-400))
  })
