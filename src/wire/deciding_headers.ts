import { detached } from './detached.ts'
import { maxCachedNameLength, overridesMethod } from './header_list.ts'

/** Headers that we read: of the request itself, or of the request that a forward-auth proxy asks about. */
const names = [
  'authorization',
  'background',
  'content-length',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'origin',
  'sec-websocket-key',
  'sec-websocket-version',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-method',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-uri',
  'x-original-method',
  'x-original-uri',
  'x-original-url',
  'x-real-ip',
  'x-request-id',
] as const
export type DecidingName = (typeof names)[number]

interface Facts {
  readonly name: DecidingName | undefined
  readonly overridesMethod: boolean
}

const isDeciding = (lower: string): lower is DecidingName => (names as readonly string[]).includes(lower)

/** Facts about names as received, because names repeat between requests. Bounded, because clients choose the names. */
const factsByName = new Map<string, Facts>()
const maxCachedNames = 2000

const factsOf = (text: string): Facts => {
  const found = factsByName.get(text)
  if (found !== undefined) return found
  const lower = text.toLowerCase()
  const facts = { name: isDeciding(lower) ? lower : undefined, overridesMethod: overridesMethod(text) }
  if (factsByName.size < maxCachedNames && text.length <= maxCachedNameLength)
    factsByName.set(detached(text), facts)
  return facts
}

/** The headers that we read, found in one pass. */
export class DecidingHeaders {
  readonly #first: Partial<Record<DecidingName, string>> = {}
  /** Names and values of headers that were already present. */
  #repeated: string[] | undefined
  /** Whether a service could read another method from the headers. */
  readonly overridesMethod: boolean

  constructor(rawHeaders: readonly string[]) {
    let overrides = false
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const facts = factsOf(rawHeaders[i]!)
      overrides ||= facts.overridesMethod
      const { name } = facts
      if (name === undefined) continue
      if (this.#first[name] === undefined) this.#first[name] = rawHeaders[i + 1]!
      else (this.#repeated ??= []).push(name, rawHeaders[i + 1]!)
    }
    this.overridesMethod = overrides
  }

  has(name: DecidingName): boolean {
    return this.#first[name] !== undefined
  }

  /** All values of a header, in order. */
  all(name: DecidingName): readonly string[] {
    const first = this.#first[name]
    if (first === undefined) return none
    const repeated = this.#repeated
    if (repeated === undefined) return [first]
    return [first, ...repeated.filter((_, i) => i % 2 === 1 && repeated[i - 1] === name)]
  }

  /** All values of a header as one list (RFC 9110 section 5.3). */
  list(name: DecidingName): string | undefined {
    return this.#repeated === undefined || !this.has(name) ? this.#first[name] : this.all(name).join()
  }
}

const none: readonly string[] = []
