import { boundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { detached } from '../wire/detached.ts'
import { readAddress, readNetwork, type Address } from '../contract/networks.ts'
import { personColumns, toKnownPerson, type KnownPerson } from './person.ts'

/** Answers kept for addresses: strangers choose them, so their number has an end. */
const keep = 10_000

/** The networks of one address family: one map for each length of prefix in use, longest first. */
class Prefixes {
  readonly #width: bigint
  readonly #lengths: { readonly host: bigint; readonly people: Map<bigint, KnownPerson> }[] = []

  constructor(width: 32 | 128) {
    this.#width = BigInt(width)
  }

  add(bits: bigint, length: number, person: KnownPerson): void {
    const host = this.#width - BigInt(length)
    let row = this.#lengths.find((one) => one.host === host)
    if (!row) {
      row = { host, people: new Map() }
      this.#lengths.push(row)
      this.#lengths.sort((a, b) => Number(a.host - b.host))
    }
    row.people.set(bits >> host, person)
  }

  find(bits: bigint): KnownPerson | undefined {
    for (const { host, people } of this.#lengths) {
      const person = people.get(bits >> host)
      if (person) return person
    }
    return undefined
  }
}

/** All networks of all people; none while they do not count. */
class NetworkTable {
  /** Whether the setting `network_login` is on. */
  readonly counts: boolean
  readonly #four = new Prefixes(32)
  readonly #six = new Prefixes(128)
  readonly #answers = boundedMap<KnownPerson | 'nobody'>(keep)

  constructor(counts: boolean) {
    this.counts = counts
  }

  add(text: string, person: KnownPerson): void {
    const network = readNetwork(text)
    if (network) this.#of(network).add(network.bits, network.prefix, person)
  }

  #of({ family }: Address): Prefixes {
    return family === 4 ? this.#four : this.#six
  }

  find(address: string): KnownPerson | undefined {
    const known = this.#answers.get(address)
    if (known !== undefined) return known === 'nobody' ? undefined : known
    const found = this.#search(address)
    this.#answers.set(detached(address), found ?? 'nobody')
    return found
  }

  #search(text: string): KnownPerson | undefined {
    const address = readAddress(text)
    const person = address && this.#of(address).find(address.bits)
    // The longest prefix decides alone: deactivating somebody must not turn their machine into the owner of a wider network.
    return person?.may_sign_in ? person : undefined
  }
}

/** Who is known by a network address alone: nobody, until the setting `network_login` is on. */
export class KnownNetworks {
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
      for (const row of rows) table.add(row.network, toKnownPerson(row))
      return table
    })
  }

  /** Whether an address may be somebody's; true also where that is not known at once. */
  get count(): boolean {
    return this.#table.warm()?.counts ?? true
  }

  /** The person who may be signed in and whose network holds this address; of several the one with the longest prefix. Warm, it is synchronous. */
  find(address: string): KnownPerson | undefined | Promise<KnownPerson | undefined> {
    const table = this.#table.get()
    return table instanceof Promise ? table.then((ready) => ready.find(address)) : table.find(address)
  }
}
