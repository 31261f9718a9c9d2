import type { Caller } from '../contract/caller.ts'
import { AppError, invalidParams, notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import type { Provider } from './provider.ts'

/** Throws claim_required for a caller without the claim. */
export const requireClaim = ({ kind, claims }: Caller, claim: string): void => {
  if (kind !== 'operator' && !claims.has(claim))
    throw new AppError('claim_required', `This needs the claim ${claim}`, { claims: [claim] })
}

type Table = Pick<Provider, 'groups' | 'groups_claim' | 'default_groups'>

const nameOf = ({ value, group }: Provider['groups'][number]) => JSON.stringify([value, group.toLowerCase()])

/**
 * A caller who may edit providers could put anybody into any group with a provider of their own. So new group mappings and default groups need the same
 * claim as adding members. Throws claim_required. Removing mappings is always allowed.
 */
export const requireClaimForGroups = (caller: Caller, before: Table, after: Table): void => {
  const known = new Set(before.groups.map(nameOf))
  const more = after.groups.some((entry) => !known.has(nameOf(entry)))
  const elsewhere = after.groups.length > 0 && after.groups_claim !== before.groups_claim
  const given = new Set(before.default_groups)
  const byDefault = after.default_groups.some((slug) => !given.has(slug))
  if (more || elsewhere || byDefault) requireClaim(caller, 'proxy.groups.write')
}

/** Throws not_found, and invalid_params for the group admin, which no provider may give. */
export const refuseUnknownGroups = async (
  query: Database['query'],
  slugs: readonly string[],
): Promise<void> => {
  for (const [i, slug] of slugs.entries()) {
    const row = await query.selectFrom('groups').select('slug').where('slug', '=', slug).executeTakeFirst()
    if (!row) throw notFound('group', slug)
    if (row.slug === 'admin') throw invalidParams(`default_groups.${i}`, 'any group but admin')
  }
}

/**
 * If users already have identities under this provider's name, the new provider could sign in as them. So only an administrator may
 * add it. Throws claim_required.
 */
export const requireAdminForKnownName = async (
  caller: Caller,
  query: Database['query'],
  provider: string,
): Promise<void> => {
  const existing = await query
    .selectFrom('user_identities')
    .select('id')
    .where('provider', '=', provider)
    .limit(1)
    .executeTakeFirst()
  if (existing) requireClaim(caller, 'proxy.admin')
}

type Guarded = Pick<Provider, 'internal_urls' | 'second_factor_values'>

/**
 * An address in our own network would let the caller send requests there, and a value that counts as a second factor would lower what
 * the place of an administrator asks for. Throws claim_required. Removing one is always allowed.
 */
export const requireAdminFor = (
  caller: Caller,
  before: Guarded | undefined,
  after: Partial<Guarded>,
): void => {
  const adds = (name: keyof Guarded) => {
    const known = new Set((before?.[name] ?? []).map((entry) => JSON.stringify(entry)))
    return (after[name] ?? []).some((entry) => !known.has(JSON.stringify(entry)))
  }
  if (adds('internal_urls') || adds('second_factor_values')) requireClaim(caller, 'proxy.admin')
}
