import { AppError } from '../contract/errors.ts'
import type { Caller } from '../contract/caller.ts'

/** The groups that somebody may read: all of them, or these, by slug in lower case. */
export type Readable = 'all' | ReadonlySet<string>

/** Administrators of a group may read it, and of a group inside it only the name, no matter who put it there. */
export const readableBy = ({ kind, claims }: Caller): Readable => {
  if (kind === 'operator' || claims.has('proxy.groups.read')) return 'all'
  const administered = [...claims].flatMap((claim) => /^groups\.([^.]+)\.admin$/.exec(claim)?.[1] ?? [])
  return new Set(administered.map((slug) => slug.toLowerCase()))
}

/** Throws claim_required for a group that the caller may not read, whether or not it exists. */
export const refuseUnreadable = (slug: string, caller: Caller): void => {
  if (caller.claims.has('proxy.groups.write')) return
  const readable = readableBy(caller)
  if (readable === 'all' || readable.has(slug.toLowerCase())) return
  throw new AppError('claim_required', 'You may put only groups inside that you may read', {
    claims: ['proxy.groups.read'],
    path: 'member_group',
  })
}
