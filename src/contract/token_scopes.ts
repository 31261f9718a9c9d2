/** What a token may be used for; each scope includes those before it. */
export const tokenScopes = ['read', 'write', 'admin'] as const
export type TokenScope = (typeof tokenScopes)[number]

/** The widest of these scopes; undefined if none of them is a token scope. */
export const widestScope = (scopes: readonly string[]): TokenScope | undefined =>
  tokenScopes.findLast((scope) => scopes.includes(scope))

export const coversScope = (granted: TokenScope, wanted: TokenScope): boolean =>
  tokenScopes.indexOf(granted) >= tokenScopes.indexOf(wanted)

/** The claims of administrators, and those of group administrators too. */
const ofAnyAdministrators = /^(admin|groups\.(.+\.)?admin|proxy\..*)$/i
const administeringNothing = new WeakMap<readonly string[], readonly string[]>()

/** The claims that administer nothing, no group either. Returns the same array for the same input array. */
export const claimsOfNoAdministrator = (claims: readonly string[]): readonly string[] => {
  let within = administeringNothing.get(claims)
  if (!within)
    administeringNothing.set(claims, (within = claims.filter((claim) => !ofAnyAdministrators.test(claim))))
  return within
}

const ofAdministrators = /^(admin|groups\.admin|proxy\..*)$/i
const withoutAdministration = new WeakMap<readonly string[], readonly string[]>()

/**
 * The claims that a token carries: all of the user's with `admin`, otherwise those that administer nothing here.
 * Returns the same array for the same input array, so that callers can cache by it.
 */
export const claimsWithin = (claims: readonly string[], scope: TokenScope | undefined): readonly string[] => {
  if (scope === undefined || scope === 'admin') return claims
  let within = withoutAdministration.get(claims)
  if (!within)
    withoutAdministration.set(claims, (within = claims.filter((claim) => !ofAdministrators.test(claim))))
  return within
}
