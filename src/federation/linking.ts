import type { SecurityNotices } from '../auth/security_notices.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Caller } from '../contract/caller.ts'
import { refuseWhileImpersonating } from '../contract/caller.ts'
import { conflict } from '../contract/errors.ts'
import type { Members } from '../groups/members.ts'
import type { Providers } from '../providers/providers.ts'
import type { Database } from '../storage/database.ts'
import type { Identities } from '../users/identities.ts'
import type { Users } from '../users/users.ts'
import type { ProviderTokens } from './provider_tokens.ts'
import { linkExpired, type PendingLinks } from './pending_links.ts'
import { addressFault, inDomains, mappedGroups, displayFields } from './account_matching.ts'

interface Parts {
  readonly database: Database
  readonly providers: Providers
  readonly identities: Identities
  readonly users: Users
  readonly members: Members
  readonly sessions: Sessions
  readonly pending: PendingLinks
  readonly tokens: ProviderTokens
  readonly notices: Pick<SecurityNotices, 'send'>
  readonly magicLinks: () => Promise<boolean>
}

/** Links identities to users and unlinks them. */
export class Linking {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Returns what the confirmation page shows about a pending link, and where the person was going; undefined if the link has expired. */
  async findPending(
    token: string,
  ): Promise<{ title: string; login: string; email: string | null; next: string } | undefined> {
    const found = await this.#parts.pending.find(token)
    const provider = found && (await this.#parts.providers.find({ id: found.provider_id }))
    if (!found || !provider) return undefined
    const { login, email } = found.profile
    return { title: provider.title, login, email, next: found.next }
  }

  /** Links the identity after the user confirmed it. Address, provider and caller are checked again. */
  async confirm(token: string, caller: Caller) {
    refuseWhileImpersonating(caller)
    const { user_id } = caller
    if (user_id === undefined) throw conflict('Only a signed-in person can link an identity')
    const { pending, providers, identities, users, members, tokens } = this.#parts
    const { provider_id, profile, tokens: given } = await pending.use(token)
    const provider = await providers.find({ id: provider_id })
    if (!provider) throw linkExpired()
    const user = await users.get({ id: user_id })
    if (!inDomains(provider, profile) || addressFault(profile, user) !== undefined)
      throw conflict(
        `${provider.title} has verified a different address from yours: only an identity with the same address can be linked`,
        { reason: 'other_address', title: provider.title },
      )
    const row = await identities.link(user_id, provider.provider, profile.subject, displayFields(profile))
    await members.syncFromProvider(user_id, provider.provider, mappedGroups(provider, profile))
    if (provider.keep_tokens) await tokens.store(row.id, given)
    await this.tell('identity_added', user_id, provider.provider, caller)
    const { user_id: _, email: __, ...identity } = row
    return { ...identity, user: user.username }
  }

  /**
   * Prepares the removal of an identity. It refuses users who would lose their own last way to sign in. It ends the sessions that
   * the provider opened for the user, except the current one, and deletes the provider's tokens. Call it inside the transaction
   * of the removal.
   */
  async unlink(identity: { id: string; user_id: string; provider: string }, caller: Caller): Promise<void> {
    const { members, sessions, tokens } = this.#parts
    const { id, user_id, provider } = identity
    if (caller.user_id === user_id) await this.refuseLastWayIn(user_id, id)
    await this.tell('identity_removed', user_id, provider, caller)
    await tokens.forget(id)
    // Memberships do not record which of a user's identities gave them. The next sign-in with another identity restores its own.
    await members.removeProviderMemberships(provider, { userId: user_id })
    await sessions.revokeVouchedBy(provider, { userId: user_id, except: caller.session_id }, 'revoked')
  }

  /** Removes the identities that were linked since a time, and all that they gave. Inside a transaction. */
  async unlinkSince(userId: string, since: number): Promise<void> {
    const { identities, members, sessions } = this.#parts
    for (const { provider } of await identities.forgetSince(userId, since)) {
      await members.removeProviderMemberships(provider, { userId })
      await sessions.revokeVouchedBy(provider, { userId }, 'revoked')
    }
  }

  /** Tells a person that an identity was linked or unlinked. Inside the transaction of its cause. */
  async tell(
    what: 'identity_added' | 'identity_removed',
    userId: string,
    provider: string,
    by: Caller,
  ): Promise<void> {
    const found = await this.#parts.providers.find({ provider })
    const change = { what, name: found?.title ?? provider }
    await this.#parts.notices.send('factors_changed', userId, by, { change })
  }

  /** Deletes everything that came from a provider. Call it inside the transaction that removes the provider. */
  async forgetProvider(provider: string): Promise<void> {
    const { identities, members, sessions } = this.#parts
    await identities.forgetProvider(provider)
    await members.removeProviderMemberships(provider)
    await sessions.revokeVouchedBy(provider, {}, 'revoked')
  }

  /** Throws conflict if the user would have no way left to sign in without this identity. */
  async refuseLastWayIn(userId: string, identityId = ''): Promise<void> {
    const { database, users, magicLinks } = this.#parts
    const { query } = database
    const user = await users.get({ id: userId })
    if (user.email_verified_at !== null && (await magicLinks())) return
    const way =
      (await query
        .selectFrom('credentials')
        .select('user_id')
        .where('user_id', '=', userId)
        .executeTakeFirst()) ??
      (await query
        .selectFrom('passkeys')
        .select('id')
        .where('user_id', '=', userId)
        // Others are a second factor only.
        .where('verifies_user', '=', 1)
        .executeTakeFirst()) ??
      (await query
        .selectFrom('user_identities')
        .innerJoin('providers', 'providers.provider', 'user_identities.provider')
        .select('user_identities.id')
        .where('user_identities.user_id', '=', userId)
        .where('user_identities.id', '!=', identityId)
        .where('providers.enabled', '=', 1)
        .executeTakeFirst())
    if (!way)
      throw conflict(
        'This is your last way to sign in: set a password, add a passkey or link another account first',
        { reason: 'last_way_in' },
      )
  }
}
