import { boundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { detached } from '../wire/detached.ts'
import { readAddress, readNetwork, type Address } from '../contract/networks.ts'
import { personColumns, toRecognisedUser, type RecognisedUser } from './person.ts'

/** Number of cached lookups. Strangers choose the addresses, so the cache needs a limit. */
const maxEntries = 10_000

/** The networks of one address family: one map per prefix length in use, longest prefix first. */
class Prefixes {
  readonly #width: bigint
  readonly #lengths: { readonly host: bigint; readonly people: Map<bigint, RecognisedUser> }[] = []

  constructor(width: 32 | 128) {
    this.#width = BigInt(width)
  }

  add(bits: bigint, length: number, person: RecognisedUser): void {
    const host = this.#width - BigInt(length)
    let row = this.#lengths.find((length) => length.host === host)
    if (!row) {
      row = { host, people: new Map() }
      this.#lengths.push(row)
      this.#lengths.sort((a, b) => Number(a.host - b.host))
    }
    row.people.set(bits >> host, person)
  }

  find(bits: bigint): RecognisedUser | undefined {
    for (const { host, people } of this.#lengths) {
      const person = people.get(bits >> host)
      if (person) return person
    }
    return undefined
  }
}

const signingIn = (person: RecognisedUser | undefined): RecognisedUser | undefined =>
  person?.may_sign_in ? person : undefined

/** All networks of all users; empty while network login is off. */
class NetworkTable {
  /** Whether the setting `network_login` is on. */
  readonly counts: boolean
  readonly #four = new Prefixes(32)
  readonly #six = new Prefixes(128)
  readonly #answers = boundedMap<RecognisedUser | 'nobody'>(maxEntries)

  constructor(counts: boolean) {
    this.counts = counts
  }

  add(text: string, person: RecognisedUser): void {
    const network = readNetwork(text)
    if (network) this.#of(network).add(network.bits, network.prefix, person)
  }

  #of({ family }: Address): Prefixes {
    return family === 4 ? this.#four : this.#six
  }

  find(address: string): RecognisedUser | undefined {
    const cached = this.#answers.get(address)
    if (cached !== undefined) return cached === 'nobody' ? undefined : signingIn(cached)
    const found = this.#search(address)
    this.#answers.set(detached(address), found ?? 'nobody')
    return signingIn(found)
  }

  #search(text: string): RecognisedUser | undefined {
    const address = readAddress(text)
    // Only the longest prefix decides: deactivating a user must not hand their machine to the owner of a wider network.
    return address && this.#of(address).find(address.bits)
  }
}

/** Recognises users by their network address alone; nobody until the setting `network_login` is on. */
export class CachedNetworks {
  readonly #table: Cached<NetworkTable>

  constructor(database: Database, enabled: () => Promise<boolean>) {
    this.#table = new Cached(database, ['users', 'settings'], async () => {
      const table = new NetworkTable(await enabled())
      if (!table.counts) return table
      const rows = await database.query
        .selectFrom('user_networks')
        .innerJoin('users', 'users.id', 'user_networks.user_id')
        .select(['user_networks.network', ...personColumns])
        .execute()
      for (const row of rows) table.add(row.network, toRecognisedUser(row))
      return table
    })
  }

  /** Whether an address can identify a user. Also true if that is not known yet. */
  get count(): boolean {
    return this.#table.warm()?.counts ?? true
  }

  /**
   * The user whose network contains this address and who may sign in; the longest prefix wins. Synchronous when the
   * cache is current.
   */
  find(address: string): RecognisedUser | undefined | Promise<RecognisedUser | undefined> {
    const table = this.#table.get()
    return table instanceof Promise ? table.then((ready) => ready.find(address)) : table.find(address)
  }
}
