import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { changes, confirmed, described, worsened } from '../../bench/gate.ts'
import type { Saved } from '../../bench/report.ts'

const run = join(import.meta.dirname, '..', '..', 'bench', 'run.ts')
const folder = mkdtempSync(join(tmpdir(), 'hp-gate-'))
after(() => rmSync(folder, { recursive: true }))

const saved = (figures: Record<string, number>): Saved => ({
  title: '',
  machine: '',
  tables: [],
  figures,
  contestants: {},
})

const bench = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [run, ...args], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

const file = (name: string, text: string) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

test('a figure is worse in its own direction, by more than a tenth', () => {
  const before = {
    edge: saved({ vs_nginx: 0.7, vs_caddy: 2, memory_mb: 100 }),
    behind: saved({ vs_direct: 1 }),
  }
  const now = {
    edge: saved({ vs_nginx: 0.6, vs_caddy: 1.9, memory_mb: 90 }),
    behind: saved({ vs_direct: 1.2 }),
  }
  const worse = worsened(changes(before, now, ['edge', 'behind']))
  assert.deepEqual(
    worse.map(({ figure }) => figure),
    ['vs_nginx', 'vs_direct'],
  )
  assert.equal(described(worse[1]!), 'behind vs_direct: 1 before, 1.2 now, 20 % worse')
})

test('a figure that is missing counts as worse', () => {
  const all = changes({ edge: saved({ vs_nginx: 0.7 }) }, { edge: saved({}) }, ['edge'])
  assert.deepEqual(worsened(all).map(described), ['edge vs_nginx: 0.7 before, not measured now'])
})

test('times in milliseconds and measurements that were not requested are ignored', () => {
  const before = { start: saved({ start_ms: 100, idle_mb: 90 }), edge: saved({ vs_nginx: 1 }) }
  const now = { start: saved({ start_ms: 400, idle_mb: 90 }), edge: saved({ vs_nginx: 0.1 }) }
  assert.deepEqual(worsened(changes(before, now, ['start'])), [])
})

test('a worse figure is reported only if a second run confirms it', () => {
  const before = { edge: saved({ vs_nginx: 1, vs_caddy: 1 }), tls: saved({ h2_vs_nginx: 1 }) }
  const first = changes(
    before,
    { edge: saved({ vs_nginx: 0.5, vs_caddy: 0.5 }), tls: saved({ h2_vs_nginx: 1 }) },
    ['edge', 'tls'],
  )
  const second = changes(before, { edge: saved({ vs_nginx: 0.95, vs_caddy: 0.5 }) }, ['edge'])
  assert.deepEqual(
    confirmed(first, second).map(({ figure }) => figure),
    ['vs_caddy'],
  )
})

test('--help lists each measurement and the gate', () => {
  const { status, stdout } = bench('--help')
  assert.equal(status, 0)
  assert.match(stdout, /gate FILE \[NAME…\][^]*\bbrowser, forward_auth, behind, tls\b/)
})

test('a missing, invalid or foreign file ends the gate with a one-line error', () => {
  const cases = [
    [join(folder, 'none.json'), /^bench: cannot read .*none\.json: ENOENT/],
    [file('broken.json', '{"edge":'), /^bench: .*broken\.json is not JSON: /],
    [file('other.json', '{"edge":1}'), /^bench: .*other\.json was not written by /],
    [file('empty.json', '{}'), /^bench: .*empty\.json holds no measurement /],
  ] as const
  for (const [path, expected] of cases) {
    const { status, stderr } = bench('gate', path)
    assert.equal(status, 1)
    assert.match(stderr, expected)
    assert.equal(stderr.trimEnd().split('\n').length, 1)
  }
})

test('an unknown measurement, and one that the file lacks, are reported', () => {
  const path = file('edge.json', JSON.stringify({ edge: saved({ vs_nginx: 1 }) }))
  assert.match(bench('gate', path, 'stream').stderr, /^bench: there is no measurement stream; /)
  assert.match(bench('gate', path, 'tls').stderr, /^bench: .*edge\.json holds no figures of tls/)
  assert.match(bench('gate').stderr, /^bench: gate needs the file of an earlier run/)
})

test('an invalid file for --save is reported before the measurement', () => {
  const { status, stdout, stderr } = bench('start', '--save', file('save.json', 'no'))
  assert.deepEqual([status, stdout], [1, ''])
  assert.match(stderr, /^bench: .*save\.json is not JSON: /)
})
