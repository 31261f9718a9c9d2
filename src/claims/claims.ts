import { sql } from 'kysely'
import { notFound } from '../contract/errors.ts'
import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Prepared } from '../storage/prepared.ts'
import { whenReady } from '../storage/when_ready.ts'
import { isAdmitted } from '../storage/schema.ts'
import { whoGrants } from './who_grants.ts'
import { givenByMembership, heldByMember, type GivenClaim } from './membership.ts'
import { CachedGraph } from './kept_graph.ts'
import type { Resolution, RuleCheck } from './result_schemas.ts'
import { resolveClaims, type Person, type Resolved } from './resolve.ts'
import { matchesClaim, missing } from './rule.ts'
import type { AdministratorProof } from '../contract/proofs.ts'

/** The scope of a claims query: grants with a scope apply only when the query names it. */
export interface ClaimScope {
  readonly service?: string
  readonly context?: number
}

interface UserName {
  readonly id: string
  readonly username: string
}

/** Number of cached answers. */
const maxEntries = 100_000

/** Resolves the claims of users. Cached answers come from memory; a change to users or groups invalidates them. */
export class Claims {
  readonly #database: Database
  readonly #administrators: () => Promise<AdministratorProof>
  readonly #userByName: Prepared<{ folded: string }, UserName>
  readonly #graph: CachedGraph
  readonly #answers: Cached<BoundedMap<Resolved>>
  /** Users that were read ahead. */
  readonly #people: Cached<BoundedMap<Person>>

  /** `administrators` returns what the settings ask of people before they hold `admin`, `groups.admin` and `proxy.*`. */
  constructor(database: Database, administrators: () => Promise<AdministratorProof>) {
    this.#database = database
    this.#administrators = administrators
    this.#userByName = database.prepared((query, { folded }: { folded: string }) =>
      query
        .selectFrom('users')
        .select(['id', 'username'])
        .where(sql`lower(username)`, '=', folded),
    )
    this.#graph = new CachedGraph(database)
    this.#answers = new Cached(database, ['users', 'groups', 'settings'], async () =>
      boundedMap<Resolved>(maxEntries),
    )
    this.#people = new Cached(database, ['users', 'groups'], async () => boundedMap<Person>(maxEntries))
  }

  /** The claims of the user with this id, or undefined if there is no such user. */
  of(userId: string, where: ClaimScope = {}): readonly string[] | Promise<readonly string[] | undefined> {
    return whenReady(this.resolved(userId, where), (resolved) => resolved?.claims) as
      readonly string[] | Promise<readonly string[] | undefined>
  }

  /** The same, with all that decides what a session holds of them. */
  resolved(userId: string, where: ClaimScope = {}): Resolved | Promise<Resolved | undefined> {
    const answer = this.#answers.warm()?.get(keyOf(userId, where))
    if (answer && (answer.until === Infinity || answer.until > now())) return answer
    return this.#resolve(userId, where)
  }

  /** Unix time in seconds until which the answer of `of` stays the same if nothing changes; 0 if that is not known. */
  until(userId: string, where: ClaimScope): number {
    return this.#answers.warm()?.get(keyOf(userId, where))?.until ?? 0
  }

  /** Throws or rejects with not_found. When current, it returns no promise if the database needs none. */
  resolve(username: string, where: ClaimScope): Resolution | Promise<Resolution> {
    return whenReady(this.#user(username), (user) =>
      whenReady(this.#current(user.id, where), ({ claims, why }) => ({
        user: user.username,
        claims: [...claims],
        why: [...why],
      })),
    )
  }

  async check(username: string, rule: readonly string[], where: ClaimScope): Promise<RuleCheck> {
    const user = await this.#user(username)
    const { claims, why } = await this.#current(user.id, where)
    const because = why.filter(({ claim }) => rule.some((pattern) => matchesClaim(pattern, [claim])))
    const absent = []
    for (const pattern of missing(rule, claims))
      absent.push({ claim: pattern, granted_by: await whoGrants(this.#database, pattern) })
    return { allowed: because.length > 0, because, missing: absent }
  }

  /** The cached answer if it is current; otherwise resolves it now. */
  #current(userId: string, where: ClaimScope): Resolved | Promise<Resolved> {
    const answer = this.#answers.warm()?.get(keyOf(userId, where))
    if (answer && answer.until > now()) return answer
    return this.#resolve(userId, where).then((resolved) => resolved!)
  }

  async #resolve(userId: string, where: ClaimScope, tries = 3): Promise<Resolved | undefined> {
    const answers = await this.#answers.get()
    const key = keyOf(userId, where)
    const cached = answers.get(key)
    const at = now()
    if (cached && cached.until > at) return cached
    const person = await this.#person(userId)
    if (!person) return undefined
    const administrators = await this.#administrators()
    const { service = '', context = person.context } = where
    const ids = [...person.groups.map(({ group }) => group), ...person.administers]
    const resolved = await this.#graph.above(ids, (graph) =>
      resolveClaims(graph, person, service, context, at, administrators),
    )
    // User and groups must be of the same moment: a user who was removed from a group must never get what the group was
    // granted afterwards.
    if (!this.#database.writing && tries > 0 && (await this.#answers.get()) !== answers)
      return this.#resolve(userId, where, tries - 1)
    // Store it in the map that was current before the rows were read: after a change, that map is no longer used.
    answers.set(key, resolved)
    return resolved
  }

  /** Everything that a membership in a group gives, and what of it is held at services, in a context. */
  async givenBy(
    groupId: string,
    context: number,
    services: readonly string[],
  ): Promise<{ readonly all: readonly GivenClaim[]; readonly at: ReadonlyMap<string, readonly string[]> }> {
    const at = now()
    return this.#graph.above([groupId], (graph) => ({
      all: givenByMembership(graph, groupId, at),
      at: new Map(services.map((name) => [name, heldByMember(graph, groupId, name, context, at)])),
    }))
  }

  /** Reads many users at once, so that resolving the claims of each needs no query of its own. */
  async warmUp(userIds: readonly string[]): Promise<void> {
    const people = await this.#people.get()
    for (const [id, person] of await this.#read(userIds)) people.set(id, person)
  }

  async #person(userId: string): Promise<Person | undefined> {
    const people = await this.#people.get()
    return people.get(userId) ?? (await this.#read([userId])).get(userId)
  }

  async #read(userIds: readonly string[]): Promise<Map<string, Person>> {
    const { query } = this.#database
    const users = await query.selectFrom('users').selectAll().where('id', 'in', userIds).execute()
    const groups = await query
      .selectFrom('group_users')
      .select(['user_id', 'group_id as group', 'expires_at'])
      .where('user_id', 'in', userIds)
      .execute()
    const administers = await query
      .selectFrom('group_admins')
      .select(['user_id', 'group_id'])
      .where('user_id', 'in', userIds)
      .execute()
    const groupsOf = Map.groupBy(groups, ({ user_id }) => user_id)
    const administersOf = Map.groupBy(administers, ({ user_id }) => user_id)
    const people = users.map((user) => ({
      ...user,
      is_active: isAdmitted(user),
      is_admin: user.is_admin === 1,
      has_factor: user.has_factor === 1,
      groups: groupsOf.get(user.id) ?? [],
      administers: (administersOf.get(user.id) ?? []).map(({ group_id }) => group_id),
    }))
    return new Map(people.map((person) => [person.id, person]))
  }

  #user(username: string): UserName | Promise<UserName> {
    return whenReady(this.#userByName({ folded: username.toLowerCase() }), (user) => {
      if (!user) throw notFound('user', username)
      return user
    })
  }
}

const keyOf = (userId: string, { service = '', context }: ClaimScope) =>
  `${userId} ${service} ${context ?? ''}`
