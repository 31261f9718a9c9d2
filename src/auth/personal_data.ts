import type { AttributeValues } from '../contract/attribute_values.ts'
import type { CleanPicture } from '../pictures/picture.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'

interface Parts {
  readonly database: Database
  readonly attributesOf: (userId: string) => AttributeValues | Promise<AttributeValues>
  readonly pictureOf: (userId: string) => Promise<CleanPicture | undefined>
  /** What providers last said about the person, by provider. */
  readonly receivedFor: (userId: string) => Promise<Readonly<Record<string, unknown>>>
}

const maxAuditLines = 10_000

/** What we hold on a person, for them to read: no hash, seed, token or key of theirs, and nobody else's address. */
export class PersonalData {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async of(userId: string): Promise<Record<string, unknown>> {
    const { database, attributesOf, pictureOf, receivedFor } = this.#parts
    const {
      is_active,
      is_admin,
      has_factor,
      awaits_approval: _,
      end_stage: __,
      address_since: ___,
      ...account
    } = await database.query
      .selectFrom('users')
      .selectAll()
      .where('id', '=', userId)
      .executeTakeFirstOrThrow()
    const picture = await pictureOf(userId)
    return {
      made_at: now(),
      account: {
        ...account,
        is_active: is_active === 1,
        is_admin: is_admin === 1,
        has_factor: has_factor === 1,
      },
      attributes: await attributesOf(userId),
      picture: picture ? { type: picture.type, base64: picture.content.toString('base64') } : null,
      ways_in: await this.#waysIn(userId),
      said_by_providers: await receivedFor(userId),
      rights: await this.#rights(userId),
      sessions: await this.#sessions(userId),
      applications: await this.#applications(userId),
      requests: await this.#requests(userId),
      mails: await this.#mails(account.email),
      audit: await this.#audit(account.username),
    }
  }

  async #waysIn(userId: string) {
    const { query } = this.#parts.database
    const { count } = await query
      .selectFrom('recovery_codes')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('user_id', '=', userId)
      .executeTakeFirstOrThrow()
    return {
      passwords: await query
        .selectFrom('credentials')
        .select('updated_at')
        .where('user_id', '=', userId)
        .execute(),
      authenticator_apps: await query
        .selectFrom('totp')
        .select(['created_at', 'confirmed_at'])
        .where('user_id', '=', userId)
        .execute(),
      recovery_codes_left: Number(count),
      passkeys: await query
        .selectFrom('passkeys')
        .select(['name', 'rp_id', 'synced', 'created_at', 'last_used_at'])
        .where('user_id', '=', userId)
        .execute(),
      identities: await query
        .selectFrom('user_identities')
        .select(['provider', 'subject', 'login', 'email', 'avatar_url', 'created_at', 'last_used_at'])
        .where('user_id', '=', userId)
        .execute(),
      keys: await query
        .selectFrom('user_keys')
        .select(['pubkey', 'description', 'created_at'])
        .where('user_id', '=', userId)
        .execute(),
      networks: await query
        .selectFrom('user_networks')
        .select(['network', 'description', 'created_at'])
        .where('user_id', '=', userId)
        .execute(),
    }
  }

  async #rights(userId: string) {
    const { query } = this.#parts.database
    return {
      member_of: await query
        .selectFrom('group_users')
        .innerJoin('groups', 'groups.id', 'group_users.group_id')
        .select(['groups.slug as group', 'added_at', 'expires_at', 'given_by as provider'])
        .where('user_id', '=', userId)
        .execute(),
      administers: await query
        .selectFrom('group_admins')
        .innerJoin('groups', 'groups.id', 'group_admins.group_id')
        .select(['groups.slug as group', 'added_at'])
        .where('user_id', '=', userId)
        .execute(),
    }
  }

  async #sessions(userId: string) {
    const { query } = this.#parts.database
    return {
      sign_ins: await query
        .selectFrom('sessions')
        .select([
          'provider',
          'factor',
          'address',
          'user_agent',
          'created_at',
          'last_used_at',
          'expires_at',
          'remembered',
        ])
        .where('user_id', '=', userId)
        .execute(),
      hosts: await query
        .selectFrom('child_sessions')
        .innerJoin('sessions', 'sessions.id', 'child_sessions.parent_id')
        .select(['origin', 'opened_at'])
        .where('user_id', '=', userId)
        .execute(),
      confirmed_hosts: await query
        .selectFrom('confirmed_hosts')
        .select(['host', 'confirmed_at'])
        .where('user_id', '=', userId)
        .execute(),
      trusted_browsers: await query
        .selectFrom('trusted_browsers')
        .select(['address', 'user_agent', 'created_at', 'last_used_at', 'expires_at'])
        .where('user_id', '=', userId)
        .execute(),
      known_devices: await query
        .selectFrom('known_devices')
        .select(['language', 'first_seen_at', 'last_seen_at'])
        .where('user_id', '=', userId)
        .execute(),
    }
  }

  async #applications(userId: string) {
    const { query } = this.#parts.database
    return {
      allowed: await query
        .selectFrom('consents')
        .select(['client', 'scopes', 'created_at'])
        .where('user_id', '=', userId)
        .execute(),
      granted: await query
        .selectFrom('oidc_records')
        .select(['kind', 'client', 'expires_at'])
        .where('user_id', '=', userId)
        .execute(),
      tokens_to_keep: await query
        .selectFrom('tokens')
        .select(['name', 'scope', 'created_at', 'expires_at', 'last_used_at'])
        .where('user_id', '=', userId)
        .execute(),
    }
  }

  /** What they asked for and what became of it, but not who decided. */
  #requests(userId: string) {
    return this.#parts.database.query
      .selectFrom('access_requests')
      .select(['place', 'reason', 'state', 'created_at', 'expires_at', 'decided_at', 'answer', 'ends_at'])
      .where('user_id', '=', userId)
      .execute()
  }

  async #mails(email: string | null) {
    if (email === null) return []
    return this.#parts.database.query
      .selectFrom('mails')
      .select(['kind', 'created_at', 'state'])
      .where('address', '=', email)
      .where('state', '!=', 'decoy')
      .execute()
  }

  /** What the person did. A target may name an address, which is then somebody else's. */
  async #audit(username: string) {
    const rows = await this.#parts.database.query
      .selectFrom('audit')
      .select(['at', 'method', 'target', 'outcome', 'address', 'via'])
      .where('actor', '=', username)
      .orderBy('seq', 'desc')
      .limit(maxAuditLines)
      .execute()
    return rows.map(({ target, ...row }) => ({ ...row, target: target.replaceAll(/[^\s=]+@[^\s=]+/g, '…') }))
  }
}
