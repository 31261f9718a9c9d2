import type { PasskeyCodes } from '../factors/passkey_codes.ts'
import { notAlone, passkeyRefused } from '../factors/passkey_answers.ts'
import type { PasskeyAssertion, Passkeys } from '../factors/passkeys.ts'
import type { Home } from '../contract/home.ts'
import { digest } from '../secrets/digest.ts'
import type { Seal } from '../secrets/seal.ts'
import { now } from '../storage/ids.ts'

/** Seconds that a person has to use their passkey at the other host. */
const begunSeconds = 600
const row = 'auth.begun_proof'
/** It is part of an address, whose length is limited. Longer paths are forgotten. */
const maxPathLength = 6000

/** A passkey proof that began at home. */
interface Begun {
  /** The earlier host for which the passkey was made. */
  readonly host: string
  /** SHA-256 of the arrival cookie that the browser has at home, hex. */
  readonly arrivalHash: string
  /** What the proof is for. */
  readonly purpose: string
  /** The first step of a sign-in that this proof completes; empty for none. */
  readonly signIn: string
  /** Whether the person asks to stay signed in in this browser. */
  readonly remember: boolean
  /** Whether the person trusts this browser. */
  readonly trust: boolean
  /** Where the person goes on. */
  readonly returnTo: string
}

/**
 * Passkeys that were made for the host of an earlier public URL. Where a browser does not know related origins, that host takes the
 * proof and hands it home. Only the browser in which the proof began at home can use it.
 */
export class PreviousHostProofs {
  readonly #home: Home
  readonly #seal: Seal
  readonly #passkeys: Passkeys
  readonly #codes: PasskeyCodes

  constructor(home: Home, seal: Seal, passkeys: Passkeys, codes: PasskeyCodes) {
    this.#home = home
    this.#seal = seal
    this.#passkeys = passkeys
    this.#codes = codes
  }

  /** Returns the address where the browser uses the passkey. Undefined if the host is none of ours. */
  begin({ returnTo, ...begun }: Begun): string | undefined {
    const [origin] = this.#home.previous.get(begun.host) ?? []
    if (origin === undefined) return undefined
    const kept = returnTo.length > maxPathLength ? '/' : returnTo
    const text = this.#seal.seal(
      JSON.stringify({ ...begun, returnTo: kept, until: now() + begunSeconds }),
      row,
    )
    return `${origin}/.hero_proxy/passkey?begun=${encodeURIComponent(text)}`
  }

  /** Returns what the browser needs at the other host. Undefined if nothing began for this host. */
  async options(text: string, host: string): Promise<object | undefined> {
    return this.#read(text)?.host === host
      ? this.#passkeys.requestOptions(challengeOf(text), host)
      : undefined
  }

  /** Takes the answer of a passkey at the other host, and returns the address at home that uses it. Throws unauthenticated. */
  async take(text: string, host: string, answer: string): Promise<string> {
    if (this.#read(text)?.host !== host) throw passkeyRefused()
    const asserted = await this.#passkeys.assert(answer, challengeOf(text), host)
    // A code does not say whether the key verified its user, so here it always must.
    if (!asserted.verified_user) throw notAlone()
    const code = await this.#codes.issue({ asserted, begun: text })
    return `${this.#home.origin}/auth/passkey/arrive?code=${code}`
  }

  /** Returns what a code is for, and leaves it unused. */
  async purposeOf(code: string): Promise<Begun | undefined> {
    const found = await this.#codes.find(code)
    return found && this.#read(found.begun)
  }

  /**
   * Uses a code up, whatever comes of it. `shown` is the code, a dot, and the value of the arrival cookie at home. Throws
   * unauthenticated.
   */
  async use(shown: string, purpose: string): Promise<PasskeyAssertion> {
    const dot = shown.indexOf('.')
    const found = await this.#codes.use(shown.slice(0, Math.max(dot, 0)))
    const begun = found && this.#read(found.begun)
    if (!begun || begun.purpose !== purpose || begun.arrivalHash !== digest(shown.slice(dot + 1)))
      throw passkeyRefused()
    return found.asserted
  }

  #read(text: string): Begun | undefined {
    try {
      const { until, ...begun } = JSON.parse(this.#seal.open(text, row)) as Begun & { until: number }
      return until > now() && this.#home.previous.has(begun.host) ? begun : undefined
    } catch {
      return undefined
    }
  }
}

/** The challenge belongs to what began, and counts for nothing else. */
const challengeOf = (text: string): string => `at a previous host ${digest(text)}`
