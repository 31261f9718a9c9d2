import type { SecureContext } from 'node:tls'
import type { Config } from '../config/config.ts'
import type { Log } from '../log/log.ts'
import { NameTable } from './name_table.ts'
import { readPair, type Pair } from './key_pair.ts'
import { PairFiles } from './key_pair_files.ts'
import { selfSigned } from './self_signed.ts'

/** Finds an ordered certificate by its exact name. */
type Issued = (name: string) => Promise<Pair | undefined>

/** Chooses the certificate for each server name. */
export class EdgeCertificates {
  readonly #files: PairFiles
  readonly #issued: Issued | undefined
  readonly #log: Log
  readonly #selfSigned: Pair | undefined
  #names: NameTable<Pair>
  #fallbackChanged: ((pair: Pair) => void) | undefined

  /** Throws an error with a one-line message if a configured pair cannot be read. */
  constructor(
    { tls_cert, tls_key }: Pick<Config, 'tls_cert' | 'tls_key'>,
    /** The name in the self-signed certificate that is used until there is a real one. */
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
      this.#selfSigned = readPair(cert, key)
    }
  }

  /** Returns the certificate for clients that send no server name or an unknown one. `changed` gets each later one. */
  watchFallback(changed: (pair: Pair) => void): Pair {
    this.#fallbackChanged = changed
    return this.#fallback
  }

  get #fallback(): Pair {
    return this.#files.pairs[0] ?? this.#selfSigned!
  }

  /** Whether a configured certificate covers a name. */
  holds(name: string): boolean {
    return (this.#names.exact(name) ?? this.#names.wildcard(name)) !== undefined
  }

  /**
   * Never throws and never rejects: there is a certificate for any server name, even if the database fails. Without ordered
   * certificates it returns no promise.
   */
  contextFor(serverName: string): SecureContext | Promise<SecureContext> {
    const name = serverName.toLowerCase()
    const exact = this.#names.exact(name)
    if (exact) return exact.context
    const fallback = () => (this.#names.wildcard(name) ?? this.#fallback).context
    const issued = this.#issued
    if (!issued) return fallback()
    return this.#ordered(issued, name).then((pair) => pair?.context ?? fallback())
  }

  async #ordered(issued: Issued, name: string): Promise<Pair | undefined> {
    try {
      return await issued(name)
    } catch (error) {
      this.#log.warn({ error: (error as Error).message }, 'cannot look up a certificate')
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
