import { sql, type SqlBool } from 'kysely'
import type { Database } from '../storage/database.ts'
import { beginsWith } from '../storage/text.ts'
import type { Granter } from './result_schemas.ts'
import { isGrantable, isSegment, matchesClaim } from './rule.ts'

/** How many ways are returned; the first ones are as good as any. */
const maxGranters = 20

/** The groups whose members would satisfy a pattern, and through which grant: shows how to obtain a missing claim. */
export const whoGrants = async (database: Database, pattern: string): Promise<Granter[]> => {
  const { reading, kind } = database
  const prefix = pattern.endsWith('.*') ? pattern.slice(0, -1) : undefined
  const matches = (column: string) => {
    const claim = sql.ref<string>(column)
    return prefix === undefined ? sql<SqlBool>`${claim} = ${pattern}` : beginsWith(kind, claim, prefix)
  }
  const named = await reading
    .selectFrom('groups')
    .select('slug')
    .where('is_active', '=', 1)
    .$if(prefix === undefined, (groups) => groups.where('slug', '=', pattern.replace(/^groups\./, '')))
    .orderBy('id')
    .limit(maxGranters)
    .execute()
  const found: Granter[] = named
    .filter(({ slug }) => isSegment(slug) && matchesClaim(pattern, [`groups.${slug}`]))
    .map(({ slug }) => ({ group: slug, role: null, service: null, context: null }))

  const direct = await reading
    .selectFrom('group_claims')
    .innerJoin('groups', 'groups.id', 'group_claims.group_id')
    .select(['slug', 'claim', 'service', 'context'])
    .where('is_active', '=', 1)
    .where(matches('claim'))
    .orderBy('groups.id')
    .limit(maxGranters)
    .execute()
  for (const { slug, claim, service, context } of direct)
    if (isSegment(slug) && isGrantable(claim))
      found.push({ group: slug, role: null, service: service || null, context })

  const byRole = await reading
    .selectFrom('role_claims')
    .innerJoin('roles', 'roles.id', 'role_claims.role_id')
    .innerJoin('group_roles', 'group_roles.role_id', 'roles.id')
    .innerJoin('groups', 'groups.id', 'group_roles.group_id')
    .select(['slug', 'roles.name', 'role_claims.claim', 'role_claims.service', 'role_claims.context'])
    .select(['group_roles.service as carried_service', 'group_roles.context as carried_context'])
    .where('is_active', '=', 1)
    .where(matches('role_claims.claim'))
    .orderBy('groups.id')
    .limit(maxGranters)
    .execute()
  for (const row of byRole) {
    const { slug, name, claim, service, context, carried_service, carried_context } = row
    const isGranted = name === 'admin' ? slug === 'admin' && claim.startsWith('proxy.') : isGrantable(claim)
    if (!isSegment(slug) || !isGranted) continue
    found.push({
      group: slug,
      role: name,
      service: carried_service || service || null,
      context: carried_context ?? context,
    })
  }
  return found.slice(0, maxGranters)
}
