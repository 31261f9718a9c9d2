import { askOnce, type Place } from './ask.ts'
import { eventually, output, pathOf, spentByEnded, type Running } from './processes.ts'
import { busyFrom, type Contestant, type Measured, type Results } from './round.ts'

/** Waits until the upstream sees the identity of the user. */
export const identitySeen = (name: string, place: Place): Promise<void> =>
  eventually(async () => {
    const { status, body } = await askOnce(place, '/seen')
    if (status !== 200 || !/^ada .*wiki\.pages\.write/.test(body))
      throw new Error(`${name}: the upstream saw ${status} ${body}`)
  })

const numberIn = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN)

interface Load {
  readonly name: string
  readonly place: Place
  /** Everything that takes part in a response, except the upstream. */
  readonly servers: readonly Running[]
  readonly upstream: Running
  readonly connections?: number
  readonly core?: string
  /** A Lua file that makes the requests; without one they are GETs of `/` with Host and Cookie. */
  readonly script?: string
}

/**
 * Two seconds of requests over keep-alive connections.
 * `cpu` is the processor time of the servers per request, and `waited` the time that the upstream had no core, both in microseconds.
 * `served`, `generated` and `upstream` are percentages of one core.
 */
export const small = async (load: Load): Promise<Measured> => {
  const { name, place, servers, upstream, connections = 32, core, script } = load
  const served = () => servers.reduce((sum, server) => sum + server.cpu(), 0)
  const counts = () => [served(), spentByEnded(), upstream.cpu(), upstream.waited(), performance.now() * 1000]
  const fields = ['-H', `Host: ${place.host}`, '-H', `Cookie: ${place.cookie}`]
  const options = ['-t1', `-c${connections}`, '-d2s', ...(script === undefined ? fields : ['-s', script])]
  const before = counts()
  const text = await output(pathOf('wrk')!, [...options, `http://127.0.0.1:${place.port}/`], core)
  const [cpu, generator, answering, waiting, elapsed] = counts().map((count, i) => count - before[i]!)
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`${name}: ${text}`)
  const requests = numberIn(text, /(\d+) requests in/)
  return {
    rate: numberIn(text, /Requests\/sec:\s+([\d.]+)/),
    cpu: cpu! / requests,
    resident: servers[0]!.resident(),
    waited: waiting! / requests,
    served: (100 * cpu!) / elapsed!,
    generated: (100 * generator!) / elapsed!,
    upstream: (100 * answering!) / elapsed!,
  }
}

export const underLoad = async (load: Load): Promise<Contestant> => {
  await identitySeen(load.name, load.place)
  return { name: load.name, measure: () => small(load) }
}

/** Lists the contestants whose rate means little, because another part of the measurement or other work was the bottleneck. */
export const tellHeldBack = (results: Results, names: readonly string[]): void => {
  const busy = (name: string, figure: string) => results.of(name, figure).median
  const idle = names.filter((name) => busy(name, 'served') < busyFrom)
  const generatorFull = (name: string) => busy(name, 'generated') + busy(name, 'upstream') >= busyFrom
  const tell = (what: string, whom: readonly string[]) => {
    if (whom.length > 0) console.log(`\n${what}: ${whom.join('; ')}. Their ratios count by processor time.`)
  }
  tell('The core of the generator and the upstream was full', idle.filter(generatorFull))
  tell(
    'Neither core was busy, because other work ran or everybody waited',
    idle.filter((name) => !generatorFull(name)),
  )
}
