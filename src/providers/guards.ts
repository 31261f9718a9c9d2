import type { Caller } from '../contract/caller.ts'
import { AppError } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import type { Provider } from './provider.ts'

const require = ({ kind, claims }: Caller, claim: string): void => {
  if (kind !== 'operator' && !claims.has(claim))
    throw new AppError('claim_required', `This takes the claim ${claim}`, { claims: [claim] })
}

type Table = Pick<Provider, 'groups' | 'groups_claim'>

const nameOf = ({ value, group }: Provider['groups'][number]) => JSON.stringify([value, group.toLowerCase()])

/**
 * Whoever keeps providers could let anybody into any group by a provider of their own: what gives memberships takes the claim that
 * gives them otherwise. Throws claim_required. Taking entries away gives nobody anything.
 */
export const refuseGivingGroups = (caller: Caller, before: Table, after: Table): void => {
  const known = new Set(before.groups.map(nameOf))
  const more = after.groups.some((entry) => !known.has(nameOf(entry)))
  const elsewhere = after.groups.length > 0 && after.groups_claim !== before.groups_claim
  if (more || elsewhere) require(caller, 'proxy.groups.write')
}

/**
 * Identities that were linked before their provider is there are believed to whoever gives it: an administrator says who vouches.
 * Throws claim_required.
 */
export const refuseVouching = async (
  caller: Caller,
  query: Database['query'],
  provider: string,
): Promise<void> => {
  const waiting = await query
    .selectFrom('user_identities')
    .select('id')
    .where('provider', '=', provider)
    .limit(1)
    .executeTakeFirst()
  if (waiting) require(caller, 'proxy.admin')
}
