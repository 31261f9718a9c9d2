import { spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { changes, confirmed, described, worsened, type Change } from './gate.ts'
import { readSaved } from './report.ts'

/** All measurements, in the order in which they run. */
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
  'growth',
  'login',
  'handover',
  'tokens',
  'rules',
  'providers',
]

const usage = `usage: npm run bench -- [NAME…] [--save FILE]
       npm run bench -- gate FILE [NAME…] [--save NEW]

Measures everything, or what is named: ${benches.join(', ')}.
gate measures what FILE holds, or what is named of it, and compares the figures with those in FILE: ratios (medians of paired
rounds) and memory. It measures again what got worse by more than 10 %, names the figures that were worse both times, and exits with 1
if there are any.

  --save FILE   keep tables and figures as JSON; what FILE holds of other measurements stays
  --help        this text

BENCH_ROUNDS sets the number of rounds, BENCH_WARM the longest warm-up in seconds, and CPU_PROF the folder where every daemon writes
a CPU profile. docs/operating/performance.md describes each measurement.`

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

/** Reads a file. Ends the program with a one-line message if it cannot be read. */
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

const succeeds = (name: string, files: readonly string[]) =>
  new Promise<boolean>((settle) => {
    const script = join(import.meta.dirname, `${name}.ts`)
    const env = { ...process.env, BENCH_SAVE: files.join('\n') }
    spawn(process.execPath, [script], { stdio: 'inherit', env }).once('close', (status) =>
      settle(status === 0),
    )
  })

const measure = async (those: readonly string[], ...files: readonly (string | undefined)[]) => {
  const failed: string[] = []
  const wanted = files.filter((file) => file !== undefined)
  for (const name of those) if (!(await succeeds(name, wanted))) failed.push(name)
  if (failed.length > 0) fail(`${failed.join(', ')} did not finish`)
}

/** Measures and compares with the file of the earlier run. It uses a separate file, because `save` may have figures of other runs. */
const compared = async (those: readonly string[]): Promise<Change[]> => {
  const file = join(tmpdir(), `hp-bench-gate-${process.pid}.json`)
  await measure(those, save, file)
  const now = existsSync(file) ? savedIn(file) : {}
  rmSync(file, { force: true })
  const all = changes(before, now, those)
  console.log(`\nCompared with ${baseline}`)
  for (const change of all) console.log(described(change))
  return all
}

if (gated) {
  const first = await compared(measured)
  const suspects = [...new Set(worsened(first).map(({ bench }) => bench))]
  if (suspects.length > 0) console.log(`\nMeasuring again what got worse: ${suspects.join(', ')}`)
  const worse = suspects.length > 0 ? confirmed(first, await compared(suspects)) : []
  if (worse.length > 0) fail(`worse by more than 10 %, twice:\n${worse.map(described).join('\n')}`)
} else await measure(measured, save)
