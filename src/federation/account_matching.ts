import type { UserAttributes } from '../attributes/user_attributes.ts'
import type { Caller } from '../contract/caller.ts'
import { nameFrom } from '../contract/names.ts'
import type { Members } from '../groups/members.ts'
import type { Profile } from '../providers/profile.ts'
import type { KnownProvider } from '../providers/provider.ts'
import type { ExchangedCode } from '../providers/relying_party.ts'
import type { Database } from '../storage/database.ts'
import { maySignIn } from '../storage/schema.ts'
import type { Seal } from '../secrets/seal.ts'
import type { Addresses } from '../users/addresses.ts'
import type { Identities } from '../users/identities.ts'
import { freeName } from '../users/usernames.ts'
import type { Users } from '../users/users.ts'
import type { ProviderTokens } from './provider_tokens.ts'
import { usernameFrom } from './username_from_profile.ts'
import type { ReturnedSignIn } from './outgoing_sign_ins.ts'
import type { PendingLinks } from './pending_links.ts'
import type { ReplacedAddress } from './replaced_address.ts'

interface Parts {
  readonly database: Database
  readonly seal: Seal
  readonly identities: Identities
  readonly users: Users
  readonly attributes: Pick<UserAttributes, 'follow'>
  readonly addresses: Addresses
  readonly members: Members
  /** Gives groups to a new account, as far as nothing speaks against it. */
  readonly giveGroups: (userId: string, slugs: readonly string[]) => Promise<void>
  readonly pending: PendingLinks
  readonly replaced: ReplacedAddress
  readonly tokens: ProviderTokens
}

/** Why we refuse a person whom a provider vouches for. */
export type RefusalReason =
  | 'domain'
  | 'no_account'
  | 'doubtful_address'
  | 'no_address'
  | 'other_address'
  | 'inactive'
  | 'linked_already'
  | 'of_somebody_else'
  | 'unproven'

interface Known {
  readonly act: 'known'
  readonly user_id: string
  readonly username: string
  readonly has_factor: boolean
  readonly identity_id: string
  readonly at_provider: { readonly sid: string; readonly id_token: string }
}

/** The name that came beside the provider's answer, which nobody has verified. Only a new account takes it. */
export interface Named {
  readonly name: string
}

export type AccountMatch =
  | Known
  | { readonly act: 'refused'; readonly why: RefusalReason; readonly user?: string }
  | { readonly act: 'link'; readonly token: string }

/** The context to which the seal binds a user's ID token. */
export const idTokenRow = (userId: string) => `sessions.provider_id_token ${userId}`

/**
 * Matches an identity that a provider vouches for to an account. It is known here, belongs to a new person, or needs a confirmation
 * before it is linked.
 */
export class AccountMatching {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Call it inside the transaction that acts on the result. The key is provider and subject only: an email address never signs
   * anybody in. The flow's `user_id` is the person who wants to add the
   * identity to their account.
   */
  async match(
    provider: KnownProvider,
    redeemed: ExchangedCode,
    { user_id: linkTo, next, name }: Pick<ReturnedSignIn, 'user_id' | 'next'> & Named,
    by: Caller,
  ): Promise<AccountMatch> {
    const { profile } = redeemed
    if (!inDomains(provider, profile)) return { act: 'refused', why: 'domain' }
    const found = await this.#parts.identities.find(provider.provider, profile.subject)
    if (linkTo !== null) {
      if (found)
        return refuse(found.user_id === linkTo ? 'linked_already' : 'of_somebody_else', found.username)
      return this.#offer(provider, redeemed, linkTo, next)
    }
    if (found) {
      if (!maySignIn(found)) return refuse('inactive', found.username)
      await this.#parts.replaced.follow(provider, found.user_id, found.reported_email, profile, by)
      return this.#known(provider, redeemed, found.id, {
        id: found.user_id,
        username: found.username,
        has_factor: found.has_factor === 1,
      })
    }
    const holder = profile.email === null ? undefined : await this.#parts.addresses.holder(profile.email)
    if (holder?.email_verified_at) {
      return maySignIn(holder) ? this.#offer(provider, redeemed, holder.id, next) : refuse('inactive')
    }
    return this.#signUp(provider, redeemed, holder?.email ?? undefined, name)
  }

  /** Offers to link the identity to a user. Both sides must have verified the same address. */
  async #offer(
    provider: KnownProvider,
    { profile, tokens }: ExchangedCode,
    userId: string,
    next: string,
  ): Promise<AccountMatch> {
    const user = await this.#parts.users.get({ id: userId })
    const why = addressFault(profile, user)
    if (why !== undefined) return refuse(why, user.username)
    return {
      act: 'link',
      token: await this.#parts.pending.add({ provider_id: provider.id, profile, tokens, next }),
    }
  }

  async #signUp(
    provider: KnownProvider,
    redeemed: ExchangedCode,
    unconfirmed: string | undefined,
    name: string,
  ): Promise<AccountMatch> {
    const { database, users, addresses, identities } = this.#parts
    const { profile } = redeemed
    if (!provider.allow_signup) return refuse('no_account')
    // An unverified address may belong to somebody else, so it must neither be stored nor create an account.
    if (profile.email_doubtful) return refuse('doubtful_address')
    // Somebody registered this address but never confirmed it. The provider has verified it for this person.
    if (unconfirmed !== undefined) await addresses.free(unconfirmed)
    const username = await freeName(database.query, usernameFrom(profile))
    const user = await users.addVouchedFor({
      username,
      email: profile.email,
      display_name: profile.name || name || nameFrom(profile.login) || username,
    })
    await this.#parts.giveGroups(user.id, provider.default_groups)
    const { id } = await identities.link(user.id, provider.provider, profile.subject, displayFields(profile))
    return this.#known(provider, redeemed, id, user)
  }

  async #known(
    provider: KnownProvider,
    { profile, said, tokens, sid, id_token }: ExchangedCode,
    identityId: string,
    user: { readonly id: string; readonly username: string; readonly has_factor: boolean },
  ): Promise<Known> {
    const { identities, members, users, attributes, seal, tokens: kept } = this.#parts
    await identities.recordSignIn(identityId, displayFields(profile))
    if (provider.refresh_profile && profile.name !== '') await users.setReportedName(user.id, profile.name)
    await attributes.follow(user.id, provider.provider, said)
    await members.syncFromProvider(user.id, provider.provider, mappedGroups(provider, profile))
    if (provider.keep_tokens) await kept.store(identityId, tokens)
    else await kept.forget(identityId)
    return {
      act: 'known',
      user_id: user.id,
      username: user.username,
      has_factor: user.has_factor,
      identity_id: identityId,
      at_provider: { sid, id_token: id_token === '' ? '' : seal.seal(id_token, idTokenRow(user.id)) },
    }
  }
}

export const displayFields = ({ login, avatar_url, email }: Profile) => ({
  login,
  avatar_url,
  ...(email !== null && { email }),
})

const refuse = (why: RefusalReason, user?: string): AccountMatch => ({
  act: 'refused',
  why,
  ...(user !== undefined && { user }),
})

/** Compares the whole domain of the address: a match of its end would let `evil-example.org` pass for `example.org`. */
export const inDomains = ({ allowed_domains }: KnownProvider, { email }: Profile): boolean =>
  allowed_domains.length === 0 || (email !== null && allowed_domains.includes(email.split('@')[1]!))

/** Returns why the addresses do not allow linking an identity to a user, or undefined if they do. */
export const addressFault = (
  profile: Profile,
  user: { readonly email: string | null; readonly email_verified_at: number | null },
): RefusalReason | undefined => {
  if (profile.email === null) return profile.email_doubtful ? 'doubtful_address' : 'no_address'
  const confirmed = user.email_verified_at === null ? undefined : user.email?.toLowerCase()
  return profile.email === confirmed ? undefined : 'other_address'
}

export const mappedGroups = ({ groups }: KnownProvider, profile: Profile): string[] => [
  ...new Set(groups.filter(({ value }) => profile.groups.includes(value)).map(({ group }) => group)),
]
