import type { SecureContext } from 'node:tls'
import type { Config } from '../config/config.ts'
import type { Log } from '../log/log.ts'
import { NameTable } from './name_table.ts'
import { readPair, type Pair } from './key_pair.ts'
import { PairFiles } from './key_pair_files.ts'
import { selfSigned } from './self_signed.ts'

/** Certificates that were ordered, by exact name. */
type Issued = (name: string) => Promise<Pair | undefined>

/** Which certificate the edge shows under which name. */
export class EdgeCertificates {
  readonly #files: PairFiles
  readonly #issued: Issued | undefined
  readonly #log: Log
  readonly #standIn: Pair | undefined
  #names: NameTable<Pair>
  #fallbackChanged: ((pair: Pair) => void) | undefined

  /** Throws with one line for people when a pair of the configuration cannot be read. */
  constructor(
    { tls_cert, tls_key }: Pick<Config, 'tls_cert' | 'tls_key'>,
    /** For whom the certificate is made that stands in while there is none. */
    publicHost: string,
    log: Log,
    issued?: Issued,
  ) {
    this.#files = new PairFiles(tls_cert, tls_key, log, () => {
      this.#names = tableOf(this.#files.pairs)
      this.#fallbackChanged?.(this.#fallback)
    })
    this.#names = tableOf(this.#files.pairs)
    this.#issued = issued
    this.#log = log
    if (tls_cert.length === 0) {
      const { cert, key } = selfSigned(publicHost)
      this.#standIn = readPair(cert, key)
    }
  }

  /** The certificate for clients that name no host, or one without a certificate. `changed` gets each later one. */
  watchFallback(changed: (pair: Pair) => void): Pair {
    this.#fallbackChanged = changed
    return this.#fallback
  }

  get #fallback(): Pair {
    return this.#files.pairs[0] ?? this.#standIn!
  }

  /** Whether a file of the configuration serves a name. */
  holds(name: string): boolean {
    return (this.#names.exact(name) ?? this.#names.wildcard(name)) !== undefined
  }

  /**
   * Never throws and never rejects: whatever a client names, and whatever the database says, there is a certificate to show. Without
   * ordered certificates it returns no promise.
   */
  contextFor(serverName: string): SecureContext | Promise<SecureContext> {
    const name = serverName.toLowerCase()
    const exact = this.#names.exact(name)
    if (exact) return exact.context
    const otherwise = () => (this.#names.wildcard(name) ?? this.#fallback).context
    const issued = this.#issued
    if (!issued) return otherwise()
    return this.#ordered(issued, name).then((pair) => pair?.context ?? otherwise())
  }

  async #ordered(issued: Issued, name: string): Promise<Pair | undefined> {
    try {
      return await issued(name)
    } catch (error) {
      this.#log.warn({ error: (error as Error).message }, 'a certificate could not be looked up')
      return undefined
    }
  }

  close(): void {
    this.#files.close()
  }
}

const tableOf = (pairs: readonly Pair[]): NameTable<Pair> => {
  const table = new NameTable<Pair>()
  for (const pair of pairs) for (const name of pair.names) table.add(name, pair)
  return table
}
