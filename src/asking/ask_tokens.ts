import type { Seal } from '../secrets/seal.ts'
import { now } from '../storage/ids.ts'

/** How long the page that offers to ask counts. What it says is judged again when the person asks. */
const lifetimeSeconds = 86_400
const row = 'ask tokens'

/** Says, on a page that refuses somebody, whom it refused and where. Nobody else can read it, and it counts for that person only. */
export class AskTokens {
  readonly #seal: Pick<Seal, 'seal' | 'open'>

  constructor(seal: Pick<Seal, 'seal' | 'open'>) {
    this.#seal = seal
  }

  issue(userId: string, place: string): string {
    return this.#seal.seal(JSON.stringify([userId, place, now()]), row)
  }

  /** Returns the place that refused this person; undefined for any other token. */
  read(token: string, userId: string): string | undefined {
    try {
      const [whom, place, at] = JSON.parse(this.#seal.open(token, row)) as [string, string, number]
      return whom === userId && at + lifetimeSeconds > now() ? place : undefined
    } catch {
      return undefined
    }
  }
}
