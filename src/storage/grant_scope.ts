import { sql, type RawBuilder } from 'kysely'

/** Where a grant applies: a service, a context, both, or everywhere. */
export interface Scope {
  readonly service?: string
  readonly context?: number
}

/** The columns of a scope: an empty service and a null context mean everywhere. */
export const scopeOf = ({ service, context }: Scope) => ({ service: service ?? '', context: context ?? null })

/** The condition that a row has exactly this scope. */
export const sameScope = (scope: Scope): RawBuilder<boolean> => {
  const { service, context } = scopeOf(scope)
  return sql<boolean>`(service = ${service} and coalesce(context, -1) = ${context ?? -1})`
}
