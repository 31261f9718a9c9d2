import { invalidParams, notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import type { Provider } from './provider.ts'

// Maps the values of a provider's groups_claim to our groups.

type Query = Database['query']
type Entries = Provider['groups']

/** Returns the group mappings of each provider, by the id of its row. */
export const groupMappings = async (query: Query): Promise<(id: string) => Entries> => {
  const rows = await query
    .selectFrom('provider_groups')
    .innerJoin('groups', 'groups.id', 'provider_groups.group_id')
    .select(['provider_groups.provider_id', 'provider_groups.value', 'groups.slug as group'])
    .orderBy('value')
    .orderBy('slug')
    .execute()
  return (id) =>
    rows.filter(({ provider_id }) => provider_id === id).map(({ value, group }) => ({ value, group }))
}

/** Replaces a provider's group mappings. Throws not_found, and invalid_params for the group admin, which no provider may give. */
export const storeGroupMappings = async (query: Query, id: string, groups: Entries): Promise<void> => {
  await query.deleteFrom('provider_groups').where('provider_id', '=', id).execute()
  for (const [i, { value, group }] of groups.entries()) {
    const row = await query
      .selectFrom('groups')
      .select(['id', 'slug'])
      .where('slug', '=', group)
      .executeTakeFirst()
    if (!row) throw notFound('group', group)
    if (row.slug === 'admin') throw invalidParams(`groups.${i}.group`, 'any group but admin')
    await query
      .insertInto('provider_groups')
      .values({ provider_id: id, value, group_id: row.id })
      .onConflict((same) => same.doNothing())
      .execute()
  }
}
