import { askOnce, type Place } from './ask.ts'
import * as peers from './peers/configurations.ts'
import { freePort, generatorCore, type Running } from './processes.ts'
import { figures, heading, table, spreadText } from './report.ts'
import { takeTurns, untilSteady, type Contestant, type Results } from './round.ts'
import { compareWork, record, type Compared } from './same_work.ts'
import { Servers, versions, type Program } from './servers.ts'
import { identitySeen, small, tellHeldBack } from './wrk.ts'

interface Entry {
  readonly name: string
  readonly place: Place
  /** The processes whose processor time counts for this contestant. */
  readonly working: readonly Running[]
  /** A Lua file that makes the requests. */
  readonly script?: string
  /** The request to compare the work of the contestants. Default: one with only Host and Cookie. */
  readonly asking?: Compared['asking']
  readonly way?: Compared['way']
}

/** A figure that compares two contestants; a higher value is better for `name`. */
export interface Pairing {
  readonly figure: string
  readonly name: string
  readonly peer: string
}

/** Contestants that carry small requests to one upstream. */
export class Contest {
  readonly servers: Servers
  readonly upstream: Running
  /** Where the upstream listens in addition to its Unix socket. */
  readonly upstreamPort: number
  readonly #recorder: { close(): void }
  readonly #contestants: Contestant[] = []

  private constructor(servers: Servers, upstreamPort: number, recorder: { close(): void }) {
    this.servers = servers
    this.upstreamPort = upstreamPort
    this.upstream = servers.nginx(peers.upstream(servers.places, upstreamPort), generatorCore)
    this.#recorder = recorder
  }

  static async open(): Promise<Contest> {
    const servers = new Servers()
    return new Contest(servers, await freePort(), await record(servers.places))
  }

  /** Waits until the contestant carries requests, and compares its work once. */
  async add({ name, place, working, script, asking, way }: Entry): Promise<void> {
    await identitySeen(name, place)
    await compareWork({
      name,
      ask: (path, more) => askOnce(place, path, more),
      askUpstream: (path, more) => askOnce(this.servers.places.upstream, path, more),
      asking: asking ?? { headers: ['Host', place.host, 'Cookie', place.cookie] },
      way,
    })
    const load = { name, place, servers: working, upstream: this.upstream, script }
    this.#contestants.push({ name, measure: () => small(load) })
  }

  /** Runs all rounds and stops the servers. */
  async run(rounds: number): Promise<Results> {
    this.#recorder.close()
    const results = await takeTurns(this.#contestants, rounds, untilSteady)
    await this.servers.stop()
    return results
  }

  /** Prints everything of a finished run; `more` are figures beside the pairings. */
  report(
    bench: string,
    title: string,
    programs: readonly Program[],
    results: Results,
    pairings: readonly Pairing[],
    more: Readonly<Record<string, number>>,
  ): void {
    const names = this.#contestants.map(({ name }) => name)
    heading(title, versions(...programs))
    table([
      ['', 'requests/s', 'µs on the processor', 'MB', 'server %', 'wrk %', 'upstream %', 'upstream waits µs'],
      ...names.map((name) => [
        name,
        ...['rate', 'cpu', 'resident', 'served', 'generated', 'upstream', 'waited'].map((figure) =>
          spreadText(results.of(name, figure)),
        ),
      ]),
    ])
    tellHeldBack(results, names)
    figures(bench, { ...comparisons(results, pairings), ...more }, results)
  }
}

/** Prints each pairing by rate and by processor time and says which counts; returns the figures. */
export const comparisons = (results: Results, pairings: readonly Pairing[]): Record<string, number> => {
  if (pairings.length === 0) return {}
  console.log('')
  table([
    ['', 'counts', 'by', 'by rate', 'by processor time'],
    ...pairings.map(({ figure, name, peer }) => {
      const counted = results.compare(name, peer)
      return [
        `${name} : ${peer} (${figure})`,
        spreadText(counted),
        counted.by,
        spreadText(results.ratio(name, peer)),
        spreadText(results.ratio(peer, name, 'cpu')),
      ]
    }),
  ])
  return Object.fromEntries(
    pairings.flatMap(({ figure, name, peer }) => [
      [figure, results.compare(name, peer).median],
      [`cpu_${figure}`, results.ratio(peer, name, 'cpu').median],
    ]),
  )
}
