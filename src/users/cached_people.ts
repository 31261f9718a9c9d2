import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import type { Prepared } from '../storage/prepared.ts'
import { personColumns, toKnownPerson, type KnownPerson, type PersonRow } from './person.ts'

const maxEntries = 100_000

/** Users by id, for callers with a token that names its user by id. */
export class KnownPeople {
  readonly #known: Cached<BoundedMap<KnownPerson>>
  readonly #byId: Prepared<{ id: string }, PersonRow>

  constructor(database: Database) {
    this.#known = new Cached(database, ['users'], async () => boundedMap<KnownPerson>(maxEntries))
    this.#byId = database.prepared((query, { id }: { id: string }) =>
      query.selectFrom('users').select(personColumns).where('users.id', '=', id),
    )
  }

  /** A user who may sign in. Synchronous when the cache is current. */
  find(id: string): KnownPerson | undefined | Promise<KnownPerson | undefined> {
    const known = this.#known.warm()?.get(id)
    return known ? signingIn(known) : this.#load(id)
  }

  async #load(id: string): Promise<KnownPerson | undefined> {
    const known = await this.#known.get()
    const row = await this.#byId({ id })
    if (!row) return undefined
    const person = toKnownPerson(row)
    known.set(id, person)
    return signingIn(person)
  }
}

const signingIn = (person: KnownPerson): KnownPerson | undefined => (person.may_sign_in ? person : undefined)
