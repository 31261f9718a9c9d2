import type { Seal } from '../secrets/seal.ts'
import { newId, now } from '../storage/ids.ts'
import type { Destination, Destinations } from './destination.ts'

/** Seconds within which a browser goes on to the next host. */
const passageSeconds = 300
const row = 'handover.passage'

/** An arrival that goes on through the hosts that its route names in `also`. */
export interface Passage {
  /** The children that it opens share this, live and end together. */
  readonly id: string
  readonly signInId: string
  /** The page that was asked for. */
  readonly to: string
  /** The hosts that it still has to pass, the next one first. */
  readonly left: readonly string[]
}

/** Leads browsers through the hosts at which people are signed in together. Nobody else can read or make the way. */
export class Passages {
  readonly #seal: Seal
  readonly #destinations: Destinations

  constructor(seal: Seal, destinations: Destinations) {
    this.#seal = seal
    this.#destinations = destinations
  }

  /** Begins the passage of an arrival. Undefined if its route names no host at which people sign in. */
  async begin(signInId: string, { origin, path, host, plan }: Destination): Promise<Passage | undefined> {
    const left: string[] = []
    for (const other of plan.route.also)
      if (other !== host && (await this.#destinations.at(other, '/'))) left.push(other)
    return left.length === 0 ? undefined : { id: newId(), signInId, to: origin + path, left }
  }

  read(text: string | null): Passage | undefined {
    if (text === null || text === '') return undefined
    try {
      const { until, ...passage } = JSON.parse(this.#seal.open(text, row)) as Passage & { until: number }
      return until > now() ? passage : undefined
    } catch {
      return undefined
    }
  }

  /** Returns the address of the next host or, after the last one, of the page that was asked for. */
  async onward({ left, ...passage }: Passage): Promise<string> {
    const [host, ...rest] = left
    if (host === undefined) return passage.to
    const next = await this.#destinations.at(host, '/')
    if (!next) return this.onward({ ...passage, left: rest })
    const text = this.#seal.seal(JSON.stringify({ ...passage, left, until: now() + passageSeconds }), row)
    return `${next.origin}/.hero_proxy/sign_in?passage=${encodeURIComponent(text)}`
  }

  /** The same, without the host at which the browser is now. */
  past({ left, ...passage }: Passage): Promise<string> {
    return this.onward({ ...passage, left: left.slice(1) })
  }
}
