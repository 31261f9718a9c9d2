import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

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

const fail = (message: string): never => {
  console.error(`bench: ${message}`)
  process.exit(1)
}

const read = () => {
  try {
    return parseArgs({ allowPositionals: true, options: { save: { type: 'string' } } })
  } catch (error) {
    return fail(`${(error as Error).message}\nusage: npm run bench -- [NAME…] [--save FILE]`)
  }
}
const { positionals: asked, values } = read()
const unknown = asked.find((name) => !benches.includes(name))
if (unknown !== undefined) fail(`${unknown} is none; there are ${benches.join(', ')}`)
const env = { ...process.env, ...(values.save !== undefined && { BENCH_SAVE: resolve(values.save) }) }

const succeeds = (name: string) =>
  new Promise<boolean>((settle) => {
    const script = join(import.meta.dirname, `${name}.ts`)
    spawn(process.execPath, [script], { stdio: 'inherit', env }).once('close', (status) =>
      settle(status === 0),
    )
  })

const failed: string[] = []
for (const name of asked.length > 0 ? asked : benches) if (!(await succeeds(name))) failed.push(name)
if (failed.length > 0) fail(`${failed.join(', ')} did not finish`)
