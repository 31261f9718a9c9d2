import { AppError } from '../contract/errors.ts'
import type { Log } from '../log/log.ts'
import { boundedMap } from '../storage/bounded_map.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Client, ClientWithCredentials } from './client.ts'
import type { Clients, NewClient } from './clients.ts'

const hourSeconds = 3600
const daySeconds = 24 * hourSeconds

/** How many such clients may exist, and how many one network may add per hour. */
export const maxDynamic = 1000
export const maxHourly = 20
/**
 * Seconds after which an unused client is removed: one that never signed a user in, and one that has not done so for
 * this long.
 */
const neverUsedSeconds = 7 * daySeconds
const unusedSeconds = 180 * daySeconds

/** Clients that registered themselves (RFC 7591): limited in number, and removed when unused. */
export class DynamicClients {
  readonly #database: Database
  readonly #clients: Clients
  readonly #log: Log
  /** When each use was last recorded, by client_id. There are at most `maxDynamic` entries. */
  readonly #noted = boundedMap<number>(maxDynamic)

  constructor(database: Database, clients: Clients, log: Log) {
    this.#database = database
    this.#clients = clients
    this.#log = log
  }

  /**
   * Adds a client that registers from this network. Throws rate_limited, or unavailable if there are too many in total.
   */
  async add(
    fields: Omit<NewClient, 'dynamic' | 'registered_from' | 'client'>,
    network: string,
  ): Promise<Client & { client_secret: string | null }> {
    return this.#database.write(async () => {
      const since = now() - hourSeconds
      const total = await this.#count()
      if (total >= maxDynamic)
        throw new AppError('unavailable', 'Too many clients have registered themselves')
      const recent = await this.#count({ network, since })
      if (recent >= maxHourly)
        throw new AppError('rate_limited', 'Too many clients registered from here', {
          retry_after: hourSeconds,
        })
      return this.#clients.add({ ...fields, dynamic: true, registered_from: network })
    })
  }

  async #count(of?: { network: string; since: number }): Promise<number> {
    const { total } = await this.#database.query
      .selectFrom('clients')
      .select((eb) => eb.fn.countAll<number>().as('total'))
      .where('dynamic', '=', 1)
      .$if(of !== undefined, (clients) =>
        clients.where('created_at', '>', of!.since).where('registered_from', '=', of!.network),
      )
      .executeTakeFirstOrThrow()
    return Number(total)
  }

  /** Records, once a day, that the client got a token. Does not invalidate caches of clients. */
  async noteUse({ id, client, dynamic, last_used_at }: ClientWithCredentials): Promise<void> {
    const at = now()
    const noted = this.#noted.get(client) ?? last_used_at ?? 0
    if (!dynamic || noted > at - daySeconds) return
    this.#noted.set(client, at)
    await this.#database.write(() =>
      this.#database.query.updateTable('clients').set({ last_used_at: at }).where('id', '=', id).execute(),
    )
  }

  /** Removes unused clients with all that belongs to them. One that cannot be removed keeps no other. Called on a timer. */
  async sweep(): Promise<void> {
    for (const { client } of await this.#unused().execute())
      try {
        await this.#removeUnused(client)
      } catch (error) {
        this.#log.error({ client, error }, 'an unused client could not be removed')
      }
  }

  #removeUnused(client: string): Promise<void> {
    return this.#database.write(async () => {
      // It may have been used since it was found.
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
          eb.and([eb('last_used_at', 'is', null), eb('created_at', '<', at - neverUsedSeconds)]),
          eb('last_used_at', '<', at - unusedSeconds),
        ]),
      )
  }
}
