import { spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { changes, described, worsened } from './gate.ts'
import { readSaved } from './report.ts'

/** Every measurement, in the order in which all of them run. */
const benches = [
  'start',
  'rpc',
  'edge',
  'browser',
  'forward_auth',
  'behind',
  'tls',
  'routes',
  'latency',
  'bodies',
  'websockets',
  'workers',
  'claims',
  'login',
  'tokens',
  'providers',
]

const usage = `usage: npm run bench -- [NAME…] [--save FILE]
       npm run bench -- gate FILE [NAME…] [--save NEW]

Measures everything, or what is named: ${benches.join(', ')}.
gate measures what FILE holds, or what is named of it, compares the figures with those in FILE, names each that got worse by more
than 10 %, and exits with 1 if there is one. It compares ratios (medians of paired rounds) and memory.

  --save FILE   keep tables and figures as JSON; what FILE holds of other measurements stays
  --help        this text

BENCH_ROUNDS sets how many rounds everybody takes part in, BENCH_WARM how many seconds everybody may warm up at most, and CPU_PROF the
folder where every daemon writes a processor profile. docs/performance.md describes each measurement.`

const fail = (message: string): never => {
  console.error(`bench: ${message}`)
  process.exit(1)
}

const parsed = () => {
  try {
    const options = { save: { type: 'string' }, help: { type: 'boolean' } } as const
    return parseArgs({ allowPositionals: true, options })
  } catch (error) {
    return fail(`${(error as Error).message}\n${usage}`)
  }
}

/** What a file holds; ends with one line where it cannot be read. */
const savedIn = (file: string) => {
  try {
    return readSaved(file)
  } catch (error) {
    return fail((error as Error).message)
  }
}

const { positionals, values } = parsed()
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const gated = positionals[0] === 'gate'
const [baseline, ...names] = gated ? positionals.slice(1) : ['', ...positionals]
if (baseline === undefined) fail(`gate needs the file of an earlier run\n${usage}`)
const unknown = names.find((name) => !benches.includes(name))
if (unknown !== undefined) fail(`there is no measurement ${unknown}; there are ${benches.join(', ')}`)

const before = gated ? savedIn(baseline!) : {}
const missing = names.find((name) => gated && !(name in before))
if (missing !== undefined) fail(`${baseline} holds no figures of ${missing}`)
const kept = benches.filter((name) => name in before)
if (gated && kept.length === 0) fail(`${baseline} holds no measurement that there is`)
const measured = names.length > 0 ? names : gated ? kept : benches

const save = values.save === undefined ? undefined : resolve(values.save)
if (save !== undefined && !existsSync(dirname(save))) fail(`there is no folder ${dirname(save)}`)
if (save !== undefined && existsSync(save)) savedIn(save)
// The gate compares what this run wrote, never what a file held of an earlier one.
const fresh = join(tmpdir(), `hp-bench-gate-${process.pid}.json`)
const files = [save, gated ? fresh : undefined].filter((file) => file !== undefined)

const succeeds = (name: string) =>
  new Promise<boolean>((settle) => {
    const script = join(import.meta.dirname, `${name}.ts`)
    const env = { ...process.env, BENCH_SAVE: files.join('\n') }
    spawn(process.execPath, [script], { stdio: 'inherit', env }).once('close', (status) =>
      settle(status === 0),
    )
  })

const failed: string[] = []
for (const name of measured) if (!(await succeeds(name))) failed.push(name)
if (failed.length > 0) fail(`${failed.join(', ')} did not finish`)
if (gated) {
  const all = changes(before, existsSync(fresh) ? savedIn(fresh) : {}, measured)
  rmSync(fresh, { force: true })
  console.log(`\nCompared with ${baseline}`)
  for (const change of all) console.log(described(change))
  const worse = worsened(all)
  if (worse.length > 0) fail(`worse by more than 10 %:\n${worse.map(described).join('\n')}`)
}
