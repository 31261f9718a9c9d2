import { networkOf } from '../contract/networks.ts'
import { now } from '../storage/ids.ts'

/** Limits how often strangers may trigger an action in a minute, per network and in total. It counts in this process only. */
export class MinuteLimit {
  readonly #maxOfNetwork: number
  readonly #max: number
  #minute = 0
  #total = 0
  #counts = new Map<string, number>()

  constructor(maxOfNetwork: number, max = Infinity) {
    this.#maxOfNetwork = maxOfNetwork
    this.#max = max
  }

  /** Counts one action. Returns false if it exceeds a limit. */
  count(address: string | undefined): boolean {
    const minute = Math.floor(now() / 60)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#total = 0
      this.#counts = new Map()
    }
    const network = networkOf(address) ?? ''
    const ofNetwork = this.#counts.get(network) ?? 0
    if (ofNetwork >= this.#maxOfNetwork || this.#total >= this.#max) return false
    this.#counts.set(network, ofNetwork + 1)
    this.#total++
    return true
  }
}
