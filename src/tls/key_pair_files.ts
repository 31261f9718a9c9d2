import { readFileSync, statSync } from 'node:fs'
import type { Log } from '../log/log.ts'
import { readPair, type Pair } from './key_pair.ts'

/** We poll because watching folders misses the links that certbot and Kubernetes swap. */
const pollIntervalMs = 2000

interface Place {
  readonly cert: string
  readonly key: string
}

/** Changes whenever a file, or the target of a link, is replaced or modified. */
const stampOf = (path: string): string => {
  try {
    const { ino, size, mtimeMs } = statSync(path)
    return `${ino} ${size} ${mtimeMs}`
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable'
  }
}

const read = ({ cert, key }: Place): Pair => {
  try {
    return readPair(readFileSync(cert, 'utf8'), readFileSync(key, 'utf8'))
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException
    const reason = code !== undefined && path !== undefined ? `cannot read ${path} (${code})` : message
    throw new Error(`tls_cert ${cert} with tls_key ${key}: ${reason}`, { cause: error })
  }
}

/** The configured pairs. They are read again when their files change. A broken new pair does not replace the old one. */
export class PairFiles {
  readonly #places: readonly Place[]
  readonly #log: Log
  readonly #changed: () => void
  readonly #timer: NodeJS.Timeout
  #stamps: string[]
  #reportedStamps: string[] = []
  #pairs: readonly Pair[]

  /** Throws an error with a one-line message if a pair cannot be read. */
  constructor(certs: readonly string[], keys: readonly string[], log: Log, changed: () => void) {
    this.#places = certs.map((cert, i) => ({ cert, key: keys[i]! }))
    this.#log = log
    this.#changed = changed
    this.#stamps = this.#places.map(stamp)
    this.#pairs = this.#places.map(read)
    this.#timer = setInterval(() => this.#poll(), pollIntervalMs).unref()
  }

  get pairs(): readonly Pair[] {
    return this.#pairs
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #poll(): void {
    this.#places.forEach((place, i) => {
      const now = stamp(place)
      if (now === this.#stamps[i]) return
      try {
        const pair = read(place)
        // This stamp is older than the pair: a change in between is noticed at the next poll.
        this.#stamps[i] = now
        this.#pairs = this.#pairs.with(i, pair)
        this.#log.info({ tls_cert: place.cert, names: pair.names }, 'a certificate was read again')
        this.#changed()
      } catch (error) {
        // Perhaps only half of the pair has been replaced so far: try again at the next poll, but log once.
        if (this.#reportedStamps[i] !== now)
          this.#log.warn({ error: (error as Error).message }, 'the certificate in use is kept')
        this.#reportedStamps[i] = now
      }
    })
  }
}

const stamp = ({ cert, key }: Place): string => `${stampOf(cert)} / ${stampOf(key)}`
