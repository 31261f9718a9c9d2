import { sql, type SqlBool } from 'kysely'
import { AppError } from '../contract/errors.ts'
import type { ProofLevel } from '../contract/proofs.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { maySignInSql } from '../storage/schema.ts'
import type { Groups } from './groups.ts'
import { isInside } from './nesting.ts'

/** A security key that cannot verify its user is no passkey. */
const hasNoPasskey = sql<SqlBool>`not exists (
  select 1 from passkeys where passkeys.user_id = users.id and passkeys.verifies_user = 1)`

/** What groups ask of the sessions of their members. */
export class GroupProofs {
  readonly #database: Database
  readonly #groups: Groups

  constructor(database: Database, groups: Groups) {
    this.#database = database
    this.#groups = groups
  }

  /** Whether the group, or one that it is inside, asks its members for a proof; undefined if there is no such group. */
  async asksMembersOf(group: string): Promise<boolean | undefined> {
    const row = await this.#groups.find(group)
    return row && asksProof(this.#database.query, row.id)
  }

  /** Throws claim_required if the group, or one that it is inside, asks its members for a proof. */
  async refuseWithProof(group: string): Promise<void> {
    const { id } = await this.#groups.row(group)
    if (await this.asks(id))
      throw new AppError('claim_required', 'This group asks its members for a proof', {
        claims: ['proxy.groups.write'],
        path: 'group',
      })
  }

  /** Whether a group, by its id, or one that it is inside asks its members for a proof. */
  asks(id: string): Promise<boolean> {
    return asksProof(this.#database.query, id)
  }

  /** Up to a hundred active members of a group, directly or inside, who have nothing to prove themselves with so strongly. */
  async shutOut(group: string, proof: ProofLevel): Promise<string[]> {
    if (proof === 'any') return []
    const { id } = await this.#groups.row(group)
    const rows = await this.#database.query
      .selectFrom('users')
      .select('users.username')
      .where(isInside(id, now(), 'all'))
      .where(maySignInSql())
      .where(proof === 'second' ? sql<SqlBool>`users.has_factor = 0` : hasNoPasskey)
      .orderBy('users.username')
      .limit(100)
      .execute()
    return rows.map(({ username }) => username)
  }
}

/** Whether a group or one that it is inside asks its members for a proof. Inactive ones count: they may become active again. */
const asksProof = async (query: Database['query'], id: string): Promise<boolean> => {
  const { rows } = await sql<{ found: number }>`
    with recursive above(id) as (
      select ${id}
      union
      select group_groups.group_id from above join group_groups on group_groups.member_group_id = above.id
    )
    select 1 as found from above join groups on groups.id = above.id where groups.proof <> 'any' limit 1
  `.execute(query)
  return rows.length > 0
}
