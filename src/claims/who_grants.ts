import { sql, type SqlBool } from 'kysely'
import type { Database } from '../storage/database.ts'
import { beginsWith } from '../storage/text.ts'
import type { Granter } from './result_schemas.ts'
import { isGrantable, isSegment, matchesClaim } from './rule.ts'

/** How many ways are told; the first are as good as the next. */
const most = 20

/** The groups whose members would satisfy a pattern, and by what: what to do about a missing claim. */
export const grantersOf = async (database: Database, pattern: string): Promise<Granter[]> => {
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
    .$if(prefix === undefined, (all) => all.where('slug', '=', pattern.replace(/^groups\./, '')))
    .orderBy('id')
    .limit(most)
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
    .limit(most)
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
    .limit(most)
    .execute()
  for (const row of byRole) {
    const { slug, name, claim, service, context, carried_service, carried_context } = row
    const counts = name === 'admin' ? slug === 'admin' && claim.startsWith('proxy.') : isGrantable(claim)
    if (!isSegment(slug) || !counts) continue
    found.push({
      group: slug,
      role: name,
      service: carried_service || service || null,
      context: carried_context ?? context,
    })
  }
  return found.slice(0, most)
}
