import { request } from 'node:http'
import type { Place } from './daemon.ts'
import { eventually, output, pathOf, spentByEnded, type Running } from './processes.ts'
import type { Contestant, Measured, Results } from './round.ts'

/** Asks once over a connection of its own; the status and the body. */
export const askOnce = ({ port, host, cookie }: Place, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { host, cookie }
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(`${response.statusCode} ${text}`))
    })
    asked.on('error', reject)
    asked.end()
  })

/** Waits until the upstream sees the identity through this door: the proof that everybody does the same work. */
export const identitySeen = (name: string, place: Place): Promise<void> =>
  eventually(async () => {
    const seen = await askOnce(place, '/seen')
    if (!/^200 ada .*wiki\.pages\.write/.test(seen)) throw new Error(`${name}: the upstream saw ${seen}`)
  })

const numberIn = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN)
const milliseconds = (text: string, percent: string) => {
  const [, value, unit] = new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s)`).exec(text) ?? []
  return Number(value) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's']
}

interface Load {
  readonly name: string
  readonly place: Place
  /** Everything that works for the answer, the upstream apart. */
  readonly servers: readonly Running[]
  readonly upstream: Running
  readonly connections?: number
  readonly core?: string
}

/**
 * Two seconds of small GETs over kept connections. `served` and `generated` are the share of one core that the servers
 * had, and that generator and upstream had together.
 */
export const small = async (load: Load): Promise<Measured> => {
  const { name, place, servers, upstream, connections = 32, core } = load
  const served = () => servers.reduce((sum, server) => sum + server.cpu(), 0)
  const counts = () => [served(), spentByEnded(), upstream.cpu(), performance.now() * 1000]
  const before = counts()
  const fields = ['-H', `Host: ${place.host}`, '-H', `Cookie: ${place.cookie}`]
  const options = ['-t1', `-c${connections}`, '-d2s', '--latency', ...fields]
  const text = await output(pathOf('wrk')!, [...options, `http://127.0.0.1:${place.port}/`], core)
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`${name}: ${text}`)
  const [cpu, generator, answering, elapsed] = counts().map((count, i) => count - before[i]!)
  return {
    rate: numberIn(text, /Requests\/sec:\s+([\d.]+)/),
    cpu: cpu! / numberIn(text, /(\d+) requests in/),
    p50: milliseconds(text, '50'),
    p99: milliseconds(text, '99'),
    resident: servers[0]!.resident(),
    served: (100 * cpu!) / elapsed!,
    generated: (100 * generator!) / elapsed!,
    upstream: (100 * answering!) / elapsed!,
  }
}

export const underLoad = async (load: Load): Promise<Contestant> => {
  await identitySeen(load.name, load.place)
  return { name: load.name, measure: () => small(load) }
}

/** Below this share of its core, in percent, something else than the server set the pace. */
const busyFrom = 85

/** Says whose rate tells little: where the generator's core was the limit, or other work on the machine took from both. */
export const tellHeldBack = (results: Results, names: readonly string[]): void => {
  const busy = (name: string, figure: string) => results.of(name, figure).median
  const idle = names.filter((name) => busy(name, 'served') < busyFrom)
  const generatorFull = (name: string) => busy(name, 'generated') + busy(name, 'upstream') >= busyFrom
  const tell = (what: string, whom: readonly string[]) => {
    if (whom.length > 0)
      console.log(`\n${what}: ${whom.join('; ')}. Compare the processor time, not the rate.`)
  }
  tell('The generator and the upstream were the limit', idle.filter(generatorFull))
  tell(
    'Neither core was busy, so the rate is that of other work or of waiting',
    idle.filter((name) => !generatorFull(name)),
  )
}
