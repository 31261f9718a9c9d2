import { AppError } from '../contract/errors.ts'
import { boundedMap } from '../storage/bounded_map.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Client, KnownClient } from './client.ts'
import type { Clients, NewClient } from './clients.ts'

const hour = 3600
const day = 24 * hour

/** How many there can be, and how many one network adds in an hour. */
export const mostDynamic = 1000
export const mostHourly = 20
/** Seconds until one is forgotten that nobody ever signed in with, and one that nobody signed in with for so long. */
const neverUsed = 7 * day
const longUnused = 180 * day

/** Clients that registered themselves (RFC 7591): counted, and forgotten when nobody uses them. */
export class DynamicClients {
  readonly #database: Database
  readonly #clients: Clients
  /** When uses were written down last, by client_id: there are no more than `mostDynamic`. */
  readonly #noted = boundedMap<number>(mostDynamic)

  constructor(database: Database, clients: Clients) {
    this.#database = database
    this.#clients = clients
  }

  /** Adds one that comes from this network. Throws rate_limited, or unavailable when there are too many altogether. */
  async add(
    fields: Omit<NewClient, 'dynamic' | 'registered_from' | 'client'>,
    network: string,
  ): Promise<Client & { client_secret: string | null }> {
    return this.#database.write(async () => {
      const since = now() - hour
      const all = await this.#count()
      if (all >= mostDynamic) throw new AppError('unavailable', 'Too many clients have registered themselves')
      const recent = await this.#count({ network, since })
      if (recent >= mostHourly)
        throw new AppError('rate_limited', 'Too many clients registered from here', { retry_after: hour })
      return this.#clients.add({ ...fields, dynamic: true, registered_from: network })
    })
  }

  async #count(of?: { network: string; since: number }): Promise<number> {
    const { total } = await this.#database.query
      .selectFrom('clients')
      .select((eb) => eb.fn.countAll<number>().as('total'))
      .where('dynamic', '=', 1)
      .$if(of !== undefined, (all) =>
        all.where('created_at', '>', of!.since).where('registered_from', '=', of!.network),
      )
      .executeTakeFirstOrThrow()
    return Number(total)
  }

  /** It got a token. Written down once a day; caches of clients stay as they are. */
  async noteUse({ id, client, dynamic, last_used_at }: KnownClient): Promise<void> {
    const at = now()
    const noted = this.#noted.get(client) ?? last_used_at ?? 0
    if (!dynamic || noted > at - day) return
    this.#noted.set(client, at)
    await this.#database.write(() =>
      this.#database.query.updateTable('clients').set({ last_used_at: at }).where('id', '=', id).execute(),
    )
  }

  /** Removes those that nobody uses, with whatever belongs to them. Called on a timer. */
  async sweep(): Promise<void> {
    for (const { client } of await this.#unused().execute())
      await this.#database.write(async () => {
        // It may have been used a moment ago.
        const still = await this.#unused().where('client', '=', client).executeTakeFirst()
        if (still) await this.#clients.remove(client)
      })
  }

  #unused() {
    const at = now()
    return this.#database.query
      .selectFrom('clients')
      .select('client')
      .where('dynamic', '=', 1)
      .where((eb) =>
        eb.or([
          eb.and([eb('last_used_at', 'is', null), eb('created_at', '<', at - neverUsed)]),
          eb('last_used_at', '<', at - longUnused),
        ]),
      )
  }
}
