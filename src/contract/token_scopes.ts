/** What may be done with a token; each includes those before it. */
export const tokenScopes = ['read', 'write', 'admin'] as const
export type TokenScope = (typeof tokenScopes)[number]

/** The widest of some scopes; undefined where none of them is of these three. */
export const widest = (scopes: readonly string[]): TokenScope | undefined =>
  tokenScopes.findLast((scope) => scopes.includes(scope))

export const covers = (held: TokenScope, wanted: TokenScope): boolean =>
  tokenScopes.indexOf(held) >= tokenScopes.indexOf(wanted)

const ofAdministrators = /^(admin|groups\.admin|proxy\..*)$/i
const narrowed = new WeakMap<readonly string[], readonly string[]>()

/**
 * What of somebody's claims a token carries: all of them with `admin`, otherwise those that administer nothing here. The same list
 * for the same list, so that whoever keeps what was made of it finds it again.
 */
export const claimsWithin = (claims: readonly string[], scope: TokenScope | undefined): readonly string[] => {
  if (scope === undefined || scope === 'admin') return claims
  let within = narrowed.get(claims)
  if (!within) narrowed.set(claims, (within = claims.filter((claim) => !ofAdministrators.test(claim))))
  return within
}
