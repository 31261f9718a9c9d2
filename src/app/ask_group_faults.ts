import { satisfiesRule } from '../claims/rule.ts'
import type { ClientLists } from '../clients/client_lists.ts'
import { AppError } from '../contract/errors.ts'
import type { Claims } from '../claims/claims.ts'
import type { Groups } from '../groups/groups.ts'
import type { Routes } from '../routes/routes.ts'
import type { GroupRow } from '../storage/schema.ts'

interface Parts {
  readonly routes: Pick<Routes, 'table'>
  readonly clientLists: Pick<ClientLists, 'withRule'>
  readonly groups: Pick<Groups, 'row'>
  readonly claims: Pick<Claims, 'givenBy'>
  /** The context of people for whom nobody set another. */
  readonly context: () => Promise<number>
}

/** The places where people would ask in vain: each with the name of its route or client, and why. */
export const askGroupFaults = async (parts: Parts): Promise<string[]> => {
  const { routes, clientLists, groups, claims } = parts
  const named = [
    ...[...(await routes.table()).named()].map(({ route }) => route).filter(({ enabled }) => enabled),
    ...(await clientLists.withRule(false)),
  ]
  const faults = []
  for (const place of named) {
    if (place.ask_group === null || place.required_claims.length === 0) continue
    const name = 'client' in place ? place.client : place.name
    const group = await groups.row(place.ask_group).catch(orMissing)
    if (!group?.is_active) {
      faults.push(`${name} (there is no active group ${place.ask_group})`)
      continue
    }
    const service = place.service ?? ''
    const { at } = await claims.givenBy(group.id, await parts.context(), [service])
    if (!satisfiesRule(place.required_claims, at.get(service)!))
      faults.push(`${name} (members of ${group.slug} may not enter either)`)
  }
  return faults
}

const orMissing = (error: unknown): GroupRow | undefined => {
  if (error instanceof AppError && error.error === 'not_found') return undefined
  throw error
}
