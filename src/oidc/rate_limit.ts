import { networkOf } from '../contract/networks.ts'
import { now } from '../storage/ids.ts'

/** Counts what strangers have us do, by their network and altogether, in this process: so often in a minute and no more. */
export class PerMinute {
  readonly #ofNetwork: number
  readonly #ofAll: number
  #minute = 0
  #all = 0
  #counts = new Map<string, number>()

  constructor(ofNetwork: number, ofAll = Infinity) {
    this.#ofNetwork = ofNetwork
    this.#ofAll = ofAll
  }

  /** Counts one more; false where that is too many. */
  allows(address: string | undefined): boolean {
    const minute = Math.floor(now() / 60)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#all = 0
      this.#counts = new Map()
    }
    const network = networkOf(address) ?? ''
    const of = this.#counts.get(network) ?? 0
    if (of >= this.#ofNetwork || this.#all >= this.#ofAll) return false
    this.#counts.set(network, of + 1)
    this.#all++
    return true
  }
}
