import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import type { Prepared } from '../storage/prepared.ts'
import { personColumns, toKnownPerson, type KnownPerson, type PersonRow } from './person.ts'

const keep = 100_000

/** People by their id, for whoever shows a token that names them so. */
export class KnownPeople {
  readonly #known: Cached<BoundedMap<KnownPerson>>
  readonly #byId: Prepared<{ id: string }, PersonRow>

  constructor(database: Database) {
    this.#known = new Cached(database, ['users'], async () => boundedMap<KnownPerson>(keep))
    this.#byId = database.prepared((query, { id }: { id: string }) =>
      query.selectFrom('users').select(personColumns).where('users.id', '=', id),
    )
  }

  /** Somebody who may be signed in. Warm, it is synchronous. */
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
