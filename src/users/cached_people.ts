import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import type { Prepared } from '../storage/prepared.ts'
import { personColumns, toRecognisedUser, type RecognisedUser, type PersonRow } from './person.ts'

const maxEntries = 100_000

/** Users by id, for callers with a token that names its user by id. */
export class CachedPeople {
  readonly #known: Cached<BoundedMap<RecognisedUser>>
  readonly #byId: Prepared<{ id: string }, PersonRow>

  constructor(database: Database) {
    this.#known = new Cached(database, ['users'], async () => boundedMap<RecognisedUser>(maxEntries))
    this.#byId = database.prepared((query, { id }: { id: string }) =>
      query.selectFrom('users').select(personColumns).where('users.id', '=', id),
    )
  }

  /** A user who may sign in. Synchronous when the cache is current. */
  find(id: string): RecognisedUser | undefined | Promise<RecognisedUser | undefined> {
    const known = this.#known.warm()?.get(id)
    return known ? signingIn(known) : this.#load(id)
  }

  async #load(id: string): Promise<RecognisedUser | undefined> {
    const known = await this.#known.get()
    const row = await this.#byId({ id })
    if (!row) return undefined
    const person = toRecognisedUser(row)
    known.set(id, person)
    return signingIn(person)
  }
}

const signingIn = (person: RecognisedUser): RecognisedUser | undefined =>
  person.may_sign_in ? person : undefined
