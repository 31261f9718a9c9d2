import { shownName } from '../contract/names.ts'
import type { Account, AccountClaims } from 'oidc-provider'
import { isIdentifying } from '../attributes/attribute.ts'
import type { Attributes } from '../attributes/attributes.ts'
import type { UserAttributes } from '../attributes/user_attributes.ts'
import type { AttributeValues } from '../contract/attribute_values.ts'
import { attributeNameIn, type TemplateValue } from '../contract/templates.ts'
import { mappedClaims } from './claim_map.ts'
import { carriedByIdToken } from '../contract/carried_claims.ts'
import type { Claims } from '../claims/claims.ts'
import type { ClientWithCredentials } from '../clients/client.ts'
import type { Pictures } from '../pictures/pictures.ts'
import { heldBy, lackingOfAdministrators } from '../claims/session_claims.ts'
import type { ProofTimes } from '../contract/proofs.ts'
import { now } from '../storage/ids.ts'
import { boundedMap, type BoundedMap } from '../storage/bounded_map.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { maySignIn, type UserRow } from '../storage/schema.ts'

const maxCachedUsers = 10_000

/** The JWT claims that each scope grants (OpenID Connect Core section 5.4). `groups` and `claims` are our own. */
const standard = {
  openid: ['sub'],
  email: ['email', 'email_verified'],
  profile: ['name', 'preferred_username', 'updated_at', 'picture'],
  groups: ['groups'],
  claims: ['claims', 'context', 'claims_by_reference'],
}
export type ScopeClaims = Readonly<Record<string, readonly string[]>>

/** The key of the claims that a client gets besides those of its scopes. */
export const mapped = Symbol('mapped claims')

/** A person, as applications see them. */
export interface KnownAccount extends Account {
  readonly username: string
  readonly context: number
}

interface Person {
  readonly user: UserRow
  readonly attributes: AttributeValues
}

/** Users, as applications see them. The subject is the user's id, which never changes and is never reused. */
export class Accounts {
  readonly #database: Database
  readonly #claims: Claims
  readonly #attributes: Pick<Attributes, 'all'>
  readonly #userAttributes: Pick<UserAttributes, 'of'>
  readonly #pictures: Pick<Pictures, 'addressOf'>
  readonly #people: Cached<BoundedMap<Person>>

  constructor(
    database: Database,
    claims: Claims,
    attributes: Pick<Attributes, 'all'>,
    userAttributes: Pick<UserAttributes, 'of'>,
    pictures: Pick<Pictures, 'addressOf'>,
  ) {
    this.#pictures = pictures
    this.#database = database
    this.#claims = claims
    this.#attributes = attributes
    this.#userAttributes = userAttributes
    this.#people = new Cached(database, ['users'], async () => boundedMap<Person>(maxCachedUsers))
  }

  /** The JWT claims that each scope grants, attributes included. */
  async scopeClaims(): Promise<ScopeClaims> {
    const attributes = [...(await this.#attributes.all()).values()]
    return Object.fromEntries(
      Object.entries(standard).map(([scope, claims]) => [
        scope,
        [...claims, ...attributes.filter((one) => one.scope === scope).map(({ name }) => name)],
      ]),
    )
  }

  /** Returns undefined for a user who may not be signed in. `proofs`: what was proved in the sign-in that the claims are for. */
  async find(
    userId: string,
    client: ClientWithCredentials | undefined,
    proofs: ProofTimes,
  ): Promise<KnownAccount | undefined> {
    const person = await this.#person(userId)
    if (!person || !maySignIn(person.user)) return undefined
    const { username, context } = person.user
    return {
      accountId: userId,
      username,
      context,
      claims: async (use, scope) => {
        const held = await this.claimsOf(userId, client?.service ?? '', context, proofs)
        const rights = { groups: groupsOf(held), claims: held }
        const own = await this.#ownClaims(person)
        const all = { ...own, ...(use === 'id_token' ? carriedByIdToken(rights) : rights), context }
        const map = client?.claim_map ?? {}
        if (Object.keys(map).length === 0) return all
        const extra = await this.#mapped(map, person, rights.groups, new Set(scope.split(' ')))
        return { ...withoutMapped(all, map), [mapped]: extra }
      },
    }
  }

  /** What the person themselves and administrators say about them. */
  async #ownClaims({ user, attributes }: Person): Promise<AccountClaims> {
    const known = await this.#attributes.all()
    const brought = Object.entries(attributes).filter(([name]) => known.get(name)?.scope)
    return {
      ...Object.fromEntries(brought),
      sub: user.id,
      name: displayed(user),
      preferred_username: user.username,
      updated_at: user.updated_at,
      picture: this.#pictures.addressOf(user.id),
      ...(user.email !== null && { email: user.email, email_verified: user.email_verified_at !== null }),
    }
  }

  async #mapped(
    map: ClientWithCredentials['claim_map'],
    { user, attributes }: Person,
    groups: readonly string[],
    scopes: ReadonlySet<string>,
  ) {
    const known = await this.#attributes.all()
    const words: Readonly<Record<string, TemplateValue | undefined>> = {
      user: user.username,
      name: displayed(user),
      id: user.id,
      email: user.email ?? undefined,
      groups,
    }
    return mappedClaims(map, {
      scopes,
      attribute: (name) => {
        const attribute = known.get(name)
        return attribute && { scope: attribute.scope, identifying: isIdentifying(attribute) }
      },
      valueOf: (word) => {
        const name = attributeNameIn(word)
        return name === undefined ? words[word] : attributes[name]
      },
    })
  }

  /** Cached, because every token needs its user. Any change to a user clears the cache. */
  async #person(userId: string): Promise<Person | undefined> {
    const people = await this.#people.get()
    const known = this.#database.seesCommitsAtOnce ? people.get(userId) : undefined
    if (known) return known
    const user = await this.#database.query
      .selectFrom('users')
      .selectAll()
      .where('id', '=', userId)
      .executeTakeFirst()
    if (!user) return undefined
    const person = { user, attributes: await this.#userAttributes.of(userId) }
    people.set(userId, person)
    return person
  }

  /** Whether a sign-in with these proofs may give the scope `admin`. */
  async mayAdminister(userId: string, proofs: ProofTimes): Promise<boolean> {
    const resolved = await this.#claims.resolved(userId)
    return resolved !== undefined && !lackingOfAdministrators(resolved.administrators, proofs, now())
  }

  async claimsOf(
    userId: string,
    service: string,
    context: number,
    proofs: ProofTimes,
  ): Promise<readonly string[]> {
    const resolved = await this.#claims.resolved(userId, { service, context })
    return resolved ? heldBy({ proofs }, resolved, now()).claims : []
  }
}

const displayed = ({ display_name, username }: UserRow): string => shownName(display_name) || username

/** A mapped claim replaces ours, also where it is left out: two people must not share a value. An address that we did not prove is unverified. */
const withoutMapped = (claims: AccountClaims, map: ClientWithCredentials['claim_map']): AccountClaims => {
  const names = new Set(Object.keys(map).map((name) => name.toLowerCase()))
  const kept = Object.entries(claims).filter(([name]) => !names.has(name.toLowerCase()))
  return {
    ...(Object.fromEntries(kept) as AccountClaims),
    ...(names.has('email') && { email_verified: false }),
  }
}

/** The slugs of `groups.<slug>`. Administering a group does not make a user its member. */
const groupsOf = (claims: readonly string[]): string[] =>
  claims.flatMap((claim) => /^groups\.([^.]+)$/.exec(claim)?.[1] ?? [])
