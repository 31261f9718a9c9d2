import { shownName } from '../contract/names.ts'
import type { Account } from 'oidc-provider'
import { carriedByIdToken } from '../contract/carried_claims.ts'
import type { Claims } from '../claims/claims.ts'
import type { ClientWithCredentials } from '../clients/client.ts'
import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { maySignIn, type UserRow } from '../storage/schema.ts'

const maxCachedUsers = 10_000

/** The JWT claims that each scope grants (OpenID Connect Core section 5.4). `groups` and `claims` are our own. */
export const scopeClaims = {
  openid: ['sub'],
  email: ['email', 'email_verified'],
  profile: ['name', 'preferred_username', 'updated_at'],
  groups: ['groups'],
  claims: ['claims', 'context', 'claims_by_reference'],
} as const

/** Users, as applications see them. The subject is the user's id, which never changes and is never reused. */
export class Accounts {
  readonly #database: Database
  readonly #claims: Claims
  readonly #users: Cached<BoundedMap<UserRow>>

  constructor(database: Database, claims: Claims) {
    this.#database = database
    this.#claims = claims
    this.#users = new Cached(database, ['users'], async () => boundedMap<UserRow>(maxCachedUsers))
  }

  /** Returns undefined for a user who may not be signed in. */
  async find(userId: string, client: ClientWithCredentials | undefined): Promise<Account | undefined> {
    const user = await this.#user(userId)
    if (!user || !maySignIn(user)) return undefined
    return {
      accountId: userId,
      claims: async (use) => {
        const held = await this.claimsOf(userId, client?.service ?? '', user.context)
        const rights = { groups: groupsOf(held), claims: held }
        return {
          sub: userId,
          name: shownName(user.display_name) || user.username,
          preferred_username: user.username,
          updated_at: user.updated_at,
          ...(user.email !== null && { email: user.email, email_verified: user.email_verified_at !== null }),
          ...(use === 'id_token' ? carriedByIdToken(rights) : rights),
          context: user.context,
        }
      },
    }
  }

  /** Cached, because every token needs its user. Any change to a user clears the cache. */
  async #user(userId: string): Promise<UserRow | undefined> {
    const users = await this.#users.get()
    const known = this.#database.seesCommitsAtOnce ? users.get(userId) : undefined
    if (known) return known
    const user = await this.#database.query
      .selectFrom('users')
      .selectAll()
      .where('id', '=', userId)
      .executeTakeFirst()
    if (user) users.set(userId, user)
    return user
  }

  async claimsOf(userId: string, service: string, context: number): Promise<readonly string[]> {
    return (await this.#claims.of(userId, { service, context })) ?? []
  }
}

/** The slugs of `groups.<slug>`. Administering a group does not make a user its member. */
const groupsOf = (claims: readonly string[]): string[] =>
  claims.flatMap((claim) => /^groups\.([^.]+)$/.exec(claim)?.[1] ?? [])
