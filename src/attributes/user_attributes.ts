import { sql } from 'kysely'
import type { Caller } from '../contract/caller.ts'
import { alreadyExists, AppError, invalidParams } from '../contract/errors.ts'
import { refuseUnproven } from '../contract/fresh_proof.ts'
import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Prepared } from '../storage/prepared.ts'
import { whenReady } from '../storage/when_ready.ts'
import type { AttributeChanges, AttributeValue, AttributeValues } from '../contract/attribute_values.ts'
import type { Attribute } from './attribute.ts'
import type { Attributes } from './attributes.ts'
import { checkValue, faultOf, uniqueKey } from './checks.ts'

const maxKnown = 10_000

/** What is said about single people. */
export class UserAttributes {
  readonly #database: Database
  readonly #attributes: Attributes
  readonly #stored: Prepared<{ userId: string }, { json: string | null }>
  /** By user id. */
  readonly #known: Cached<BoundedMap<AttributeValues>>

  constructor(database: Database, attributes: Attributes) {
    this.#database = database
    this.#attributes = attributes
    this.#known = new Cached(database, ['users'], async () => boundedMap<AttributeValues>(maxKnown))
    this.#stored = database.prepared((query, { userId }: { userId: string }) =>
      query
        .selectFrom('user_attributes')
        .innerJoin('attributes', 'attributes.id', 'user_attributes.attribute_id')
        .select(sql<string | null>`string_agg('"' || name || '":' || value, ',')`.as('json'))
        .where('user_id', '=', userId),
    )
  }

  /** The attributes of a person, by name. When they are known, and on SQLite, it returns no promise. */
  of(userId: string): AttributeValues | Promise<AttributeValues> {
    return whenReady(
      this.#known.get(),
      (known) =>
        known.get(userId) ??
        whenReady(this.#stored({ userId }), (row) => {
          const values = JSON.parse(`{${row?.json ?? ''}}`) as AttributeValues
          known.set(userId, values)
          return values
        }),
    )
  }

  /** Sets attributes of a person; null removes one. Throws invalid_params, claim_required, proof_required or already_exists. */
  async set(userId: string, values: AttributeChanges, caller: Caller): Promise<void> {
    const all = await this.#attributes.all()
    for (const [name, value] of Object.entries(values)) {
      const attribute = all.get(name)
      if (!attribute) throw invalidParams(`attributes.${name}`, `one of ${[...all.keys()].join(', ')}`)
      this.#guard(attribute, userId, caller)
      if (value !== null) await checkValue(attribute, value)
      await this.#write(userId, attribute, value)
    }
  }

  /** Sets what the person themselves may say, if nothing is there yet. What does not fit is left out. */
  async setIfMissing(userId: string, name: string, value: string): Promise<void> {
    const attribute = (await this.#attributes.all()).get(name)
    if (attribute?.source !== 'person' || Object.hasOwn(await this.of(userId), name)) return
    if ((await faultOf(attribute, value)) !== undefined) return
    await this.#database.write(async () => {
      if (!Object.hasOwn(await this.of(userId), name)) await this.#write(userId, attribute, value)
    })
  }

  /** What a provider says at a sign-in: a claim that is missing, does not fit or is somebody else's removes the value. Inside a transaction. */
  async follow(userId: string, provider: string, claims: Readonly<Record<string, unknown>>): Promise<void> {
    for (const attribute of (await this.#attributes.all()).values()) {
      if (attribute.source !== provider) continue
      const said = Object.hasOwn(claims, attribute.name) ? claims[attribute.name] : undefined
      const fits = said !== undefined && (await faultOf(attribute, said)) === undefined
      const value = fits ? (said as AttributeValue) : null
      const isFree = value === null || !(await this.#isTaken(userId, attribute, value))
      await this.#write(userId, attribute, isFree ? value : null)
    }
  }

  /** People say what is theirs to say. Everything else may decide what they are in applications. */
  #guard({ name, source }: Attribute, userId: string, caller: Caller): void {
    const path = `attributes.${name}`
    if (source === 'person' && caller.user_id === userId) return
    if (source !== 'person' && source !== 'administrator')
      throw invalidParams(path, `what the provider ${source} says, and nobody else`)
    if (caller.kind !== 'operator' && !caller.claims.has('proxy.users.write'))
      throw new AppError('claim_required', `Changing ${name} needs the claim proxy.users.write`, {
        claims: ['proxy.users.write'],
        path,
      })
    refuseUnproven(caller, userId, now())
  }

  async #isTaken(userId: string, { id, unique }: Attribute, value: AttributeValue): Promise<boolean> {
    if (!unique) return false
    const other = await this.#database.query
      .selectFrom('user_attributes')
      .select('user_id')
      .where('attribute_id', '=', id)
      .where('unique_key', '=', uniqueKey(value))
      .where('user_id', '!=', userId)
      .executeTakeFirst()
    return other !== undefined
  }

  async #write(userId: string, attribute: Attribute, value: AttributeValue | null): Promise<void> {
    const { query } = this.#database
    const { id: attribute_id, name, unique } = attribute
    this.#database.changed('users')
    if (value === null) {
      await query
        .deleteFrom('user_attributes')
        .where('user_id', '=', userId)
        .where('attribute_id', '=', attribute_id)
        .execute()
      return
    }
    if (await this.#isTaken(userId, attribute, value)) throw alreadyExists(name, `attributes.${name}`)
    const row = { value: JSON.stringify(value), unique_key: unique ? uniqueKey(value) : null }
    await query
      .insertInto('user_attributes')
      .values({ user_id: userId, attribute_id, ...row })
      .onConflict((same) => same.columns(['user_id', 'attribute_id']).doUpdateSet(row))
      .execute()
  }
}
